import SumCore
import SwiftProtobuf
import Synchronization

typealias Line = Chat_V1_Line

/// Who is there. Each member has a queue, so that a slow one holds up nobody.
final class Room: Sendable {
    private struct State {
        var lastID = 0
        var members: [Int: AsyncStream<Line>.Continuation] = [:]
    }

    private let state = Mutex(State())

    func enter() -> (id: Int, lines: AsyncStream<Line>) {
        // Who does not read misses lines, rather than filling the server's memory.
        let (lines, queue) = AsyncStream.makeStream(of: Line.self, bufferingPolicy: .bufferingNewest(100))
        let id = state.withLock { state in
            state.lastID += 1
            state.members[state.lastID] = queue
            return state.lastID
        }
        return (id, lines)
    }

    func say(_ line: Line, as id: Int) {
        let others = state.withLock { $0.members.filter { $0.key != id }.values }
        for other in others { other.yield(line) }
    }

    func leave(_ id: Int) {
        state.withLock { $0.members.removeValue(forKey: id) }?.finish()
    }
}

/// The service: each call reads lines in one task, and writes them in another.
struct ChatService: Chat_V1_Chat.Service {
    let room = Room()

    func join(
        requests: GRPCRequests<Line>, responses: GRPCResponses<Line>, call: AsyncServerCall
    ) async throws {
        let (id, lines) = room.enter()
        try call.sendResponseMetadata()  // tells the client that it has joined
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for await line in lines { try await responses.send(line) } }
            defer { room.leave(id) }  // ends the task's lines, also when the client is lost
            for try await line in requests { room.say(line, as: id) }
        }
    }
}
