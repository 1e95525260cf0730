import Glibc
import SystemPackage

/// Standard error, if it is a terminal that understands the escape that clears a line.
enum Terminal {
    /// A terminal that is dumb, or of which nothing is known, is only written to line by line.
    static let canClearLines = isatty(STDERR_FILENO) != 0 && canClearLines(environment("TERM"))

    /// - Parameter kind: the terminal's, as TERM has it.
    static func canClearLines(_ kind: String?) -> Bool {
        kind != nil && kind != "" && kind != "dumb"
    }

    /// Goes to the beginning of the line and clears it (ECMA-48, EL).
    static let clearLine = "\r\u{1B}[K"

    /// Columns, as they are now. What is known of neither the terminal nor the shell is taken for 80.
    static var width: Int {
        var size = winsize()
        // Sound: the request fills in a winsize (ioctl_tty(2)).
        if unsafe ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
            return Int(size.ws_col)
        }
        return environment("COLUMNS").flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil } ?? 80
    }

    private static func environment(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }
}
