internal import SwiftProtobuf

extension GRPCStatus {
    /// The details as text for people, on one line and escaped; nil if there are none.
    ///
    /// Only the fields of `google.rpc.ErrorInfo` are shown by name; those of other types are shown by number.
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

    private static func message(_ detail: Google_Protobuf_Any) -> (any Message)? {
        detail.isA(Google_Rpc_ErrorInfo.self)
            ? try? Google_Rpc_ErrorInfo(serializedBytes: detail.value)
            : try? Google_Protobuf_Empty(serializedBytes: detail.value)
    }
}
