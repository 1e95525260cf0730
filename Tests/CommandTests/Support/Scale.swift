import Foundation

/// How much of an attack a test makes: as much as shows it, or under `make stress` as much as an attacker would.
enum Scale {
    static let isFull = ProcessInfo.processInfo.environment["SUM_STRESS"] != nil

    /// Whether sanitizers watch the tools, whose memory and time are then theirs.
    static let isSanitized = ProcessInfo.processInfo.environment["SUM_SANITIZED"] != nil

    static func count(_ short: Int, full: Int) -> Int { isFull ? full : short }
}
