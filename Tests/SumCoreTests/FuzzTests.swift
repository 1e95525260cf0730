import Foundation
import FuzzTargets
import Testing

/// The fuzz targets (`make fuzz`) with fixed inputs.
@Suite struct FuzzTests {
    /// The inputs with which faults were found, each named after its fault.
    private static let corpus = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../Fuzzing/Corpus").standardizedFileURL

    @Test(
        "abuse-F1, abuse-F2, abuse-F3, abuse-F4, abuse-F5: the seed inputs",
        arguments: FuzzTarget.all)
    func seeds(_ target: FuzzTarget) {
        for (number, seed) in target.seeds.enumerated() {
            #expect(throws: Never.self, "seed \(number)") { try target.run(seed) }
        }
    }

    @Test(
        "abuse-F1, abuse-F2, abuse-F3, abuse-F4, abuse-F5: the inputs with which fuzzing has found faults",
        arguments: FuzzTarget.all)
    func found(_ target: FuzzTarget) throws {
        let directory = Self.corpus.appending(path: target.name)
        let files = try? FileManager.default.contentsOfDirectory(
            at: directory, includingPropertiesForKeys: nil)
        for file in files ?? [] {
            let input = [UInt8](try Data(contentsOf: file))
            #expect(throws: Never.self, "\(file.lastPathComponent)") { try target.run(input) }
        }
    }

    @Test(
        "abuse-F1, abuse-F2, abuse-F3, abuse-F4, abuse-F5: mutated seed inputs",
        arguments: FuzzTarget.all)
    func mutations(_ target: FuzzTarget) {
        var mutator = Mutator()
        for _ in 0..<500 {
            let input = mutator.input(from: target.seeds)
            #expect(throws: Never.self, "\(input)") { try target.run(input) }
        }
    }
}

/// Changes bytes, the same in every run.
private struct Mutator: RandomNumberGenerator {
    private var state: UInt64 = 1

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 29
    }

    mutating func input(from seeds: [[UInt8]]) -> [UInt8] {
        var input = seeds.randomElement(using: &self) ?? []
        for _ in 0..<Int.random(in: 1...4, using: &self) {
            let place = Int.random(in: 0...input.count, using: &self)
            switch Int.random(in: 0..<4, using: &self) {
            case 0: input.insert(UInt8.random(in: 0...255, using: &self), at: place)
            case 1 where place < input.count: input.remove(at: place)
            case 2 where place < input.count: input[place] ^= 1 << UInt8.random(in: 0..<8, using: &self)
            default: input = Array(input[..<place]) + (seeds.randomElement(using: &self) ?? []).dropFirst(3)
            }
        }
        return input
    }
}
