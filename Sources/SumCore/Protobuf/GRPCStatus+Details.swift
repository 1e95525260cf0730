internal import SwiftProtobuf

extension GRPCStatus {
    /// The details for people, on one line and safe to print; nil when there are none.
    ///
    /// Their types are known by name only, so their fields are shown by number.
    public var detailsDescription: String? {
        guard !details.isEmpty else { return nil }
        guard let status = try? Google_Rpc_Status(serializedBytes: details) else {
            return "\(details.count) bytes of details that are not a google.rpc.Status"
        }
        return status.details.map(Self.describe).joined(separator: ", ").escapedForDisplay
    }

    private static func describe(_ detail: Google_Protobuf_Any) -> String {
        let type = detail.typeURL.split(separator: "/").last ?? "?"
        guard let message = try? Google_Protobuf_Empty(serializedBytes: detail.value) else {
            return "\(type) { \(detail.value.count) bytes }"
        }
        let fields = message.textFormatString().split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return fields.isEmpty ? "\(type) {}" : "\(type) { \(fields) }"
    }
}
