//go:build !race

package serialclient_test

const raceDetector = false

// shortInput is up to how many bytes every input is tried.
const shortInput = 2
