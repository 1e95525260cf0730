import SumCore
import Testing

@testable import sum_server

@Suite struct ListenRequestTests {
    private static func socket(_ descriptor: CInt, _ name: String, isUnix: Bool = false) -> ActivatedSocket {
        ActivatedSocket(descriptor: descriptor, name: name, isUnix: isUnix)
    }

    private static let grpc = socket(3, "grpc")
    private static let local = socket(4, "local", isUnix: true)
    private static let metrics = socket(5, "metrics")

    private static func inherited(_ socket: ActivatedSocket) -> ListenAddress {
        .inherited(descriptor: socket.descriptor, isUnix: socket.isUnix)
    }

    @Test("A request is an address, or sockets of systemd")
    func requests() throws {
        #expect(try ListenRequest("systemd") == .systemd(name: nil))
        #expect(try ListenRequest("systemd:grpc") == .systemd(name: "grpc"))
        #expect(try ListenRequest("systemd:8080") == .address(.host("systemd", port: 8080)))
        #expect(try ListenRequest("unix:systemd") == .address(.unix(path: "systemd")))
        #expect(throws: InvalidAddress.self) { try ListenRequest("systemd-host") }
    }

    struct Case: Sendable {
        var requests: [ListenRequest] = []
        var sockets: [ActivatedSocket] = []
        var outcome: Result<[ListenAddress], ListenPlan.Failure>
    }

    private static func failure(_ text: String) -> Result<[ListenAddress], ListenPlan.Failure> {
        .failure(.init(description: text))
    }

    static let table = [
        Case(outcome: .success([.allInterfaces(port: 50051)])),
        Case(sockets: [metrics], outcome: .success([.allInterfaces(port: 50051)])),
        Case(sockets: [grpc, local, metrics], outcome: .success([inherited(grpc), inherited(local)])),
        Case(
            requests: [.address(.host("::1", port: 1))], outcome: .success([.host("::1", port: 1)])),
        Case(
            requests: [.systemd(name: nil)], sockets: [grpc, local],
            outcome: .success([inherited(grpc), inherited(local)])),
        Case(
            requests: [.systemd(name: "local"), .systemd(name: nil), .address(.unix(path: "/s"))],
            sockets: [grpc, local],
            outcome: .success([inherited(local), inherited(grpc), .unix(path: "/s")])),
        Case(
            requests: [.systemd(name: nil)],
            outcome: failure("--listen systemd: systemd has passed no socket; is the socket's unit started?")),
        Case(
            requests: [.systemd(name: "x")], sockets: [grpc],
            outcome: failure("--listen systemd:x: systemd has passed 'grpc', and nothing else is left")),
        Case(
            requests: [.address(.unix(path: "/s"))], sockets: [grpc],
            outcome: failure(
                "systemd has passed 'grpc', which no --listen uses: add --listen systemd, or do without the "
                    + "socket's unit")),
        Case(
            requests: [.systemd(name: "grpc")], sockets: [grpc, local],
            outcome: failure(
                "systemd has passed 'local', which no --listen uses: add --listen systemd, or do without the "
                    + "socket's unit")),
    ]

    @Test("Where to listen", arguments: table)
    func plan(_ test: Case) {
        let outcome = Result { () throws(ListenPlan.Failure) in
            try ListenPlan.addresses(for: test.requests, sockets: test.sockets)
        }
        #expect(outcome == test.outcome)
    }
}
