import Glibc
import SumCore
import Synchronization
import SystemPackage

/// Standard error, and the end of the process.
enum Console {
    static let standardInputIsTerminal = isatty(STDIN_FILENO) != 0

    /// Whether the terminal's last line is a progress line, which the next output must clear.
    private static let showsProgress = Mutex(false)

    /// Writes one line, prefixed with the tool's name, with everything unprintable escaped. Ignores errors, such as
    /// that of a closed standard error.
    static func say(_ text: String) {
        write("sum-client: \(text.escapedWhole)\n", showsProgress: false)
    }

    /// Shows a progress line, cut to the width of the terminal, which the next output replaces.
    static func showProgress(_ line: String) {
        // Leaves the last column free: some terminals start a new line when it is written to.
        write(String(line.prefix(max(Terminal.width - 1, 0))), showsProgress: true)
    }

    static func clearProgress() {
        write("", showsProgress: false)
    }

    private static func write(_ text: String, showsProgress next: Bool) {
        showsProgress.withLock { isShown in
            let text = (isShown || next ? Terminal.clearLine : "") + text
            try? FileDescriptor.standardError.writeAllWaiting(text)
            isShown = next
        }
    }

    static func quit(_ code: ExitStatus) -> Never {
        exit(code.rawValue)
    }
}

/// The exit codes of sum-client.
struct ExitStatus: RawRepresentable, Equatable, Sendable {
    var rawValue: Int32

    static let success = Self(rawValue: 0)
    static let ioError = Self(rawValue: 1)
    /// The health check returned a status other than SERVING.
    static let notServing = Self(rawValue: 1)
    static let badNumber = Self(rawValue: 2)
    static let usage = Self(rawValue: 64)
    static let interrupted = Self(rawValue: 130)

    /// 64 plus the code; a code outside 1 to 16 counts as UNKNOWN (grpc/doc/statuscodes.md).
    static func failedCall(_ code: GRPCStatus.Code) -> Self {
        let number = (1...16).contains(code.rawValue) ? code.rawValue : GRPCStatus.Code.unknown.rawValue
        return Self(rawValue: 64 + Int32(number))
    }
}
