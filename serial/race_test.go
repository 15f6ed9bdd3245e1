//go:build race

package serial_test

// exhaustive is up to how many bytes every input is tried. The race detector makes that slow, and finds
// nothing in code that knows no goroutine.
const exhaustive = 2
