// Package inputs makes inputs for the tests of decoders, many of them and cheaply: mutations of seeds in
// any number, and every short input. It is for tests alone.
//
// Both run in the test's own process on all cores, without the exchange between processes that go
// test's fuzzing makes for each input. They do not learn from coverage; go test's fuzzing does, with the same checks.
package inputs
