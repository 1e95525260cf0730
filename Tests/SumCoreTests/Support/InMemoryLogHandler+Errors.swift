import InMemoryLogging
import Logging

extension InMemoryLogHandler {
    /// The errors of connections, at any level.
    var errors: [String] {
        entries.compactMap { $0.metadata["error"].map { "\($0)" } }
    }

    /// What an operator sees: the lines at `info` and above, by the errors in them.
    var operatorLines: [String] {
        entries.filter { $0.level >= .info }.map { "\($0.metadata["error"] ?? "\($0.message)")" }
    }
}
