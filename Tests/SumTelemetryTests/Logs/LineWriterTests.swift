import Foundation
import SystemPackage
import Testing

@testable import SumTelemetry

@Suite(.timeLimit(.minutes(10))) struct LineWriterTests {
    private let pipe = Pipe()

    private func writer() -> LineWriter {
        LineWriter(FileDescriptor(rawValue: pipe.fileHandleForWriting.fileDescriptor))
    }

    @Test("Lines of text and of bytes arrive in their order, whole")
    func order() async throws {
        let (writer, reading) = (writer(), pipe.reading())
        let expected = (0..<2000).map { "line \($0) \(String(repeating: "x", count: $0 % 97))" }
        for (number, line) in expected.enumerated() {
            if number.isMultiple(of: 2) {
                writer.write("\(line)\n")
            } else {
                writer.append { bytes, lost in
                    #expect(lost == 0)
                    bytes += "\(line)\n".utf8
                }
            }
        }
        writer.drain()
        try pipe.fileHandleForWriting.close()
        #expect(await reading.value.split(separator: "\n").map(String.init) == expected)
    }

    @Test(
        "audit-S4: a reader that has stopped blocks nobody, and the lines it has missed are counted once",
        arguments: [false, true])
    func stuck(_ usesBytes: Bool) async throws {
        let writer = writer()
        let line = String(repeating: "x", count: 99)
        // More than three times what may wait and what the pipe takes.
        let count = 10_000
        for number in 0..<count {
            if usesBytes {
                writer.append { bytes, lost in bytes += "\(number) \(lost) \(line)\n".utf8 }
            } else {
                let lost = writer.takeLost()
                writer.write("\(number) \(lost) \(line)\n", lostBefore: lost)
            }
        }
        let reading = pipe.reading()
        writer.drain()
        let unreported = writer.takeLost()
        try pipe.fileHandleForWriting.close()
        let lines = await reading.value.split(separator: "\n")
        let reported = lines.map { Int($0.split(separator: " ")[1]) ?? 0 }.reduce(0, +)
        #expect(lines.allSatisfy { $0.hasSuffix(line) })
        #expect(lines.count + reported + unreported == count)
        // The last line may have found a place, and reported them all.
        #expect(reported + unreported > 0)
    }

    @Test("Lines that cannot be written are lost, with the lost lines that they report")
    func broken() {
        let writer = LineWriter(FileDescriptor(rawValue: -1))
        writer.write("a\n", lostBefore: 3)
        writer.drain()
        writer.write("b\n")
        writer.drain()
        #expect(writer.takeLost() == 5)
        #expect(writer.takeLost() == 0)
    }

    @Test("A line that is longer than a write is written")
    func long() async throws {
        let (writer, reading) = (writer(), pipe.reading())
        let long = String(repeating: "y", count: 100_000)
        for line in ["a", long, "b"] { writer.write("\(line)\n") }
        writer.drain()
        try pipe.fileHandleForWriting.close()
        #expect(await reading.value == "a\n\(long)\nb\n")
    }

    // MARK: systemd's journal

    @Test("The journal is known by the device and inode of its stream")
    func journal() throws {
        let descriptor = FileDescriptor(rawValue: pipe.fileHandleForWriting.fileDescriptor)
        var status = stat()
        try #require(fstat(descriptor.rawValue, &status) == 0)
        let stream = "\(status.st_dev):\(status.st_ino)"
        #expect(JournalPriority.isJournal(descriptor, stream: stream))
        for other in [nil, "", ":", "1:2", "\(stream)0", " \(stream)", "\(status.st_ino):\(status.st_dev)"] {
            #expect(!JournalPriority.isJournal(descriptor, stream: other))
        }
        #expect(!JournalPriority.isJournal(FileDescriptor(rawValue: -1), stream: stream))
    }
}
