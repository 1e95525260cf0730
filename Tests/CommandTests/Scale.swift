import Foundation

/// How much of an attack a test makes: as much as shows it, or under `make stress` as much as an attacker would.
enum Scale {
    static let isFull = ProcessInfo.processInfo.environment["SUM_STRESS"] != nil

    static func count(_ short: Int, full: Int) -> Int { isFull ? full : short }
}
