internal import Glibc

/// The environment of the process.
package enum Environment {
    /// A variable that is set and not empty.
    package static func value(_ name: String) -> String? {
        // Sound because the text is copied at once. A program that changes its environment meanwhile breaks getenv(3) for
        // all its threads.
        guard let value = unsafe getenv(name).map({ unsafe String(cString: $0) }), !value.isEmpty else {
            return nil
        }
        return value
    }
}
