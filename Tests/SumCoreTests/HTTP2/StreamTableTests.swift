import Testing

@testable import SumCore

@Suite
struct StreamTableTests {
    @Test("Values are found, replaced and removed as in a dictionary, in any order", arguments: 1...20)
    func asDictionary(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var table = StreamTable<Int>()
        var dictionary: [Int32: Int] = [:]
        for step in 0..<2000 {
            let streamID = Int32.random(in: 1...(seed % 2 == 0 ? 60 : .max), using: &random)
            let known = dictionary.keys.randomElement(using: &random) ?? streamID
            switch Int.random(in: 0..<4, using: &random) {
            case 0, 1:
                table[streamID] = step
                dictionary[streamID] = step
            case 2:
                #expect(table.remove(known) == dictionary.removeValue(forKey: known))
            default:
                table[streamID] = nil
                dictionary[streamID] = nil
            }
            #expect(table[known] == dictionary[known])
            #expect(table.count == dictionary.count)
        }
        #expect(Set(table.streamIDs) == Set(dictionary.keys))
        #expect(table.values.sorted() == dictionary.values.sorted())
        for (streamID, value) in dictionary { #expect(table[streamID] == value) }
    }

    @Test("A table without values has no memory")
    func removeAll() {
        var table = StreamTable<Int>()
        #expect(table[1] == nil && table.isEmpty)
        for number in 1...100 { table[Int32(number)] = number }
        table.removeAll()
        #expect(table.isEmpty && table.values.isEmpty && table[7] == nil)
        table[7] = 8
        #expect(table[7] == 8)
    }
}
