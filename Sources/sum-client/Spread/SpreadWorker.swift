import SumCore
import Synchronization

/// Has one server add chunks, for as long as there are some.
struct SpreadWorker: Sendable {
    private let server: Int
    private let target: Target
    private let options: GRPCCallOptions
    /// The deadline of the run.
    private let end: ContinuousClock.Instant?
    private let coordinator: SpreadCoordinator
    private let client: GRPCClient
    private let connections = ConnectionCounter()

    /// A server that answers so many probes in a row with UNAVAILABLE counts as one that cannot be reached.
    private static let patience = 3

    init(
        _ server: Int, at target: Target, _ plan: RunPlan, end: ContinuousClock.Instant?,
        _ coordinator: SpreadCoordinator
    ) {
        (self.server, self.target, self.end, self.coordinator) = (server, target, end, coordinator)
        var configuration = plan.configuration
        configuration.observers.append(connections)
        client = GRPCClient(target: target, configuration: configuration)
        var options = plan.options
        // The coordinator sends a lost chunk again, and to another server.
        options.maxRetries = 0
        options.waitsForReady = false
        self.options = options
    }

    /// Works until the run is over or the task is cancelled.
    ///
    /// - Parameter calls: how many chunks the server has at a time.
    func run(calls: Int) async {
        if let known = await probe() {
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<calls { group.addTask { await work(known) } }
            }
        }
        await client.close()
    }

    // MARK: The server

    /// What is known of the server, as long as the client has no new connection: that may lead to another process.
    private struct Knowledge {
        var behavior: OverflowBehavior
        /// How many connections there had been.
        var connection: Int
    }

    /// Waits until the server can be reached.
    ///
    /// - Returns: false if the task was cancelled.
    private func connect() async -> Bool {
        do throws(GRPCStatus) {
            try await client.connect()
        } catch {
            if Task.isCancelled { return false }
            await coordinator.setUnreachable(server, error)
            var state = client.connectivityState
            while state != .ready {
                if Task.isCancelled || state == .shutdown { return false }
                state = await client.connectivityState(after: state)
            }
        }
        return !Task.isCancelled
    }

    /// Waits until the server takes calls, and finds out what it does with a sum that does not fit, before any part of
    /// the sum depends on it.
    ///
    /// - Returns: nil if the run is over.
    private func probe() async -> Knowledge? {
        var (failures, pause) = (0, Duration.milliseconds(100))
        while await connect() {
            let connection = connections.count
            let answer: Result<Int32, GRPCStatus>
            do throws(GRPCStatus) {
                answer = .success(try await sum(of: OverflowBehavior.probe))
            } catch {
                answer = .failure(error)
            }
            if case .failure(let status) = answer, status.code == .unavailable {
                failures += 1
                if failures == Self.patience {
                    let message = "\(target): \(status.message)"
                    await coordinator.setUnreachable(
                        server, GRPCStatus(code: .unavailable, message: message))
                }
                try? await Task.sleep(for: pause)
                pause = min(pause * 2, .seconds(5))
                continue
            }
            guard connection == connections.count else { continue }
            do throws(GRPCStatus) {
                let behavior = try OverflowBehavior(answer: answer)
                await coordinator.setBehavior(behavior, of: server)
                return Knowledge(behavior: behavior, connection: connection)
            } catch {
                if !Task.isCancelled { await coordinator.end(.failure(.call(error))) }
                return nil
            }
        }
        return nil
    }

    // MARK: Chunks

    private func work(_ first: Knowledge) async {
        var known = first
        while !Task.isCancelled, let chunk = await coordinator.nextChunk(for: server) {
            guard let loss = await add(chunk, known) else { continue }
            await coordinator.settle(chunk, by: server, .unavailable(loss))
            guard let new = await probe() else { return }
            known = new
        }
    }

    /// Has the server add a chunk.
    ///
    /// - Returns: why it must be added again; nil if it is settled.
    private func add(_ chunk: ChunkLedger.Chunk, _ known: Knowledge) async -> GRPCStatus? {
        guard known.connection == connections.count else { return .reconnected }
        let answer: ChunkLedger.Answer
        do throws(GRPCStatus) {
            answer = .sum(try await sum(of: chunk.numbers))
        } catch {
            if error.code == .unavailable { return error }
            guard known.behavior == .refuses(error.code) else {
                await coordinator.end(.failure(.call(error)))
                return nil
            }
            answer = self.answer(to: chunk, error)
        }
        // The call may have gone to a server that treats overflow differently.
        guard known.connection == connections.count else { return .reconnected }
        await coordinator.settle(chunk, by: server, answer)
        return nil
    }

    /// The exact sum, if the status has it and it is of as many numbers as the chunk.
    private func answer(to chunk: ChunkLedger.Chunk, _ status: GRPCStatus) -> ChunkLedger.Answer {
        guard let exact = SumNumbers.OutOfRange(status), exact.count == Int64(chunk.numbers.count) else {
            return .outOfRange(status)
        }
        return .exactSum(exact.sum)
    }

    private func sum(of numbers: [Int32]) async throws(GRPCStatus) -> Int32 {
        var options = options
        options.timeout = end.map { max($0 - .now, .nanoseconds(1)) }
        let call = client.sumNumbers(options)
        let result = await withTaskCancellationHandler { () async -> Result<Int32, GRPCStatus> in
            do throws(GRPCStatus) {
                try await call.send(contentsOf: numbers)
                return .success(try await call.closeAndReceive())
            } catch {
                return .failure(error)
            }
        } onCancel: {
            call.cancel()
        }
        return try result.get()
    }
}

/// Counts the connections of a client. A connection is counted before a call can begin on it.
private final class ConnectionCounter: ClientObserver {
    private let opened = Atomic(0)

    var count: Int { opened.load(ordering: .acquiring) }

    func connectionOpened(_ peer: Peer) {
        opened.add(1, ordering: .acquiringAndReleasing)
    }
}

extension GRPCStatus {
    fileprivate static let reconnected = GRPCStatus(
        code: .unavailable, message: "the client has connected again, perhaps to another server")
}
