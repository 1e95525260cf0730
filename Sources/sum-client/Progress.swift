/// A progress line on a terminal. It appears after the run has lasted a second, and disappears when the run ends.
struct Progress {
    private static let firstAfter = Duration.seconds(1)
    private static let interval = Duration.milliseconds(250)

    private let task: Task<Void, Never>

    init(of run: any Run) {
        task = Task {
            let clock = ContinuousClock()
            let started = clock.now
            guard (try? await Task.sleep(for: Self.firstAfter)) != nil else { return }
            while !Task.isCancelled {
                Console.showProgress(Self.line(run.numbersSent, after: clock.now - started))
                try? await Task.sleep(for: Self.interval)
            }
        }
    }

    /// Stops the updates and removes the line.
    func end() async {
        task.cancel()
        await task.value
        Console.clearProgress()
    }

    static func line(_ count: Int, after elapsed: Duration) -> String {
        let rate = Double(count) / (elapsed / .seconds(1)) / 1e6
        return "\(grouped(count)) numbers, \((rate * 10).rounded() / 10) million a second"
    }

    /// Formats 1234567 as 1,234,567.
    private static func grouped(_ number: Int) -> String {
        let digits = String(number)
        return digits.enumerated().reduce(into: "") { text, digit in
            if digit.offset > 0, (digits.count - digit.offset) % 3 == 0 { text += "," }
            text.append(digit.element)
        }
    }
}
