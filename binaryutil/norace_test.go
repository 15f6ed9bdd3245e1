//go:build !race

package binaryutil_test

// shortInput is up to how many bytes every input is tried.
const shortInput = 2
