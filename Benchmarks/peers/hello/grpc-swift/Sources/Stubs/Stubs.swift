// The code of hello.proto is generated beside this file when the package builds; a target needs a file of its own.
