import Foundation

/// Where the files of this repository are.
enum Repository {
    static let root = URL(filePath: #filePath).appending(path: "../../../..").standardizedFileURL
}
