//go:build !race

package serial_test

// exhaustive is up to how many bytes every input is tried: 16,843,009 are they.
const exhaustive = 3
