import NIOCore

/// A moment, so many seconds after the first there is.
func at(_ seconds: Double) -> NIODeadline {
    .uptimeNanoseconds(0) + .nanoseconds(Int64(seconds * 1e9))
}
