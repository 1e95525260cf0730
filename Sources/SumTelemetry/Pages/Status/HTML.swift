internal import SumCore

/// A piece of HTML. Literals are HTML; what is interpolated is text, and is escaped, unless it is itself HTML. So nothing
/// that a peer wrote can become markup.
struct HTML: Sendable, CustomStringConvertible {
    private(set) var description: String

    init() {
        description = ""
    }

    static func += (left: inout HTML, right: HTML) { left.description += right.description }

    static func joined(_ pieces: some Sequence<HTML>) -> HTML {
        pieces.reduce(into: HTML()) { $0 += $1 }
    }
}

extension HTML: ExpressibleByStringInterpolation {
    typealias StringInterpolation = Pieces

    init(stringLiteral literal: String) {
        description = literal
    }

    init(stringInterpolation pieces: Pieces) {
        description = pieces.text
    }

    struct Pieces: StringInterpolationProtocol {
        fileprivate var text = ""

        init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity + 16 * interpolationCount)
        }

        mutating func appendLiteral(_ literal: String) { text += literal }

        mutating func appendInterpolation(_ html: HTML) { text += html.description }

        mutating func appendInterpolation(_ number: some BinaryInteger) { text += "\(number)" }

        /// For element content and for attributes in double quotes.
        mutating func appendInterpolation(_ words: String) {
            for scalar in words.escapedForDisplay.unicodeScalars {
                switch scalar {
                case "&": text += "&amp;"
                case "<": text += "&lt;"
                case ">": text += "&gt;"
                case "\"": text += "&quot;"
                case "'": text += "&#39;"
                default: text.unicodeScalars.append(scalar)
                }
            }
        }
    }
}
