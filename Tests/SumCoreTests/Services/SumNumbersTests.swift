import NIOCore
import Testing

@testable import SumCore

@Suite struct SumNumbersTests {
    private func sum(_ messages: [[UInt8]], overflow: SumNumbers.Overflow = .error) throws -> Int32 {
        let stream = messages.reduce(into: ByteBuffer()) { $0.writeMessage($1) }
        return try Numbers.sum([[UInt8](stream.readableBytesView)], overflow: overflow)
    }

    private func sum(of numbers: [Int32], overflow: SumNumbers.Overflow = .error) throws -> Int32 {
        try Numbers.sum([Numbers.encode(numbers)], overflow: overflow)
    }

    @Test("abuse-G1, abuse-G2, grpc-R11, grpc-N1: no messages, and messages without the field")
    func zeros() throws {
        #expect(try sum([]) == 0)
        #expect(try sum([[], [], [8, 0]]) == 0)
    }

    @Test(
        "abuse-P1, abuse-P2, abuse-P3, abuse-P4, abuse-P5, abuse-P6, grpc-N1: encodings that protobuf allows",
        arguments: [
            ([0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], -1),
            ([0x08, 0xff, 0xff, 0xff, 0xff, 0x0f], -1),
            ([0x08, 0x87, 0x80, 0x80, 0x80, 0x10], 7),
            ([0x08, 1, 0x08, 2], 2),
            ([0x10, 5, 0x08, 3], 3),
            ([0x11, 1, 2, 3, 4, 5, 6, 7, 8, 0x08, 4], 4),
            ([0x12, 2, 1, 2, 0x08, 5], 5),
            ([0x15, 1, 2, 3, 4, 0x08, 6], 6),
            ([0x13, 0x18, 1, 0x14, 0x08, 7], 7),
            ([0x0a, 1, 9], 0),
        ] as [([UInt8], Int32)])
    func valid(_ message: [UInt8], _ number: Int32) throws {
        #expect(try sum([message, [8, 100]]) == number + 100)
    }

    @Test(
        "grpc-S10, abuse-P2, abuse-P6, abuse-P7, grpc-N1: encodings that protobuf does not allow",
        arguments: [
            [0x08] + Array(repeating: 0xff, count: 10) + [0x01], [0x08, 0x80], [0x0e], [0x0f], [0x00, 1],
            [0x08],
            [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], [0x0a, 5, 1],
        ] as [[UInt8]])
    func invalid(_ message: [UInt8]) {
        let error = #expect(throws: GRPCStatus.self) { try sum([[8, 1], message]) }
        #expect(error?.code == .internalError)
    }

    @Test("grpc-S11, abuse-G8, abuse-G9: a stream that ends within a message has no sum", arguments: 1...6)
    func cutShort(_ count: Int) {
        let error = #expect(throws: GRPCStatus.self) {
            try Numbers.sum([
                Numbers.encode([1, 2]) + [0, 0, 0, 0, 2, 8, 1].prefix(count)
            ])
        }
        #expect(error?.code == .internalError)
    }

    @Test("abuse-P8, grpc-N2: a sum that does not fit int32 is an error with the exact sum")
    func overflow() throws {
        for (numbers, exact) in [([.max, 1], 2_147_483_648), ([.min, -1, 0], -2_147_483_649)]
            as [([Int32], Int128)]
        {
            let error = #expect(throws: GRPCStatus.self) { try sum(of: numbers) }
            #expect(error?.code == .outOfRange)
            #expect(error?.message == "the sum \(exact) of \(numbers.count) numbers does not fit int32")
            let info = GRPCErrorInfo(
                reason: "SUM_OUT_OF_RANGE", domain: "tutorial.NumberService",
                metadata: ["sum": "\(exact)", "numbers": "\(numbers.count)"])
            #expect(error?.errorInfo == info)
            #expect(
                error.flatMap(SumNumbers.OutOfRange.init)
                    == SumNumbers.OutOfRange(sum: exact, count: Int64(numbers.count)))
        }
        #expect(try sum(of: [.max, 1], overflow: .wrap) == .min)
    }

    @Test(
        "grpc-N4: a sum beyond int32 is taken only from a status that states it without contradiction",
        arguments: [
            (.outOfRange, "SUM_OUT_OF_RANGE", "tutorial.NumberService", "2147483648", "2", true),
            (.outOfRange, "SUM_OUT_OF_RANGE", "tutorial.NumberService", "-4294967296", "2", true),
            (.outOfRange, "SUM_OUT_OF_RANGE", "tutorial.NumberService", "-4294967297", "2", false),
            (.outOfRange, "SUM_OUT_OF_RANGE", "tutorial.NumberService", "4294967295", "2", false),
            (.outOfRange, "SUM_OUT_OF_RANGE", "tutorial.NumberService", "2147483647", "2", false),
            (.outOfRange, "SUM_OUT_OF_RANGE", "tutorial.NumberService", "2147483648", "0", false),
            (.outOfRange, "SUM_OUT_OF_RANGE", "tutorial.NumberService", "2147483648", "-2", false),
            (.outOfRange, "SUM_OUT_OF_RANGE", "tutorial.NumberService", "2147483648", nil, false),
            (.outOfRange, "SUM_OUT_OF_RANGE", "tutorial.NumberService", "2e10", "9", false),
            (.outOfRange, "SUM_OUT_OF_RANGE", "tutorial.NumberService", "", "9", false),
            (
                .outOfRange, "SUM_OUT_OF_RANGE", "tutorial.NumberService",
                "999999999999999999999999999999999999999", "9", false
            ),
            (.outOfRange, "SUM_OUT_OF_RANGE", "other.Service", "2147483648", "2", false),
            (.outOfRange, "OTHER", "tutorial.NumberService", "2147483648", "2", false),
            (.internalError, "SUM_OUT_OF_RANGE", "tutorial.NumberService", "2147483648", "2", false),
        ] as [(GRPCStatus.Code, String, String, String, String?, Bool)])
    func statedSum(
        _ code: GRPCStatus.Code, _ reason: String, _ domain: String, _ sum: String, _ count: String?,
        _ isValid: Bool
    ) {
        var info = GRPCErrorInfo(reason: reason, domain: domain, metadata: ["sum": sum])
        info.metadata["numbers"] = count
        let found = SumNumbers.OutOfRange(GRPCStatus(code: code, errorInfo: info))
        #expect((found != nil) == isValid)
        #expect(found == nil || found?.sum == Int128(sum))
    }

    @Test("abuse-P8, grpc-N2: a larger sum on the way is fine")
    func passingThrough() throws {
        let numbers =
            Array(repeating: Int32.max, count: 100_000) + Array(repeating: -Int32.max, count: 99_999)
        #expect(try sum(of: numbers) == .max)
    }

    @Test("grpc-S9, abuse-G4: a message over the limit")
    func tooLong() {
        let error = #expect(throws: GRPCStatus.self) { try sum([Array(repeating: 0, count: 1001)]) }
        #expect(error?.code == .resourceExhausted)
    }
}
