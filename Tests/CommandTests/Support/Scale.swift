import Foundation

/// The scale of an attack: enough to show the effect, or under `make stress` as much as an attacker would send.
enum Scale {
    static let isFull = ProcessInfo.processInfo.environment["SUM_STRESS"] != nil

    /// Whether the tools run under sanitizers, which change their memory and time.
    static let isSanitized = ProcessInfo.processInfo.environment["SUM_SANITIZED"] != nil

    static func count(_ short: Int, full: Int) -> Int { isFull ? full : short }
}
