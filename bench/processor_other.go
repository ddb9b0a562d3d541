//go:build !linux

package bench

import "time"

var began = time.Now()

// processTime returns the time since the process began: other systems tell the time of a process in other ways.
func processTime() time.Duration { return time.Since(began) }

// processorTime returns how long f took: other systems do not tell the time of one thread.
func processorTime(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}
