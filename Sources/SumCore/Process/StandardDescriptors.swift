internal import SystemPackage

/// Standard input, output and error of the process.
public enum StandardDescriptors {
    /// Occupies those that are closed, so that no socket takes their place and is sent what is meant for them.
    /// Reading from, or writing to, one that was closed stays an error. To be called first in a program.
    public static func reserve() {
        // The lowest that is free is taken: a standard input that cannot be read, then outputs that cannot be written.
        _ = isOpen(.standardInput) ? nil : try? FileDescriptor.open(FilePath("/dev/null"), .writeOnly)
        for output in [FileDescriptor.standardOutput, .standardError] where !isOpen(output) {
            _ = try? FileDescriptor.open(FilePath("/dev/null"), .readOnly)
        }
    }

    private static func isOpen(_ descriptor: FileDescriptor) -> Bool {
        guard let copy = try? descriptor.duplicate() else { return false }
        try? copy.close()
        return true
    }
}
