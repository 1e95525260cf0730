internal import SystemPackage

/// Standard input, output and error of the process.
public enum StandardDescriptors {
    /// Occupies those that are closed, so that no socket takes their place and is sent what is meant for them.
    /// Writing to one that was closed stays an error. To be called first in a program.
    public static func reserve() {
        while let lowest = try? FileDescriptor.open(FilePath("/dev/null"), .readOnly) {
            guard lowest.rawValue > 2 else { continue }
            try? lowest.close()
            return
        }
    }
}
