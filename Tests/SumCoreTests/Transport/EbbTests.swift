import Testing

@testable import SumCore

@Suite struct EbbTests {
    @Test("R15: half of many is noticed, once for each half")
    func halves() {
        var ebb = Ebb()
        ebb.rise(to: 1000)
        let noticed = (0..<1000).reversed().filter { ebb.fall(to: $0) }
        #expect(noticed == [500, 250, 125, 62])
        ebb.rise(to: 124)
        #expect([63, 62, 61].filter { ebb.fall(to: $0) } == [62])
    }

    @Test("Few are not worth it") func few() {
        var ebb = Ebb()
        ebb.rise(to: Ebb.least - 1)
        #expect((0..<Ebb.least - 1).filter { ebb.fall(to: $0) } == [])
    }
}
