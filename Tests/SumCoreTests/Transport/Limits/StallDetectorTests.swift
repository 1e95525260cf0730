import NIOCore
import Testing

@testable import SumCore

@Suite struct StallDetectorTests {
    @Test("abuse-R12, abuse-R13: a counter that does not move for the limit is a stall")
    func stall() {
        var stall = StallDetector()
        let looks: [(Double, Int?, Bool)] = [
            (0, 5, false), (10, 5, false), (29, 5, false), (30, 6, false), (59, 6, false), (60, 6, true),
            (61, nil, false), (62, 6, false), (91, 6, false), (92, 6, true),
        ]
        for (time, moved, hasLasted) in looks {
            #expect(stall.hasLasted(.seconds(30), moved: moved, at: at(time)) == hasLasted, "\(time)")
        }
        for time in [200.0, 300] { #expect(stall.hasLasted(.seconds(30), moved: nil, at: at(time)) == false) }
    }
}
