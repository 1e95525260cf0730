import SumCore

/// Has one server add chunks, for as long as there are some.
struct SpreadWorker: Sendable {
    let server: Int
    let client: GRPCClient
    let options: GRPCCallOptions
    /// The deadline of the run.
    let end: ContinuousClock.Instant?
    let coordinator: SpreadCoordinator

    /// Works until the run is over or the task is cancelled.
    ///
    /// - Parameter calls: how many chunks the server has at a time.
    func run(calls: Int) async {
        guard await connect(), let behavior = await probe() else { return }
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<calls { group.addTask { await work(behavior) } }
        }
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
        await coordinator.setLive(server)
        return !Task.isCancelled
    }

    /// Finds out what the server does with a sum that does not fit, before any part of the sum depends on it.
    ///
    /// - Returns: nil if the run is over.
    private func probe() async -> OverflowBehavior? {
        while !Task.isCancelled {
            let answer: Result<Int32, GRPCStatus>
            do throws(GRPCStatus) {
                answer = .success(try await sum(of: OverflowBehavior.probe))
            } catch {
                answer = .failure(error)
            }
            if case .failure(let status) = answer, status.code == .unavailable {
                guard await connect() else { return nil }
                continue
            }
            do throws(GRPCStatus) {
                let behavior = try OverflowBehavior(answer: answer)
                await coordinator.setBehavior(behavior, of: server)
                return behavior
            } catch {
                await coordinator.end(.failure(.call(error)))
                return nil
            }
        }
        return nil
    }

    private func work(_ behavior: OverflowBehavior) async {
        while !Task.isCancelled, let chunk = await coordinator.nextChunk(for: server) {
            do throws(GRPCStatus) {
                await coordinator.settle(chunk, by: server, .sum(try await sum(of: chunk.numbers)))
            } catch {
                await settle(chunk, error, behavior)
                if error.code == .unavailable, !(await connect()) { return }
            }
        }
    }

    private func settle(
        _ chunk: ChunkLedger.Chunk, _ status: GRPCStatus, _ behavior: OverflowBehavior
    ) async {
        if status.code == .unavailable {
            await coordinator.settle(chunk, by: server, .unavailable(status))
        } else if behavior == .refuses(status.code) {
            await coordinator.settle(chunk, by: server, answer(to: chunk, status))
        } else {
            await coordinator.end(.failure(.call(status)))
        }
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
        // The coordinator sends a lost chunk again, and to another server.
        options.maxRetries = 0
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
