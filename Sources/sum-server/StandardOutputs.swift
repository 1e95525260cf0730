import Glibc
import SystemPackage

enum StandardOutputs {
    /// Lets lines for a pipe that is full be lost: whoever does not read the log does not hold up calls.
    ///
    /// A pipe that is opened again shares no flag with other processes. Files and terminals stay as they are.
    static func dropWhatNobodyReads() {
        for output in [FileDescriptor.standardOutput, .standardError] {
            let hasPosition = (try? output.seek(offset: 0, from: .current)) != nil
            let path = FilePath("/proc/self/fd/\(output.rawValue)")
            guard !hasPosition, isatty(output.rawValue) == 0,
                let again = try? FileDescriptor.open(path, .writeOnly, options: .nonBlocking)
            else { continue }
            _ = try? again.duplicate(as: output)
            try? again.close()
        }
    }
}
