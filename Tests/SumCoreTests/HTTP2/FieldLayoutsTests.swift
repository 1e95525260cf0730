import CNghttp2
import NIOCore
import Testing

@testable import SumCore

@Suite struct FieldLayoutsTests {
    private static func fields(_ number: Int) -> [HTTP2Field] {
        Sample.request + [HTTP2Field("x-number", "\(number)")]
    }

    @Test("Fields are sent as they were submitted, however many other lists come before they leave")
    func waiting() throws {
        var pair = try SessionPair()
        try pair.exchange()
        // Each list twice in a row, so that some become permanent; more lists than are kept; some come again later.
        let numbers = (0..<12).flatMap { [$0, $0] } + [3, 11, 0, 0, 11, 11, 3]
        let streams = try numbers.map {
            try pair.client.submitRequest(Self.fields($0), body: FixedBody([]))
        }
        try pair.exchange()
        for (stream, number) in zip(streams, numbers) {
            #expect(pair.serverEvents.headers(of: stream) == [Self.fields(number)])
        }
    }

    @Test("A session that ends before its frames have left does not need the layouts of another")
    func unsent() throws {
        let memory = SessionMemory()
        var sessions: [HTTP2Session] = []
        for number in 0..<3 {
            let session = try HTTP2Session(role: .client, memory: memory)
            for _ in 0..<3 { _ = try session.submitRequest(Self.fields(number), body: FixedBody([])) }
            sessions.append(session)
        }
        sessions.removeFirst()
        for (number, session) in zip(1..., sessions) {
            let server = try HTTP2Session(role: .server)
            while try session.send(limit: 1 << 20) {}
            try server.receive(session.allOutput())
            #expect(server.takeEvents().headers(of: 5) == [Self.fields(number)])
        }
    }

    @Test("Only a list that is lent twice in a row is permanent, and only a few are")
    func permanence() {
        var layouts = FieldLayouts()
        func flags(_ number: Int) -> [UInt8] {
            layouts.lend(Self.fields(number)) { pairs, count in
                UnsafeBufferPointer(start: pairs, count: count).map(\.flags)
            }
        }
        let permanent = UInt8(NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue | NGHTTP2_NV_FLAG_NO_COPY_VALUE.rawValue)
        for number in 0..<10 {
            #expect(flags(number).allSatisfy { $0 == 0 })
            #expect(flags(number).allSatisfy { $0 == (number < 8 ? permanent : 0) })
        }
        #expect(flags(7).allSatisfy { $0 == permanent })
        #expect(flags(20).allSatisfy { $0 == 0 })
    }

    @Test("Secret fields stay out of HPACK's tables, also in a permanent list")
    func secrets() {
        var layouts = FieldLayouts()
        let fields = [HTTP2Field("authorization", "Bearer t"), HTTP2Field("x", "y")]
        for _ in 0..<3 {
            let flags = layouts.lend(fields) { pairs, count in
                UnsafeBufferPointer(start: pairs, count: count).map(\.flags)
            }
            let isUnindexed = flags.map { $0 & UInt8(NGHTTP2_NV_FLAG_NO_INDEX.rawValue) != 0 }
            #expect(isUnindexed == [true, false])
        }
    }
}
