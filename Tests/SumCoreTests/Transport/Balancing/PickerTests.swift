import Testing

@testable import SumCore

@Suite struct PickerTests {
    private final class Server: Sendable {}

    private func used(_ choice: Picker<Server>.Choice, _ servers: [Server]) -> Int? {
        guard case .use(let server) = choice else { return nil }
        return servers.firstIndex { $0 === server }
    }

    @Test(
        "grpc-K21: calls go to the connections in turn, from any start", arguments: [0, 1, 2, 3, 1_000_000])
    func turns(_ start: Int) {
        let servers = [Server(), Server(), Server()]
        var picker = Picker(ready: servers, start: start)
        let picks = (0..<9).map { _ in used(picker.pick(), servers) }
        #expect(picks == (start..<(start + 9)).map { $0 % 3 })
    }

    @Test("grpc-K21: a connection on which the call has failed is passed over, unless it is the only one")
    func avoiding() {
        let servers = [Server(), Server(), Server()]
        for avoided in servers {
            var picker = Picker(ready: servers, start: 0)
            for _ in 0..<12 {
                guard case .use(let server) = picker.pick(avoiding: avoided) else {
                    Issue.record("no connection")
                    continue
                }
                #expect(server !== avoided)
            }
        }
        var alone = Picker(ready: [servers[0]], start: 0)
        #expect(used(alone.pick(avoiding: servers[0]), servers) == 0)
    }

    @Test("Without connections calls wait, or fail with the reason")
    func none() {
        var waiting = Picker<Server>()
        if case .wait = waiting.pick() {} else { Issue.record("it does not wait") }
        let reason = GRPCStatus(code: .unavailable, message: "no")
        var failing = Picker<Server>(failure: reason)
        if case .fail(let status) = failing.pick() {
            #expect(status == reason)
        } else {
            Issue.record("no failure")
        }
    }
}
