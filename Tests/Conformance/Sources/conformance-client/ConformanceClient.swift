import ConformanceMessages
import Foundation

/// The client that the runner tests. It reads descriptions of calls from standard input, makes several of the calls at
/// once, and writes how each went to standard output.
@main
struct ConformanceClient {
    private static let callLimit = 16

    // Reading blocks its thread, so it happens on the main thread, which no call needs.
    @MainActor static func main() async {
        do {
            try await makeCalls()
        } catch {
            FileHandle.standardError.write(Data("conformance-client: \(error)\n".utf8))
            exit(1)
        }
    }

    @MainActor private static func makeCalls() async throws {
        let input = DelimitedMessages(.standardInput)
        let output = Output()
        let clients = ClientPool()
        try await withThrowingTaskGroup(of: Void.self) { group in
            var callCount = 0
            while let request: ClientCompatRequest = try input.read() {
                callCount += 1
                if callCount > callLimit { try await group.next() }
                group.addTask { try await output.write(response(to: request, from: clients)) }
            }
            try await group.waitForAll()
        }
        await clients.close()
    }

    private static func response(
        to request: ClientCompatRequest, from clients: ClientPool
    ) async -> ClientCompatResponse {
        var response = ClientCompatResponse()
        response.testName = request.testName
        do {
            response.response = try await CallDescription(request).make(with: clients.client(for: request))
        } catch {
            response.error.message = "\(error)"
        }
        return response
    }

    /// Writes one response at a time, since calls end at once.
    private actor Output {
        private let messages = DelimitedMessages(.standardOutput)

        func write(_ response: ClientCompatResponse) throws {
            try messages.write(response)
        }
    }
}
