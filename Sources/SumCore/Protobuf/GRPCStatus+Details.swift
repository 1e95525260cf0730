internal import SwiftProtobuf

extension GRPCStatus {
    /// The details as text for people, on one line and escaped; nil if there are none.
    ///
    /// The fields of the well-known details of `google.rpc` are shown by name, and those of other types by number.
    public var detailsDescription: String? {
        guard !details.isEmpty else { return nil }
        guard let status = try? Google_Rpc_Status(serializedBytes: details) else {
            return "\(details.count) bytes of details that are not a google.rpc.Status"
        }
        return status.details.map(Self.describe).joined(separator: ", ").escapedForDisplay
    }

    private static func describe(_ detail: Google_Protobuf_Any) -> String {
        let type = detail.typeURL.split(separator: "/").last ?? "?"
        guard let message = message(detail) else { return "\(type) { \(detail.value.count) bytes }" }
        let fields = message.textFormatString().split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return fields.isEmpty ? "\(type) {}" : "\(type) { \(fields) }"
    }

    private static let wellKnownTypes: [any Message.Type] = [
        Google_Rpc_ErrorInfo.self, Google_Rpc_RetryInfo.self, Google_Rpc_DebugInfo.self,
        Google_Rpc_QuotaFailure.self, Google_Rpc_PreconditionFailure.self, Google_Rpc_BadRequest.self,
        Google_Rpc_RequestInfo.self, Google_Rpc_ResourceInfo.self, Google_Rpc_Help.self,
        Google_Rpc_LocalizedMessage.self,
    ]

    private static func message(_ detail: Google_Protobuf_Any) -> (any Message)? {
        let type = wellKnownTypes.first { detail.isA($0) } ?? Google_Protobuf_Empty.self
        return try? type.init(serializedBytes: detail.value)
    }
}
