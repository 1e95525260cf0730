import Glibc
import Numbers
import SumCore

struct NumberService: Tutorial_NumberService.Service {
    func sumNumbers(
        requests: GRPCRequests<Tutorial_NumberRequest>, call: AsyncServerCall
    ) async throws -> Tutorial_NumberResponse {
        var sum: Int64 = 0
        for try await request in requests {
            sum += Int64(request.num)
        }
        guard let sum = Int32(exactly: sum) else {
            throw GRPCStatus(code: .outOfRange, message: "the sum \(sum) does not fit int32")
        }
        var response = Tutorial_NumberResponse()
        response.sum = sum
        return response
    }
}

let port = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 50051

do {
    let server = try await GRPCServer.start(
        listeningOn: [.allInterfaces(port: port)], methods: NumberService().methods)
    for address in server.addresses {
        print("listening on \(address)")
    }
    fflush(nil)  // Standard output is buffered when it is a pipe.
    await server.run()
} catch {
    print("could not serve: \(error)")
    exit(1)
}
