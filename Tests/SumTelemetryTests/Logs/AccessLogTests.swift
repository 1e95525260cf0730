import Foundation
import Logging
import SystemPackage
import Testing

@testable import SumCore
@testable import SumTelemetry

@Suite(.timeLimit(.minutes(10))) struct AccessLogTests {
    private static let time = Timestamp(nanoseconds: 1_764_085_412_364_000_000)

    private static func record(
        _ status: GRPCStatus = .ok, path: String = SumNumbers.path, reachedHandler: Bool = true
    ) -> ServerCallRecord {
        ServerCallRecord(
            start: ServerCallStart(peer: Peer(address: "127.0.0.1:40312"), path: path),
            reachedHandler: reachedHandler, status: status,
            duration: .microseconds(412), timeToStatus: .microseconds(400),
            messages: MessageCounts(received: 10, sent: 1), bytesReceived: 70, bytesSent: 7,
            connectionBytesReceived: 100)
    }

    private static func line(
        _ record: ServerCallRecord, _ format: LogFormat, lost: Int = 0, notLogged: Int = 0
    ) -> String {
        let line = AccessLine(format)
        return text(of: line, record, lost: lost, notLogged: notLogged)
    }

    private static func text(
        of line: AccessLine, _ record: ServerCallRecord, lost: Int = 0, notLogged: Int = 0
    ) -> String {
        var bytes: [UInt8] = []
        line.write(record, at: time)
        line.append(to: &bytes, lost: lost, notLogged: notLogged)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("A plain call, in both formats")
    func plain() {
        let record = Self.record()
        #expect(
            Self.line(record, .json)
                == #"{"ts":"2025-11-25T15:43:32.364Z","level":"info","logger":"access","msg":"call","peer":"127.0.0.1:40312","method":"tutorial.NumberService/SumNumbers","code":"OK","numbers":10,"bytes_in":70,"bytes_out":7,"ms":0.412}"#
                + "\n")
        #expect(
            Self.line(record, .text)
                == "2025-11-25T15:43:32.364Z info access: peer=127.0.0.1:40312 method=tutorial.NumberService/SumNumbers code=OK numbers=10 bytes_in=70 bytes_out=7 ms=0.412\n"
        )
    }

    @Test("A call with everything, in both formats")
    func full() {
        var record = Self.record(
            GRPCStatus(code: .outOfRange, message: "the sum is \"too\" large"), path: "/a.B/C")
        record.start.values.peer.principal = "spiffe://example.org/adder"
        record.start.values.peer.tlsVersion = .tls13
        record.start.values.timeout = .seconds(1)
        record.start.values.userAgent = "grpc-go/1.60 x=1"
        record.trace = TraceContext(traceID: 0xab, spanID: 0xcd, flags: 1)
        #expect(
            Self.line(record, .json, lost: 2, notLogged: 3)
                == #"{"ts":"2025-11-25T15:43:32.364Z","level":"warning","logger":"access","msg":"call","peer":"127.0.0.1:40312","principal":"spiffe://example.org/adder","method":"a.B/C","code":"OUT_OF_RANGE","message":"the sum is \"too\" large","messages_in":10,"messages_out":1,"bytes_in":70,"bytes_out":7,"ms":0.412,"deadline_ms":1000.000,"tls":"TLSv1.3","user_agent":"grpc-go/1.60 x=1","trace_id":"000000000000000000000000000000ab","span_id":"00000000000000cd","lines-lost-before":2,"not-logged-before":3}"#
                + "\n")
        #expect(
            Self.line(record, .text, lost: 2, notLogged: 3)
                == "2025-11-25T15:43:32.364Z warning access: peer=127.0.0.1:40312 principal=spiffe://example.org/adder method=a.B/C code=OUT_OF_RANGE message=\"the sum is \\\"too\\\" large\" messages_in=10 messages_out=1 bytes_in=70 bytes_out=7 ms=0.412 deadline_ms=1000.000 tls=TLSv1.3 user_agent=\"grpc-go/1.60 x=1\" trace_id=000000000000000000000000000000ab span_id=00000000000000cd lines-lost-before=2 not-logged-before=3\n"
        )
    }

    @Test("A line has nothing of the call before, whatever is different", arguments: LogFormat.allCases)
    func different(_ format: LogFormat) {
        var other = Self.record()
        other.messages.received = 1_234_567
        other.bytesReceived = 0
        other.duration = .seconds(7)
        let changes: [(inout ServerCallRecord) -> Void] = [
            { _ in }, { $0.status = GRPCStatus(code: .unavailable) }, { $0.status.message = "why" },
            { $0.start.values.path = "/a.B/C" }, { $0.start.values.isHosted = false },
            { $0.start.values.peer.address = "unix:/a" },
            { $0.start.values.peer.principal = "adder" }, { $0.start.values.peer.tlsVersion = .tls12 },
            { $0.start.values.userAgent = "test/1" },
            { $0.start.values.timeout = .milliseconds(5) },
            { $0.trace = TraceContext(traceID: 1, spanID: 2, flags: 1) },
        ]
        let line = AccessLine(format)
        for change in changes {
            var changed = other
            change(&changed)
            for record in [changed, Self.record(), changed, other] {
                #expect(Self.text(of: line, record) == Self.line(record, format))
            }
        }
    }

    @Test("What a peer wrote is escaped and cut, whatever it is", arguments: LogFormat.allCases)
    func hostile(_ format: LogFormat) throws {
        let texts = [
            "\u{1b}[2J\u{7}", "a\nlevel=error", "\" code=OK \"", "\u{202e}gnp.exe", "\u{2028}{}", "=", " ",
            "\\",
            String(repeating: "\u{1b}", count: 8192), String(repeating: "é", count: 8192), "\u{0}",
            "\u{fffd}",
        ]
        for text in texts {
            var record = Self.record(GRPCStatus(code: .unimplemented, message: text), path: text)
            record.start.values.isHosted = false
            record.start.values.userAgent = text
            record.start.values.peer.principal = text
            let line = Self.line(record, format)
            #expect(line.last == "\n")
            #expect(line.dropLast().unicodeScalars.allSatisfy { $0.isPrintable })
            #expect(line.utf8.count < 500 + 4 * 256 * 8)
            switch format {
            case .json:
                let object = try #require(
                    try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
                var cut = text
                if text.unicodeScalars.count > 256 { cut = String(text.unicodeScalars.prefix(256)) + "..." }
                #expect(object["method"] as? String == cut)
                #expect(object["user_agent"] as? String == cut)
                #expect(object["code"] as? String == "UNIMPLEMENTED")
                #expect(object["bytes_in"] as? Int == 70)
            case .text:
                // Without quoted text.
                let fields = line.replacing(/"(?:[^"\\]|\\.)*"/, with: "Q").split(separator: " ")
                #expect(fields.count == 14)
                #expect(fields.filter { $0.hasPrefix("code=") } == ["code=UNIMPLEMENTED"])
            }
        }
    }

    @Test(
        "Times have three decimals, however long they are",
        arguments: [
            (.zero, "0.000"), (.nanoseconds(999), "0.000"), (.microseconds(1), "0.001"),
            (.milliseconds(12), "12.000"), (.seconds(359_999_996_400), "359999996400000.000"),
        ] as [(Duration, String)])
    func times(_ time: Duration, _ expected: String) {
        var record = Self.record()
        record.start.values.timeout = time
        #expect(Self.line(record, .text).contains(" deadline_ms=\(expected)\n"))
    }

    @Test("A call's level tells whose fault its end was")
    func levels() {
        let levels: [(Logger.Level, [GRPCStatus.Code])] = [
            (.info, [.ok, .cancelled, .notFound, .alreadyExists, .invalidArgument, .unauthenticated]),
            (
                .warning,
                [
                    .deadlineExceeded, .permissionDenied, .resourceExhausted, .failedPrecondition, .aborted,
                    .outOfRange, .unavailable,
                ]
            ),
            (.error, [.unknown, .unimplemented, .internalError, .dataLoss]),
        ]
        for (level, codes) in levels {
            for code in codes { #expect(code.logLevel == level, "\(code)") }
        }
    }

    @Test("Calls without a line are counted in the next line that is written, if the one before is lost")
    func lost() async throws {
        let pipe = Pipe()
        let writer = LineWriter(FileDescriptor(rawValue: pipe.fileHandleForWriting.fileDescriptor))
        let log = AccessLog(writer, format: .json)
        let refused = Self.record(GRPCStatus(code: .unauthenticated), reachedHandler: false)
        let connection = try #require(log.connectionOpened(refused.peer))
        // Longer than what may wait, and than what the pipe takes: until it is read, all other lines are lost.
        writer.write(String(repeating: "x", count: 1 << 20) + "\n")
        for _ in 0..<300 { connection.callEnded(refused) }
        connection.callEnded(Self.record())
        let reading = pipe.reading()
        writer.drain()
        connection.callEnded(Self.record())
        writer.drain()
        try pipe.fileHandleForWriting.close()
        let lines = await reading.value.split(separator: "\n")
        #expect(lines.count == 2)
        let line = try #require(
            try JSONSerialization.jsonObject(with: Data(lines[lines.count - 1].utf8)) as? [String: Any])
        let (lost, notLogged) = (line["lines-lost-before"] as? Int, line["not-logged-before"] as? Int)
        #expect((lost ?? 0) + (notLogged ?? 0) == 301)
        #expect((notLogged ?? 0) > 0)
    }

    @Test("Calls that reach no handler fill no log; they are counted in the next line")
    func unreached() throws {
        let pipe = Pipe()
        let writer = LineWriter(FileDescriptor(rawValue: pipe.fileHandleForWriting.fileDescriptor))
        let log = AccessLog(writer, format: .json)
        let refused = Self.record(GRPCStatus(code: .unauthenticated), reachedHandler: false)
        let connection = try #require(log.connectionOpened(refused.peer))
        for _ in 0..<300 { connection.callEnded(refused) }
        for _ in 0..<50 { connection.callEnded(Self.record()) }
        writer.drain()
        try pipe.fileHandleForWriting.close()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let objects = try text.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        let counted = objects.compactMap { $0["not-logged-before"] as? Int }.reduce(0, +)
        #expect(objects.count + counted == 350)
        #expect(objects.count >= 150)
        #expect(counted > 0)
        #expect(objects.filter { $0["code"] as? String == "OK" }.count == 50)
    }
}
