import SumCore

/// One run of the tool: connect, stream the input, receive the sum.
protocol Run: Sendable {
    /// Numbers queued for sending so far.
    var numbersSent: Int { get }
    /// Performs the run. Called once.
    func outcome() async -> Result<RunOutcome, RunFailure>
    /// Ends the run; its calls are cancelled on the wire.
    func interrupt()
}

/// What a run is about.
struct RunPlan: Sendable {
    /// The servers as they were given; one at least.
    var targets: [Target]
    var configuration: GRPCClient.Configuration
    var options: GRPCCallOptions
    var numbers: [Int32]
    var inputs: [Input]
    /// Receives a description of each step, for `--verbose`.
    var narrate: @Sendable (String) -> Void

    /// All of them as one.
    var target: Target { Target(anyOf: targets) ?? .default }
}

struct RunOutcome: Sendable {
    var sum: Int32
    var count: Int
    var elapsed: Duration
    /// The part of each server in a run over several; nil for a run of one call.
    var shares: [ServerShare]?

    /// The outcome as a JSON object (RFC 8259).
    var json: String {
        var members = ["\"sum\":\(sum)", "\"numbers\":\(count)", "\"seconds\":\(elapsed / .seconds(1))"]
        if let shares {
            members.append("\"calls\":\(shares.map(\.calls).reduce(0, +))")
            members.append("\"servers\":[\(shares.map(\.json).joined(separator: ","))]")
        }
        return "{\(members.joined(separator: ","))}"
    }
}

/// What one server has added.
struct ServerShare: Equatable, Sendable {
    var address: String
    var numbers = 0
    var calls = 0

    fileprivate var json: String {
        // An address may be a path, with any characters.
        "{\"address\":\(address.jsonString),\"numbers\":\(numbers),\"calls\":\(calls)}"
    }
}

extension String {
    /// The text as a string of JSON (RFC 8259 section 7).
    fileprivate var jsonString: String {
        unicodeScalars.reduce(into: "\"") { text, scalar in
            switch scalar {
            case "\"", "\\": text += "\\\(scalar)"
            case "\u{0}"..."\u{1f}":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        } + "\""
    }
}

enum RunFailure: Error {
    case input(InputError)
    case call(GRPCStatus)
    case interrupted

    /// The failure for whatever a step of a run throws.
    init(_ error: any Error) {
        switch error {
        case let status as GRPCStatus: self = .call(status)
        case let error as InputError: self = .input(error)
        case let failure as RunFailure: self = failure
        default: self = .input(.io("\(error)"))
        }
    }
}
