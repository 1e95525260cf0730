import Foundation
import SumCore
import SwiftProtobuf

/// Sends a file in chunks, as fast as the server takes them, and compares what the server has got.
@main
struct Upload {
    static let chunkSize = 64 << 10

    static func main() async {
        let words = Array(CommandLine.arguments.dropFirst())
        do {
            switch words.first {
            case "server": try await serve(port: words.dropFirst().first.flatMap { Int($0) } ?? 50051)
            case "client" where words.count == 3: try await upload(words[2], to: words[1])
            default:
                print("usage: upload server [PORT] | upload client ADDRESS FILE")
                exit(64)
            }
        } catch {
            print(error)
            exit(1)
        }
    }

    static func serve(port: Int) async throws {
        let server = try await GRPCServer.start(
            listeningOn: [.host("127.0.0.1", port: port)], methods: Uploads().methods)
        print("listening on \(server.addresses[0])")
        fflush(nil)  // Standard output is buffered when it is a pipe.
        await server.run()
    }

    static func upload(_ path: String, to address: String) async throws {
        let file = try FileHandle(forReadingFrom: URL(filePath: path))
        let size = max(1, try file.seekToEnd())
        try file.seek(toOffset: 0)
        let client = try await GRPCClient.connect(to: Target(address))
        let call = Upload_V1_Uploads.Client(client).upload()
        var sent = Upload_V1_Receipt.empty
        while let data = try file.read(upToCount: chunkSize), !data.isEmpty {
            // Waits while 512 KiB are on their way, so the file is read no faster than the server takes it.
            try await call.send(.with { $0.data = data })
            sent.add(data)
            // From 0 to 100, on the terminal only.
            FileHandle.standardError.write(Data("\r\(UInt64(sent.bytes) * 100 / size) %".utf8))
        }
        let receipt = try await call.closeAndReceive()
        FileHandle.standardError.write(Data("\r     \r".utf8))
        guard receipt == sent else {
            throw GRPCStatus(code: .dataLoss, message: "the server got other bytes than were sent")
        }
        print("uploaded \(receipt.bytes) bytes, hash \(String(receipt.hash, radix: 16))")
        await client.close()
    }
}

struct Uploads: Upload_V1_Uploads.Service {
    /// The client may send one window (8 MiB) more than this loop has taken.
    func upload(
        requests: GRPCRequests<Upload_V1_Chunk>, call: AsyncServerCall
    ) async throws -> Upload_V1_Receipt {
        var receipt = Upload_V1_Receipt.empty
        for try await chunk in requests {
            guard chunk.data.count <= Upload.chunkSize else {
                throw GRPCStatus(code: .invalidArgument, message: "a chunk of \(chunk.data.count) bytes")
            }
            receipt.add(chunk.data)
        }
        return receipt
    }
}

extension Upload_V1_Receipt {
    static let empty = Self.with { $0.hash = 0xcbf2_9ce4_8422_2325 }

    mutating func add(_ data: Data) {
        bytes += Int64(data.count)
        hash = data.reduce(hash) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
