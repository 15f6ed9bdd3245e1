//go:build !race

package serialclient_test

const raceDetector = false
