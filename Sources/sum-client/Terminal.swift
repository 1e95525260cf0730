import Glibc
import SumCore
import SystemPackage

/// Standard error as a terminal.
enum Terminal {
    /// Whether standard error is a terminal that can clear a line. One that is dumb or unknown gets plain lines only.
    static let canClearLines = isatty(STDERR_FILENO) != 0 && canClearLines(Environment.value("TERM"))

    /// - Parameter kind: the value of TERM.
    static func canClearLines(_ kind: String?) -> Bool {
        kind != nil && kind != "" && kind != "dumb"
    }

    /// Moves to the start of the line and clears it (ECMA-48, EL).
    static let clearLine = "\r\u{1B}[K"

    /// The current width in columns; 80 if neither the terminal nor COLUMNS tells.
    static var width: Int {
        var size = winsize()
        // Sound: the request fills in a winsize (ioctl_tty(2)).
        if unsafe ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
            return Int(size.ws_col)
        }
        return Environment.value("COLUMNS").flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil } ?? 80
    }
}
