/// Escaping of foreign text for logs and terminals: the result is on one line, and cannot move a cursor.
extension String {
    /// The Unicode scalars of a text that are shown at most.
    package static let displayLimit = 256

    /// The text with everything unprintable escaped, cut at `displayLimit`.
    package var escapedForDisplay: String {
        escaped(limit: Self.displayLimit, \.isPrintable)
    }

    /// The whole text with everything unprintable escaped. For messages that quote the user, whose file names may be
    /// long.
    package var escapedWhole: String {
        escaped(limit: .max, \.isPrintable)
    }

    /// The text with everything unprintable or not ASCII escaped, cut at `displayLimit`. For a word where a number was
    /// expected: its characters may only look like digits, a minus or a space.
    package var escapedToASCII: String {
        escaped(limit: Self.displayLimit) { $0.isASCII && $0.isPrintable }
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

}

extension Unicode.Scalar {
    /// Whether it is shown, and neither moves a cursor nor changes how its neighbours are shown.
    package var isPrintable: Bool {
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
            false
        default:
            true
        }
    }
}
