import ArgumentParser
import SumCore

/// One of the loops over numbers, alone: nanoseconds a number.
struct LoopTimes: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "loop")

    enum Loop: String, ExpressibleByArgument { case decode, encode, parse }

    /// Which numbers: all of so many digits, or of one kind.
    enum Kind: Equatable, ExpressibleByArgument {
        case digits(Int), negative, random

        init?(argument: String) {
            switch argument {
            case "negative": self = .negative
            case "random": self = .random
            default:
                guard let digits = Int(argument), (1...10).contains(digits) else { return nil }
                self = .digits(digits)
            }
        }
    }

    @Argument var loop: Loop
    @Argument(help: "1 to 10 digits, 'negative', or 'random': any int32.") var kind: Kind
    @Option var rounds = 10

    /// So many that a processor cannot learn them by heart.
    private static let count = 500_000

    func run() throws {
        var generator = SystemRandomNumberGenerator()
        let numbers = (0..<Self.count).map { _ in number(&generator) }
        let round = prepare(numbers)
        let clock = ContinuousClock()
        let times = (0..<max(rounds, 1)).map { _ in clock.measure(round).seconds }.sorted()
        print("ns_per_number \(times[times.count / 2] * 1e9 / Double(Self.count)) numbers \(Self.count)")
    }

    private func number(_ generator: inout some RandomNumberGenerator) -> Int32 {
        switch kind {
        case .negative: return Int32.random(in: .min ... -1, using: &generator)
        case .random: return Int32.random(in: .min ... .max, using: &generator)
        case .digits(let digits):
            let smallest = (1..<digits).reduce(1) { power, _ in power * 10 }
            return Int32(Int.random(in: smallest...min(smallest * 10 - 1, Int(Int32.max)), using: &generator))
        }
    }

    /// - Returns: what is measured, which checks that it has met all the numbers.
    private func prepare(_ numbers: [Int32]) -> () -> Void {
        var frames = [UInt8](repeating: 0, count: numbers.count * NumberEncoder.maxLength)
        let size = encode(numbers, into: &frames)
        switch loop {
        case .encode:
            return { precondition(encode(numbers, into: &frames) == size) }
        case .decode:
            return {
                var decoder = NumberDecoder()
                precondition(decoder.add(frames.span.bytes.extracting(..<size)) == size)
                precondition(decoder.count == numbers.count)
            }
        case .parse:
            let text = Array(numbers.map { "\($0)\n" }.joined().utf8)
            var parsed: [Int32] = []
            return {
                var parser = NumberParser()
                parsed.removeAll(keepingCapacity: true)
                precondition(
                    (try? parser.parse(text.span, into: &parsed)) != nil && parsed.count == numbers.count)
            }
        }
    }

    private func encode(_ numbers: [Int32], into frames: inout [UInt8]) -> Int {
        frames.withUnsafeMutableBytes { bytes in
            var output = OutputRawSpan(buffer: bytes, initializedCount: 0)
            _ = NumberEncoder.append(numbers.span, to: &output)
            return output.finalize(for: bytes)
        }
    }
}
