package sqlstore

import (
	"errors"
	"iter"
	"runtime"
	"testing"

	"github.com/rolecall-go/rolecall"
)

func suspensions(n int, then func()) iter.Seq2[rolecall.Statement, error] {
	return func(yield func(rolecall.Statement, error) bool) {
		defer then()
		for range n {
			if !yield(rolecall.Suspension{Subject: rolecall.User("ada")}, nil) {
				return
			}
		}
	}
}

func TestAheadYieldsEverything(t *testing.T) {
	broken := errors.New("broken")
	for _, n := range []int{0, 1, earlyChunk, fullChunk - 1, fullChunk, fullChunk + 1, 10 * fullChunk} {
		got, ended := 0, false
		for _, err := range ahead(func(yield func(rolecall.Statement, error) bool) {
			more := true
			suspensions(n, func() {})(func(st rolecall.Statement, err error) bool { more = yield(st, err); return more })
			ended = !more || yield(nil, broken)
		}) {
			if err == nil {
				got++
			} else if err != broken {
				t.Errorf("ahead of %d: got error %v, want the one at the end", n, err)
			}
		}
		if got != n || !ended {
			t.Errorf("ahead of %d and an error: got %d, ended %t, want all of them", n, got, ended)
		}
	}
}

// Whoever has enough waits for the other side to end, so that nothing uses the connection afterwards.
func TestAheadEndsWithTheRange(t *testing.T) {
	for _, n := range []int{1, fullChunk, 100 * fullChunk} {
		ended := false
		for range ahead(suspensions(n, func() { runtime.Gosched(); ended = true })) {
			break
		}
		if !ended {
			t.Errorf("ahead of %d after a break: the sequence is still going on, want it ended", n)
		}
	}
}

// What comes slowly is not held back until a chunk is full: the one who waits would take the store for dead.
func TestAheadPassesOnWhatComesSlowly(t *testing.T) {
	arrived := make(chan bool)
	trickle := func(yield func(rolecall.Statement, error) bool) {
		for range 3 {
			suspensions(earlyChunk, func() {})(yield)
			<-arrived
		}
	}
	got := 0
	for range ahead(trickle) {
		if got++; got%earlyChunk == 0 {
			arrived <- true
		}
	}
	if got != 3*earlyChunk {
		t.Errorf("ahead of what comes slowly: got %d, want %d", got, 3*earlyChunk)
	}
}
