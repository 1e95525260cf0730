#if THREAD_SANITIZER
@testable import SumCore

/// Both libraries replace Synchronization's `Mutex` under `make tsan`, and tests see both.
typealias Mutex<Value: ~Copyable> = SumCore.Mutex<Value>
#endif
