@testable import SumCore

extension FrameSlicer {
    /// Walks over bytes that come in pieces of this length.
    mutating func advance(over bytes: [UInt8], inPiecesOf length: Int) {
        for start in stride(from: 0, to: bytes.count, by: length) {
            var rest = bytes[start..<min(start + length, bytes.count)]
            if !held.isEmpty {
                let (taken, isWhole) = completeHeader(from: Array(rest).span.bytes)
                rest = rest.dropFirst(taken)
                guard isWhole else { continue }
                releaseHeader()
            }
            _ = advance(over: Array(rest).span.bytes)
        }
    }
}
