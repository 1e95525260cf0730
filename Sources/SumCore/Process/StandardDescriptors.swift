internal import SystemPackage

/// Standard input, output and error of the process.
package enum StandardDescriptors {
    /// Opens those that are closed, so that no socket gets their number and receives output that is meant for them.
    /// Reading from a closed standard input, or writing to a closed output, is still an error. Call this first in a
    /// program.
    package static func reserve() {
        // open(2) takes the lowest free number. The mode is the wrong one on purpose, so that using them is an error.
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
