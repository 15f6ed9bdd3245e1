//go:build race

package block_test

// raceDetector makes the pools of the compressor forget what they have.
const raceDetector = true
