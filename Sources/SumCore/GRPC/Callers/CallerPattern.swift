/// A pattern for names of callers, as in gRPC's authorization policies (grpc/proposal A43): `*` at one end stands for
/// anything, `*` alone for every name. Everything else stands for itself.
public struct CallerPattern: Hashable, Sendable {
    private enum Kind: Hashable {
        case exact(String)
        case prefix(String)
        case suffix(String)
    }

    private let kind: Kind

    /// The error for a text that is not a pattern.
    public struct Invalid: Error, Hashable, CustomStringConvertible {
        /// What is wrong, for people.
        public let description: String
    }

    /// Parses a pattern.
    ///
    /// - Throws: `Invalid` if it is empty, or has a `*` elsewhere than at one end. It might be meant to stand for
    ///   something that it does not.
    public init(_ text: String) throws(Invalid) {
        guard !text.isEmpty else { throw Invalid(description: "the pattern is empty") }
        let (begins, ends) = (text.hasPrefix("*"), text.hasSuffix("*"))
        let rest = String(text.dropFirst(begins ? 1 : 0).dropLast(ends && text != "*" ? 1 : 0))
        guard !rest.contains("*"), !begins || !ends || text == "*" else {
            throw Invalid(description: "a pattern may have one '*', at its beginning or its end")
        }
        kind = begins ? .suffix(rest) : ends ? .prefix(rest) : .exact(rest)
    }

    func matches(_ name: String) -> Bool {
        // By bytes: for `String`, characters that look the same can be equal.
        switch kind {
        case .exact(let text): name.utf8.elementsEqual(text.utf8)
        case .prefix(let text): name.utf8.starts(with: text.utf8)
        case .suffix(let text):
            name.utf8.count >= text.utf8.count && name.utf8.suffix(text.utf8.count).elementsEqual(text.utf8)
        }
    }
}
