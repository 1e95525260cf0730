import Glibc
import SumCore
import SystemPackage

/// What the tool says on standard error, and how it ends.
enum Console {
    static let standardInputIsTerminal = isatty(STDIN_FILENO) != 0
    static let standardErrorIsTerminal = isatty(STDERR_FILENO) != 0

    /// Writes one line, with the tool's name before it. A standard error that is closed is no error.
    static func say(_ text: String) {
        _ = try? FileDescriptor.standardError.writeAll("sum-client: \(text)\n".utf8)
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
