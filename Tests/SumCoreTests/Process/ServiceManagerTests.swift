import Foundation
import Testing

@testable import SumCore

@Suite struct ServiceManagerTests {
    /// A datagram socket in place of a service manager.
    private final class Manager {
        let path: String
        private let descriptor: Int32

        /// - Parameter name: the socket's path; `@` begins an abstract name.
        init(_ name: String) throws {
            path = name
            descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            var bytes = Array(name.utf8)
            if bytes.first == UInt8(ascii: "@") { bytes[0] = 0 }
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
            let length = socklen_t(2 + bytes.count)
            let result = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
            }
            try #require(result == 0)
        }

        deinit {
            close(descriptor)
            if path.hasPrefix("/") { unlink(path) }
        }

        func receive() -> String {
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = recv(descriptor, &buffer, buffer.count, 0)
            return String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self)
        }
    }

    @Test("Messages arrive, one datagram each time", arguments: [true, false])
    func messages(_ isAbstract: Bool) throws {
        let name = "sum-\(UUID().uuidString.prefix(8))"
        let directory = FileManager.default.temporaryDirectory.path
        let manager = try Manager(isAbstract ? "@\(name)" : "\(directory)/\(name)")
        let notifier = try #require(ServiceManager(socket: manager.path, watchdogTimeout: nil))
        notifier.tell(.ready, .status("serving on [::]:50051"))
        #expect(manager.receive() == "READY=1\nSTATUS=serving on [::]:50051")
        notifier.tell(.stopping(within: .seconds(30)), .status("a\nREADY=1"))
        #expect(manager.receive() == "STOPPING=1\nEXTEND_TIMEOUT_USEC=30000000\nSTATUS=a\\nREADY=1")
        notifier.tell(.alive)
        #expect(manager.receive() == "WATCHDOG=1")
        notifier.tell(.reloading)
        let reloading = manager.receive()
        let prefix = "RELOADING=1\nMONOTONIC_USEC="
        #expect(reloading.hasPrefix(prefix))
        #expect(Int64(reloading.dropFirst(prefix.count)) ?? 0 > 0)
    }

    @Test("A manager that does not read, or is gone, holds nothing up")
    func deadManager() throws {
        let manager = try Manager("@sum-\(UUID().uuidString.prefix(8))")
        let notifier = try #require(ServiceManager(socket: manager.path, watchdogTimeout: nil))
        for _ in 0..<10_000 { notifier.tell(.alive) }
        #expect(manager.receive() == "WATCHDOG=1")
        let gone = try #require(ServiceManager(socket: "/nowhere", watchdogTimeout: nil))
        gone.tell(.ready)
    }

    @Test(
        "Sockets of other kinds are left alone",
        arguments: ["", "vsock:2:1234", "relative", "/\(String(repeating: "x", count: 200))"])
    func others(_ path: String) {
        #expect(ServiceManager(socket: path, watchdogTimeout: nil) == nil)
    }

    @Test(
        "The watchdog is the one that is meant for this process",
        arguments: [
            ("30000000", nil, 30), ("30000000", "7", 30), ("30000000", "8", nil), ("0", nil, nil),
            ("x", nil, nil),
            (nil, "7", nil),
        ] as [(String?, String?, Int?)])
    func watchdog(_ microseconds: String?, _ id: String?, _ seconds: Int?) {
        let values = ["WATCHDOG_USEC": microseconds, "WATCHDOG_PID": id]
        let timeout = ServiceManager.watchdogTimeout({ values[$0] ?? nil }, processID: 7)
        #expect(timeout == seconds.map { .seconds($0) })
    }
}
