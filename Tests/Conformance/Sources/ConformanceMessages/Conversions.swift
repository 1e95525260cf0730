package import SumCore
internal import SwiftProtobuf

extension GRPCMetadata {
    /// - Throws: `InvalidField` for a name or value that metadata cannot carry.
    package init(_ headers: [Header]) throws(InvalidField) {
        self.init()
        for header in headers {
            for value in header.value { try add(header.name, value) }
        }
    }

    /// One header for each key, in the order in which the keys first appear.
    package var headers: [Header] {
        var headers: [Header] = []
        for field in fields {
            if let index = headers.firstIndex(where: { $0.name == field.key }) {
                headers[index].value.append(field.value)
            } else {
                headers.append(
                    .with {
                        $0.name = field.key
                        $0.value = [field.value]
                    })
            }
        }
        return headers
    }
}

extension Google_Rpc_Status {
    package init(_ status: GRPCStatus) {
        self.init()
        code = Int32(clamping: status.code.rawValue)
        message = status.message
        details = status.detailedStatus?.details ?? []
    }
}
