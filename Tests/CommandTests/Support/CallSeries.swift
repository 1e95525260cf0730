import Foundation
import Synchronization
import Testing

@testable import SumCore

/// Calls that several tasks make without pause while a test does something to the servers.
final class CallSeries: ClientObserver {
    private struct State {
        /// Calls that were answered with the right sum, by server.
        var answers: [String: Int] = [:]
        /// How all other calls have ended.
        var failures: [GRPCStatus] = []
        /// The reasons for which connections were lost.
        var losses: [String] = []
        var isOver = false
    }

    private let state = Mutex(State())

    var answers: [String: Int] { state.withLock { $0.answers } }
    var failures: [GRPCStatus] { state.withLock { $0.failures } }
    var losses: [String] { state.withLock { $0.losses } }

    func connectionClosed(_ peer: Peer, _ reason: String?) {
        state.withLock { $0.losses.append(reason ?? "") }
    }

    func callEnded(_ call: ClientCallRecord) {
        guard call.status.isOK, let peer = call.peer else { return }
        state.withLock { $0.answers[peer.address, default: 0] += 1 }
    }

    /// A client that has the series as its observer, and as much time to connect as any test may take.
    func client(of server: String) throws -> GRPCClient {
        var configuration = GRPCClient.Configuration()
        configuration.observers = [self]
        configuration.connectTimeout = .seconds(Int64(Tool.limit))
        return GRPCClient(target: try Target(server), configuration: configuration)
    }

    /// Makes calls for as long as `body` runs. A sum that is wrong is an issue of the test.
    ///
    /// - Parameter client: must have the series among its observers, or `wait` waits for ever.
    func run(
        with client: GRPCClient, _ options: GRPCCallOptions = .init(), tasks: Int = 4,
        while body: () async throws -> Void
    ) async throws {
        let callers = (1...tasks).map { task in
            Task {
                var number = Int32(task)
                while !state.withLock({ $0.isOver }) {
                    await call(client, options, number)
                    number &+= 1
                }
            }
        }
        let result: Result<Void, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        state.withLock { $0.isOver = true }
        for caller in callers { await caller.value }
        try result.get()
    }

    /// Makes one call, of which every other is a stream.
    private func call(_ client: GRPCClient, _ options: GRPCCallOptions, _ number: Int32) async {
        do throws(GRPCStatus) {
            let sum: Int32
            if number % 2 == 0 {
                sum = try await client.sum(of: [number, -1], options: options)
            } else {
                let call = client.sumNumbers(options)
                try await call.send(contentsOf: [number])
                try await call.send(contentsOf: [-1])
                sum = try await call.closeAndReceive()
            }
            #expect(sum == number - 1)
        } catch {
            state.withLock { $0.failures.append(error) }
            // A client without servers fails its calls at once.
            try? await Task.sleep(for: .milliseconds(1))
        }
    }

    /// Waits until there were `count` more answers, from one of the servers or from any.
    func wait(for count: Int, from address: String? = nil) async throws {
        func total() -> Int { address.map { answers[$0] ?? 0 } ?? answers.values.reduce(0, +) }
        let goal = total() + count
        while total() < goal { try await Task.sleep(for: .milliseconds(5)) }
    }
}
