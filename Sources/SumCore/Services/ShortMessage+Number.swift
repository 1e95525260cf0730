extension ShortMessage {
    /// A length-prefixed `NumberRequest`, or `NumberResponse`, whose encoding is the same.
    init(_ number: Int32) {
        let words = NumberEncoder.words(of: number)
        self.init(head: words.head, tail: words.tail, byteCount: words.byteCount)
    }
}

extension ShortMessage {
    /// The beginning of a message.
    init(_ cut: CutNumber) {
        self.init(head: cut.head, tail: cut.tail, byteCount: cut.count)
    }
}
