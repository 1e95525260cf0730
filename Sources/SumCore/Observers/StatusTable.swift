internal import Synchronization

/// A value for each status code, made when it is first needed. Reading one that is there takes no lock.
final class StatusTable<Value: AnyObject & Sendable>: Sendable {
    private let slots: [Slot]

    private final class Slot: Sendable {
        let value = AtomicLazyReference<Value>()
    }

    init() {
        slots = GRPCStatus.Code.metricCodes.map { _ in Slot() }
    }

    /// - Parameter make: makes the value of a code. If two threads do so at once, one value is dropped.
    func value(_ code: GRPCStatus.Code, _ make: (GRPCStatus.Code) -> Value) -> Value {
        let slot = slots[code.metricIndex]
        return slot.value.load() ?? slot.value.storeIfNil(make(code))
    }
}
