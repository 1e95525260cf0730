/// `connectrpc.conformance.v1.ConformanceService`.
package enum ConformanceService {
    package static let name = "connectrpc.conformance.v1.ConformanceService"

    package static func path(_ method: String) -> String { "/\(name)/\(method)" }
}
