import Glibc
import SumCore
import SwiftProtobuf

@main
struct RouteGuide {
    static func main() async {
        let words = CommandLine.arguments.dropFirst()
        do {
            switch words.first {
            case "server": try await serve(port: words.dropFirst().first.flatMap { Int($0) } ?? 50051)
            case "client": try await visit(words.dropFirst().first ?? "127.0.0.1:50051")
            default:
                print("usage: route-guide server [PORT] | route-guide client [ADDRESS]")
                exit(64)
            }
        } catch {
            print(error)
            exit(1)
        }
    }

    static func serve(port: Int) async throws {
        let guide = Guide([("town hall", 0, 0), ("old bridge", 300, 400), ("lighthouse", -2000, 900)])
        let server = try await GRPCServer.start(
            listeningOn: [.host("127.0.0.1", port: port)], methods: guide.methods)
        print("listening on \(server.addresses[0])")
        fflush(nil)  // Standard output is buffered when it is a pipe.
        await server.run()
    }

    static func visit(_ address: String) async throws {
        let client = try await GRPCClient.connect(to: Target(address))
        let guide = Routes_V1_Guide.Client(client)

        // One request, one response; a failed call throws its status.
        print("at 0, 0:", try await guide.find(Point(east: 0, north: 0)).name)
        do throws(GRPCStatus) {
            print(try await guide.find(Point(east: 1, north: 1)).name)
        } catch {
            print("at 1, 1:", error.message)
        }

        // One request, many responses.
        let centre = Routes_V1_Area.with {
            $0.low = Point(east: -500, north: -500)
            $0.high = Point(east: 500, north: 500)
        }
        for try await sight in try await guide.list(centre).responses { print("in the centre:", sight.name) }

        // Many requests, one response.
        let walk = guide.measure()
        for point in [(0, 0), (300, 0), (300, 400)] as [(Int32, Int32)] {
            try await walk.send(Point(east: point.0, north: point.1))
        }
        let measured = try await walk.closeAndReceive()
        print("walked \(Int(measured.metres)) m, and saw \(measured.sights) of \(measured.points) points")

        // Many of both: each note is answered before the next is left.
        let notes = guide.leave()
        for text in ["nice", "windy"] {
            try await notes.send(
                .with {
                    $0.at = Point(east: 300, north: 400)
                    $0.text = text
                })
        }
        notes.finish()
        for try await note in notes.responses { print("somebody left: \(note.text)") }
        await client.close()
    }
}
