public import Logging
internal import NIOCore
internal import NIOPosix

/// Reads what a server uses again: at intervals, and when it is asked to. Files are compared by their contents, since
/// those that renew them replace folders, links or files.
public final class Reloader: Sendable {
    private let subjects: [any Reloadable]
    private let interval: Duration
    private let observers: [any ServerObserver]
    private let logger: Logger
    private let causes: AsyncStream<ReloadPolicy.Cause>
    private let cause: AsyncStream<ReloadPolicy.Cause>.Continuation

    /// Creates a reloader, which does nothing until `run` is called.
    ///
    /// - Parameters:
    ///   - subjects: what is read again, such as a `ServerTLS`.
    ///   - interval: the time from one reading to the next.
    ///   - observers: are told of files that have changed, or could not be read.
    ///   - logger: gets a line for each of these.
    public init(
        _ subjects: [any Reloadable], every interval: Duration = .seconds(30),
        observers: [any ServerObserver] = [], logger: Logger
    ) {
        self.subjects = subjects
        self.observers = observers
        self.interval = interval
        self.logger = logger
        // Reading takes no time compared with how often anybody asks.
        (causes, cause) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(16))
    }

    /// Asks for everything to be read at once. May be called from any thread.
    public func reload() {
        cause.yield(.request)
    }

    /// Works until the task is cancelled. Call it once.
    ///
    /// - Parameter reloaded: called when everything has been read that `reload` has asked for, whatever came of it.
    public func run(reloaded: @Sendable () -> Void = {}) async {
        var policies = subjects.map { _ in ReloadPolicy() }
        await withTaskGroup { group in
            group.addTask { [cause, interval] in
                while (try? await Task.sleep(for: interval)) != nil { cause.yield(.time) }
            }
            for await cause in causes {
                for (index, subject) in subjects.enumerated() {
                    let outcome = await Self.read(subject)
                    // Then it says nothing about the files.
                    if Task.isCancelled { break }
                    let lines = policies[index].lines(outcome, cause, warning: subject.warning, at: .now())
                    for line in lines { log(line) }
                    tell(outcome, subject)
                }
                if cause == .request { reloaded() }
            }
            group.cancelAll()
        }
    }

    /// Reads on a thread that may block.
    private static func read(_ subject: any Reloadable) async -> ReloadPolicy.Outcome {
        do {
            let hasChanged = try await NIOThreadPool.singleton.runIfActive { try subject.reload() }
            return hasChanged ? .changed(summary: subject.summary) : .unchanged
        } catch {
            return .failed("\(error)")
        }
    }

    private func tell(_ outcome: ReloadPolicy.Outcome, _ subject: any Reloadable) {
        switch outcome {
        case .changed:
            for observer in observers {
                observer.filesReloaded(.success)
                if let notAfter = subject.notAfter { observer.certificateUsed(notAfter: notAfter) }
            }
        case .failed: for observer in observers { observer.filesReloaded(.failure) }
        case .unchanged: break
        }
    }

    private func log(_ line: ReloadPolicy.Line) {
        switch line {
        case .info(let text): logger.info("\(text)")
        case .warning(let text): logger.warning("\(text)")
        }
    }
}
