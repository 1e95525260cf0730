import Foundation
import Logging
import SystemPackage
import Testing

@testable import SumTelemetry

@Suite(.timeLimit(.minutes(10))) struct LineLogHandlerTests {
    /// The lines that `log` leads to.
    private func lines(
        _ format: LogFormat, provider: Logger.MetadataProvider? = nil, _ log: (inout Logger) -> Void
    ) throws -> [String] {
        let pipe = Pipe()
        let writer = LineWriter(FileDescriptor(rawValue: pipe.fileHandleForWriting.fileDescriptor))
        var logger = Logger(label: "test") { label in
            var handler = LineLogHandler(label: label, writer: writer, format: format)
            handler.metadataProvider = provider
            return handler
        }
        logger.logLevel = .trace
        log(&logger)
        writer.drain()
        try pipe.fileHandleForWriting.close()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        #expect(text.hasSuffix("\n"))
        return text.split(separator: "\n").map(String.init)
    }

    @Test("A line of JSON has its keys in a fixed order, and numbers as numbers")
    func golden() throws {
        let lines = try lines(.json) { logger in
            logger[metadataKey: "z"] = "always"
            logger.info("listening", metadata: ["b": .stringConvertible(5), "a": "x\"y\u{1b}"])
            logger.error(
                "no",
                metadata: [
                    "list": .array(["1", .stringConvertible(2.5)]), "none": .array([]),
                    "inner": .dictionary(["k": .stringConvertible(true), "j": "v"]), "ts": "mine",
                ])
        }
        #expect(lines.allSatisfy { $0.hasPrefix(#"{"ts":"2"#) })
        #expect(
            lines.map { $0.dropFirst(#"{"ts":"2025-11-25T15:43:32.364Z","#.count) } == [
                #""level":"info","logger":"test","msg":"listening","a":"x\"y\u001b","b":5,"z":"always"}"#,
                #""level":"error","logger":"test","msg":"no","inner":{"j":"v","k":true},"list":["1",2.5],"none":[],"ts_":"mine","z":"always"}"#,
            ])
    }

    @Test("What a provider has is in the line, and what the line has itself comes first")
    func provider() throws {
        let provider = Logger.MetadataProvider { ["a": "provided", "b": "provided"] }
        let lines = try lines(.json, provider: provider) { logger in
            logger[metadataKey: "b"] = "logger"
            logger[metadataKey: "c"] = "logger"
            logger.warning("x", metadata: ["a": "line"])
        }
        #expect(lines[0].hasSuffix(#""msg":"x","a":"line","b":"provided","c":"logger"}"#))
    }

    @Test("A line of text is one line too")
    func text() throws {
        let lines = try lines(.text) { $0.info("hello", metadata: ["b": "1 2", "a": .stringConvertible(3)]) }
        #expect(lines.count == 1)
        #expect(lines[0].hasSuffix(#" info test: a=3 b="1 2" [SumTelemetryTests] hello"#))
    }

    @Test("The last line of a program is in the format of the log", arguments: LogFormat.allCases)
    func lastLine(_ format: LogFormat) throws {
        let writer = LineWriter(FileDescriptor(rawValue: -1))
        let line = LineLogHandler.lastLine("it \"broke\"", label: "tool", format: format, writer: writer)
        switch format {
        case .text: #expect(line == "tool: it \"broke\"\n")
        case .json:
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String]
            #expect(object?["msg"] == "it \"broke\"")
            #expect(object?["level"] == "critical")
        }
    }

    @Test(
        "audit-S7: an ambiguous value in a log line is quoted",
        arguments: [
            ("", "\"\""), ("abc", "abc"), ("127.0.0.1:5", "127.0.0.1:5"), ("a b", "\"a b\""),
            ("/x=status=OK", "\"/x=status=OK\""), ("a\"b", "\"a\\\"b\""), ("\\u{1b}", "\\u{1b}"),
            ("\\ \"", "\"\\\\ \\\"\""), ("ä", "ä"), ("a\u{a0}status=OK", "\"a\u{a0}status=OK\""),
        ])
    func quoted(_ value: String, _ expected: String) {
        #expect(LineLogHandler.quoted(value) == expected)
    }
}
