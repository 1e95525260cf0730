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
                let removed = table.remove(known)
                #expect(removed == dictionary.removeValue(forKey: known))
            default:
                table[streamID] = nil
                dictionary[streamID] = nil
            }
            let (found, count) = (table[known], table.count)
            #expect(found == dictionary[known])
            #expect(count == dictionary.count)
        }
        let (streamIDs, values) = (table.streamIDs, table.values)
        #expect(Set(streamIDs) == Set(dictionary.keys))
        #expect(values.sorted() == dictionary.values.sorted())
        for (streamID, value) in dictionary {
            let found = table[streamID]
            #expect(found == value)
        }
    }

    @Test("A table without values has no memory")
    func removeAll() {
        var table = StreamTable<Int>()
        var (found, values, count) = (table[1], table.values, table.count)
        #expect(found == nil && values.isEmpty && count == 0)
        for number in 1...100 { table[Int32(number)] = number }
        table.removeAll()
        (found, values, count) = (table[7], table.values, table.count)
        #expect(found == nil && values.isEmpty && count == 0)
        table[7] = 8
        found = table[7]
        #expect(found == 8)
    }
}
