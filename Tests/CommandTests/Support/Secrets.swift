import Testing

/// The tokens of all tests. None may appear in anything that a tool writes.
enum Secrets {
    /// Each token contains it, and nothing else does.
    static let mark = "-0123456789"

    static func expectNone(in text: String) {
        #expect(!text.contains(mark), "a token was written: \(text)")
    }
}
