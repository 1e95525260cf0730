import Glibc
package import Logging
import SumCore
package import SystemPackage

/// The priority of a line for systemd's journal, which the line begins with: `<6>` (sd-daemon(3)).
package enum JournalPriority {
    /// Whether the journal reads what is written to a descriptor: systemd tells which it is in `JOURNAL_STREAM`
    /// (systemd.exec(5)). A program that has redirected its standard error inherits the variable all the same.
    ///
    /// - Parameter stream: the variable's value; nil if it is not set.
    package static func isJournal(
        _ descriptor: FileDescriptor, stream: String? = Environment.value("JOURNAL_STREAM")
    ) -> Bool {
        guard let stream else { return false }
        var status = stat()
        guard unsafe fstat(descriptor.rawValue, &status) == 0 else { return false }
        return stream == "\(status.st_dev):\(status.st_ino)"
    }

    /// The beginning of a line.
    package static func prefix(_ level: Logger.Level) -> String {
        switch level {
        case .trace, .debug: "<7>"
        case .info: "<6>"
        case .notice: "<5>"
        case .warning: "<4>"
        case .error: "<3>"
        case .critical: "<2>"
        }
    }
}
