/// Text that a peer wrote, made fit for a log or a terminal.
public enum PeerText {
    /// The most that is shown of one text, in Unicode scalars.
    public static let limit = 256

    /// `text` on one line, with whatever is not printable escaped, and cut at `limit`.
    public static func printable(_ text: String) -> String {
        var shown = ""
        for (count, scalar) in text.unicodeScalars.enumerated() {
            guard count < limit else { return shown + "..." }
            if isPrintable(scalar) {
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
