import NIOCore
import SwiftProtobuf
import Testing

@testable import SumCore

@Suite struct CutNumberTests {
    private func cutNumber(_ bytes: [UInt8]) -> CutNumber? { CutNumber(bytes.span.bytes) }

    private func add(_ cut: CutNumber, followedBy bytes: [UInt8], to decoder: inout NumberDecoder) -> Int? {
        decoder.add(cut, followedBy: bytes.span.bytes)
    }

    @Test("grpc-R6: a number is added wherever its message is cut, and not before its end has arrived")
    func everyCut() throws {
        for number in Numbers.edges {
            let bytes = Numbers.encode([number])
            for length in 1..<bytes.count {
                let cut = try #require(cutNumber(Array(bytes[..<length])))
                #expect(cut.count == length)
                #expect([UInt8](ByteBuffer(ShortMessage(cut)).readableBytesView) == Array(bytes[..<length]))
                for end in length...bytes.count {
                    var decoder = NumberDecoder()
                    let added = add(cut, followedBy: Array(bytes[length..<end]), to: &decoder)
                    #expect(added == (end == bytes.count ? end - length : nil))
                    #expect(decoder.sum == (end == bytes.count ? Int128(number) : 0))
                    #expect(decoder.count == (end == bytes.count ? 1 : 0))
                }
            }
        }
    }

    @Test("grpc-R6: what follows a number in its last bytes is left, whatever it is")
    func whatFollows() throws {
        for number in Numbers.edges {
            let bytes = Numbers.encode([number])
            for length in 1..<bytes.count {
                for rest in [[0], [0xff], Array(repeating: 0xff, count: 40)] as [[UInt8]] {
                    let cut = try #require(cutNumber(Array(bytes[..<length])))
                    var decoder = NumberDecoder()
                    let added = add(cut, followedBy: Array(bytes[length...]) + rest, to: &decoder)
                    #expect(added == bytes.count - length)
                    #expect(decoder.sum == Int128(number))
                }
            }
        }
    }

    @Test(
        "abuse-F2: what is whole, or cannot be a number as it is usually encoded, is no cut number",
        arguments: [
            [], [1], [0, 1], [0, 0, 0, 1], [0, 0, 0, 0, 0], [0, 0, 0, 0, 2, 8, 1], [0, 0, 0, 0, 12],
            [0, 0, 0, 0, 255, 8], [0, 0, 0, 0, 12, 8, 1, 2, 3, 4, 5, 6, 7], [0, 0, 0, 0, 0, 0],
            Array(repeating: 0, count: 16),
        ] as [[UInt8]])
    func noBeginning(_ bytes: [UInt8]) {
        #expect(cutNumber(bytes) == nil)
    }

    @Test("abuse-F2: a message of any bytes is taken or refused the same way, cut or whole")
    func changedBits() {
        for number in Numbers.edges {
            let bytes = Numbers.encode([number])
            for bit in 0..<(bytes.count * 8) {
                var changed = bytes
                changed[bit / 8] ^= 1 << (bit % 8)
                let whole = Result { try Numbers.sum([changed], overflow: .wrap) }
                for cut in 1..<changed.count {
                    let pieces = [Array(changed[..<cut]), Array(changed[cut...])]
                    let inPieces = Result { try Numbers.sum(pieces, overflow: .wrap) }
                    #expect((try? inPieces.get()) == (try? whole.get()), "\(pieces)")
                }
            }
        }
    }

    @Test("A number that is cut is not left to swift-protobuf, which would cost turns")
    func budget() {
        let bytes = Numbers.encode([-1, 300])
        for cut in 0...bytes.count {
            let handler = SumNumbersHandler(overflow: .error, context: .sample())
            var budget = TurnBudget(1000)
            for piece in [bytes[..<cut], bytes[cut...]] {
                var piece = ByteBuffer(bytes: piece)
                _ = handler.receive(&piece, within: &budget)
            }
            #expect(budget.left == 1000)
            #expect(handler.decoder.count == 2)
        }
    }

    @Test("grpc-R6: a stream that ends within a number says after how many bytes of it")
    func endWithin() {
        let bytes = Numbers.encode([1, 300])
        for end in 8..<bytes.count {
            for cut in 0...end {
                let error = #expect(throws: GRPCStatus.self) {
                    try Numbers.sum([Array(bytes[..<cut]), Array(bytes[cut..<end])])
                }
                #expect(error?.message == "the stream ended within a message, after \(end - 7) bytes of it")
            }
        }
    }
}
