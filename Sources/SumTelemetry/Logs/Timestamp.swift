import Glibc

/// A moment as logs write it, in UTC with milliseconds: `2026-01-31T00:00:00.000Z` (RFC 3339).
struct Timestamp: Sendable {
    private let seconds: Int64
    private let milliseconds: Int64

    /// - Parameter nanoseconds: since 1970.
    init(nanoseconds: UInt64 = WallClock.now) {
        let all = Int64(nanoseconds / 1_000_000)
        (seconds, milliseconds) = (all / 1000, all % 1000)
    }

    var text: String {
        var (writer, bytes) = (Writer(), [UInt8]())
        writer.append(self, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Writes moments, most of which are in the same second as the one before.
    struct Writer: Sendable {
        private let prefix: [UInt8]
        private var second: Int64?
        /// The text of that second after the prefix, with the dot.
        private var beginning: [UInt8] = []

        /// - Parameter prefix: what each moment follows.
        init(after prefix: [UInt8] = []) {
            self.prefix = prefix
        }

        mutating func append(_ time: Timestamp, to bytes: inout [UInt8]) {
            if second != time.seconds {
                second = time.seconds
                beginning = prefix
                Self.append(time.seconds, to: &beginning)
            }
            bytes += beginning
            bytes.append(digits: UInt64(time.milliseconds), atLeast: 3)
            bytes.append(UInt8(ascii: "Z"))
        }

        private static func append(_ seconds: Int64, to bytes: inout [UInt8]) {
            var (time, parts) = unsafe (time_t(seconds), tm())
            unsafe gmtime_r(&time, &parts)
            // Only the time zone's name is a pointer, and it is not used.
            let numbers: [(Int32, width: Int, mark: String)] = unsafe [
                (parts.tm_year + 1900, 4, "-"), (parts.tm_mon + 1, 2, "-"), (parts.tm_mday, 2, "T"),
                (parts.tm_hour, 2, ":"), (parts.tm_min, 2, ":"), (parts.tm_sec, 2, "."),
            ]
            for (number, width, mark) in numbers {
                bytes.append(digits: UInt64(number.magnitude), atLeast: width)
                bytes += mark.utf8
            }
        }
    }
}
