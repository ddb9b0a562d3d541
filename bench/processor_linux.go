package bench

import (
	"runtime"
	"syscall"
	"time"
)

// processTime returns how long this process was on processors.
func processTime() time.Duration { return usage(syscall.RUSAGE_SELF) }

// processorTime returns how long f was on a processor.
func processorTime(f func()) time.Duration {
	const thisThread = 1 // RUSAGE_THREAD
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := usage(thisThread)
	f()
	return usage(thisThread) - before
}

func usage(who int) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
