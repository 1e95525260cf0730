// The files beside this one are links to what ships, compiled into this module so that the loops are measured as
// they run there; the compiler does not inline across modules. What they need of SumCore is repeated here.

enum MessagePrefix {
    static let length = 5
}

extension RawSpan {
    func byte(at index: Int) -> UInt8 { unsafeLoad(fromByteOffset: index, as: UInt8.self) }
}
