/// A value in memory of its own. Copies of the structure that has it share it, until one of them is given another.
final class Shared<Value: Sendable>: Sendable {
    let value: Value

    init(_ value: Value) {
        self.value = value
    }
}
