import Foundation

/// A way to test code with arbitrary bytes.
public struct FuzzTarget: Sendable, CustomStringConvertible {
    /// The name; inputs with findings are in `Corpus/NAME`.
    public let name: String
    /// Inputs to begin with.
    public let seeds: [[UInt8]]
    private let body: @Sendable ([UInt8]) throws -> Void

    init(_ name: String, seeds: [[UInt8]], _ body: @escaping @Sendable ([UInt8]) throws -> Void) {
        self.name = name
        self.seeds = seeds
        self.body = body
    }

    /// - Throws: `Finding` if a property does not hold.
    public func run(_ input: [UInt8]) throws {
        try body(input)
    }

    public var description: String { name }

    public static let all = [deframer, numbers, server, client, text]
}

/// A property that does not hold.
public struct Finding: Error, CustomStringConvertible {
    public var description: String
}

func require(_ condition: Bool, _ claim: @autoclosure () -> String) throws(Finding) {
    guard condition else { throw Finding(description: claim()) }
}

// MARK: For libFuzzer

extension FuzzTarget {
    /// The one that the environment names.
    public static let chosen: FuzzTarget = {
        let name = ProcessInfo.processInfo.environment["FUZZ_TARGET"]
        guard let target = all.first(where: { $0.name == name }) else {
            fatalError("FUZZ_TARGET is to be one of \(all)")
        }
        return target
    }()

    /// Runs an input that libFuzzer lends. A finding ends the process, which is how libFuzzer learns of it.
    public func run(_ bytes: UnsafePointer<UInt8>?, _ count: Int) {
        do {
            try run(Array(UnsafeBufferPointer(start: bytes, count: count)))
        } catch {
            fatalError("\(name): \(error)")
        }
    }

    /// Writes the seeds to the directory that the environment names, if it does.
    public func writeSeeds() {
        guard let directory = ProcessInfo.processInfo.environment["FUZZ_SEEDS"] else { return }
        for (number, seed) in seeds.enumerated() {
            try? Data(seed).write(to: URL(filePath: directory).appending(path: "seed-\(number)"))
        }
    }
}
