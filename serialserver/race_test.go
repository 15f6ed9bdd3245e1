//go:build race

package serialserver_test

// shortInput is up to how many bytes every input is tried. The race detector makes that slow, and each input
// is handled by one goroutine.
const shortInput = 1
