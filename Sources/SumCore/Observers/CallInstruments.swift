internal import CoreMetrics

/// The histograms of calls that were of one method and ended with one status.
///
/// Made once, since swift-metrics looks each one up under a lock. They are the backend's own handlers: `Recorder`, which
/// wraps one, converts numbers of any type, at several times the cost of recording one.
final class CallInstruments: Sendable {
    private let duration: any TimerHandler
    private let bytesSent: any RecorderHandler
    private let bytesReceived: any RecorderHandler

    /// - Parameter prefix: of the metrics' names, such as `grpc.server.call`.
    init(
        _ prefix: String, _ dimensions: [(String, String)], _ code: GRPCStatus.Code,
        _ factory: any MetricsFactory
    ) {
        let dimensions = dimensions + [("grpc.status", code.metricName)]
        duration = factory.makeTimer(label: "\(prefix).duration", dimensions: dimensions)
        let size = "total_compressed_message_size"
        bytesSent = factory.makeRecorder(
            label: "\(prefix).sent_\(size)", dimensions: dimensions, aggregate: true)
        bytesReceived = factory.makeRecorder(
            label: "\(prefix).rcvd_\(size)", dimensions: dimensions, aggregate: true)
    }

    func record(_ duration: Duration, bytesSent: Int, bytesReceived: Int) {
        self.duration.recordNanoseconds(duration.wholeNanoseconds)
        self.bytesSent.record(Int64(bytesSent))
        self.bytesReceived.record(Int64(bytesReceived))
    }
}

extension GRPCStatus.Code {
    /// The codes of gRPC; a peer may send others.
    static let metricCodes = 0...16

    /// The code's index among those of metrics: all that are not gRPC's share the one of UNKNOWN, so that a peer cannot
    /// make up series.
    var metricIndex: Int { Self.metricCodes.contains(rawValue) ? rawValue : Self.unknown.rawValue }

    var metricName: String { Self(rawValue: metricIndex).description }
}

/// Names of methods in metrics.
enum MethodName {
    /// Stands for methods that a peer may have made up.
    static let other = "other"

    /// Such as `tutorial.NumberService/SumNumbers`.
    static func metric(_ path: String) -> String {
        path.utf8.first == UInt8(ascii: "/") ? String(path.dropFirst()) : path
    }
}
