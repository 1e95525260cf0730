/// The bounds of histograms in gRPC's metrics (grpc/proposal A66), so that the same query works for every
/// implementation of gRPC.
public enum HistogramBounds {
    /// Seconds.
    public static let latency: [Double] = [
        0, 0.00001, 0.00005, 0.0001, 0.0003, 0.0006, 0.0008, 0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.008,
        0.01, 0.013, 0.016, 0.02, 0.025, 0.03, 0.04, 0.05, 0.065, 0.08, 0.1, 0.13, 0.16, 0.2, 0.25, 0.3, 0.4,
        0.5, 0.65, 0.8, 1, 2, 5, 10, 20, 50, 100,
    ]
    /// Bytes.
    public static let size: [Double] = [
        0, 1024, 2048, 4096, 16384, 65536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864,
        268_435_456, 1_073_741_824, 4_294_967_296,
    ]
    /// Things of any kind.
    public static let count: [Double] = [0] + (0...16).map { Double(1 << $0) }
    /// Retries of a call (grpc/proposal A96).
    public static let retries: [Double] = [1, 2, 3, 4, 5]
    /// Transparent retries of a call (grpc/proposal A96).
    public static let transparentRetries: [Double] = [1, 2, 3, 4, 5, 10]
}
