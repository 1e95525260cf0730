/// Text that somebody else wrote, made fit for a log or a terminal: it stays on one line and moves no cursor.
extension String {
    /// The most Unicode scalars of one text that are shown.
    package static let displayLimit = 256

    /// The text with everything unprintable escaped, cut at `displayLimit`.
    package var escapedForDisplay: String {
        escaped(limit: Self.displayLimit, Self.isPrintable)
    }

    /// The whole text with everything unprintable escaped. For a message that quotes the user, whose file names may be
    /// long.
    package var escapedWhole: String {
        escaped(limit: .max, Self.isPrintable)
    }

    /// The text with everything escaped that is unprintable or not ASCII, cut at `displayLimit`. For what stands in the
    /// place of a number: a character that looks like a digit, a minus or a space may be another.
    package var escapedToASCII: String {
        escaped(limit: Self.displayLimit) { $0.isASCII && Self.isPrintable($0) }
    }

    private func escaped(limit: Int, _ isShown: (Unicode.Scalar) -> Bool) -> String {
        var shown = ""
        for (count, scalar) in unicodeScalars.enumerated() {
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
