import Glibc
import Numbers
import SumCore

let port = CommandLine.arguments.dropFirst().first ?? "50051"

do {
    let client = try await GRPCClient.connect(to: Target("localhost:\(port)"))
    let service = Tutorial_NumberService.Client(client)
    let call = service.sumNumbers(options: .init(timeout: .seconds(1)))
    for number: Int32 in 1...10 {
        var request = Tutorial_NumberRequest()
        request.num = number
        try await call.send(request)
    }
    let response = try await call.closeAndReceive()
    print("Sum: \(response.sum)")
    await client.close()
} catch {
    print("could not sum the numbers: \(error)")
    exit(1)
}
