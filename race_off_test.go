//go:build !race

package rolecall_test

const raceDetector = false
