//go:build race

package serialclient_test

const raceDetector = true

// shortInput is up to how many bytes every input is tried. The race detector makes that slow, and a call is
// one goroutine at a time.
const shortInput = 1
