/// Text that others wrote, made fit for a log or a terminal.
public enum PeerText {
    /// The most that is shown of one text, in Unicode scalars.
    public static let limit = 256

    /// `text` on one line, with whatever is not printable escaped, and cut at `limit`.
    public static func printable(_ text: String) -> String {
        shown(text, limit: limit, isPrintable)
    }

    /// The same, whole: for a line in which a user is quoted, who may have a script or a file name quoted for him.
    public static func line(_ text: String) -> String {
        shown(text, limit: .max, isPrintable)
    }

    /// The same, with whatever is not ASCII escaped too: in the place of a number, what looks like a digit, a minus or
    /// a space may be something else.
    public static func ascii(_ text: String) -> String {
        shown(text, limit: limit) { $0.isASCII && isPrintable($0) }
    }

    private static func shown(_ text: String, limit: Int, _ isShown: (Unicode.Scalar) -> Bool) -> String {
        var shown = ""
        for (count, scalar) in text.unicodeScalars.enumerated() {
            guard count < limit else { return shown + "..." }
            if isShown(scalar) {
                shown.unicodeScalars.append(scalar)
            } else {
                shown += scalar.escaped(asASCII: true)
            }
        }
        return shown
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
            false
        default:
            true
        }
    }
}
