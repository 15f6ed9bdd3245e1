//go:build !race

package block_test

const raceDetector = false
