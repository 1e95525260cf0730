// The files beside this one are links to what the tools and the tests have, so that both packages compile them the
// same way. What they need beside each other is repeated here.

enum Input: Equatable {
    case standardInput
    case file(String)
}

enum InputError: Error, Equatable {
    case notANumber(place: String, word: String)
}
