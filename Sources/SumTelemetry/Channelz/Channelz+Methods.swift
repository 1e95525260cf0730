internal import ChannelzMessages
public import SumCore
internal import SwiftProtobuf

/// The service `grpc.channelz.v1.Channelz`.
extension Channelz {
    static let service = "grpc.channelz.v1.Channelz"
    /// Bytes of the largest request accepted.
    private static let requestLimit = 256
    /// Results of a page if the request leaves it to us, as in grpc-go; and the most there are.
    private static let pageSize = 50
    private static let largestPage = 1000

    /// The methods, for a server to host.
    public var methods: [GRPCMethod] { unlimitedMethods.map { $0.limited(to: Self.requestLimit) } }

    private var unlimitedMethods: [GRPCMethod] {
        [
            method("GetServers") { (request: Grpc_Channelz_V1_GetServersRequest) in
                _ = try Self.pageSize(request.maxResults)
                return Grpc_Channelz_V1_GetServersResponse.with { response in
                    if self.id >= request.startServerID { response.server = [self.server] }
                    response.end = true
                }
            },
            method("GetServer") { (request: Grpc_Channelz_V1_GetServerRequest) in
                try self.check(request.serverID)
                return Grpc_Channelz_V1_GetServerResponse.with { $0.server = self.server }
            },
            method("GetServerSockets") { (request: Grpc_Channelz_V1_GetServerSocketsRequest) in
                try self.check(request.serverID)
                let limit = try Self.pageSize(request.maxResults)
                let (page, isLast) = self.page(from: request.startSocketID, limit: limit)
                return Grpc_Channelz_V1_GetServerSocketsResponse.with { response in
                    response.socketRef = page.map(\.ref)
                    response.end = isLast
                }
            },
            method("GetSocket") { (request: Grpc_Channelz_V1_GetSocketRequest) in
                guard let socket = self.socket(request.socketID) else {
                    throw Self.notFound("socket", request.socketID)
                }
                return Grpc_Channelz_V1_GetSocketResponse.with { $0.socket = socket }
            },
            // It tells of a server, which has no channels.
            method("GetTopChannels") { (request: Grpc_Channelz_V1_GetTopChannelsRequest) in
                _ = try Self.pageSize(request.maxResults)
                return Grpc_Channelz_V1_GetTopChannelsResponse.with { $0.end = true }
            },
            method("GetChannel") {
                (request: Grpc_Channelz_V1_GetChannelRequest) throws
                    -> Grpc_Channelz_V1_GetChannelResponse in
                throw Self.notFound("channel", request.channelID)
            },
            method("GetSubchannel") {
                (request: Grpc_Channelz_V1_GetSubchannelRequest) throws
                    -> Grpc_Channelz_V1_GetSubchannelResponse in
                throw Self.notFound("subchannel", request.subchannelID)
            },
        ]
    }

    private func method<Request: Message, Response: Message>(
        _ name: String, _ answer: @escaping @Sendable (Request) throws -> Response
    ) -> GRPCMethod {
        .unary(path: "/\(Self.service)/\(name)") { (request: Request, _) in try answer(request) }
    }

    private func check(_ serverID: Int64) throws(GRPCStatus) {
        guard serverID == id else { throw Self.notFound("server", serverID) }
    }

    private static func pageSize(_ maxResults: Int64) throws(GRPCStatus) -> Int {
        guard maxResults >= 0 else {
            throw GRPCStatus(code: .invalidArgument, message: "max_results is negative")
        }
        return maxResults == 0 ? pageSize : Int(min(maxResults, Int64(largestPage)))
    }

    private static func notFound(_ kind: String, _ id: Int64) -> GRPCStatus {
        GRPCStatus(code: .notFound, message: "there is no \(kind) \(id)")
    }
}
