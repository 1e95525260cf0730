@testable import SumTelemetry

extension LineWriter {
    /// Waits until all lines have been written, however long that takes.
    func drain() {
        while !isIdle { flush() }
    }
}
