#if Lifecycle
public import ServiceLifecycle
public import SumCore

extension GRPCServer: Service {
    /// Serves until the service group shuts down gracefully, or the task is cancelled. Open calls then have 25 seconds to
    /// finish.
    public func run() async throws {
        await cancelWhenGracefulShutdown { await self.run(shutdownWithin: .seconds(25)) }
    }
}
#endif
