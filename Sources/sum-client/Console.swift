import Glibc
import SumCore
import Synchronization
import SystemPackage

/// What the tool says on standard error, and how it ends.
enum Console {
    static let standardInputIsTerminal = isatty(STDIN_FILENO) != 0

    /// Whether the terminal's last line is a progress line, which the next line has to clear.
    private static let showsProgress = Mutex(false)

    /// Writes one line, with the tool's name before it, and what could move a terminal escaped. A standard error that is
    /// closed is no error.
    static func say(_ text: String) {
        write("sum-client: \(text.escapedWhole)\n", showsProgress: false)
    }

    /// Shows a line that the next one takes the place of, as much of it as the terminal is wide.
    static func showProgress(_ line: String) {
        // The last column stays free: some terminals begin a new line when it is written to.
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
    /// The answer to a health check was another than SERVING.
    static let notServing = Self(rawValue: 1)
    static let badNumber = Self(rawValue: 2)
    static let usage = Self(rawValue: 64)
    static let interrupted = Self(rawValue: 130)

    /// 64 plus the code; a code that gRPC does not know counts as UNKNOWN (grpc/doc/statuscodes.md).
    static func failedCall(_ code: GRPCStatus.Code) -> Self {
        let number = (1...16).contains(code.rawValue) ? code.rawValue : GRPCStatus.Code.unknown.rawValue
        return Self(rawValue: 64 + Int32(number))
    }
}
