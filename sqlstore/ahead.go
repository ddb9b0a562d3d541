package sqlstore

import (
	"iter"
	"sync"

	"github.com/rolecall-go/rolecall"
)

// Reading and indexing a policy take turns on one processor, or go on at once on two: whoever loads indexes one chunk of
// statements while the next ones are read.
const (
	fullChunk   = 256
	earlyChunk  = 16 // enough where the other side has nothing to do
	chunksAhead = 8
)

type read struct {
	statement rolecall.Statement
	err       error
}

// ahead yields what seq does, and lets seq work on what comes next meanwhile. Its goroutine ends before the range does.
func ahead(seq iter.Seq2[rolecall.Statement, error]) iter.Seq2[rolecall.Statement, error] {
	return func(yield func(rolecall.Statement, error) bool) {
		chunks, enough := make(chan []read, chunksAhead), make(chan struct{})
		var reader sync.WaitGroup
		defer reader.Wait()
		defer close(enough)
		reader.Go(func() { inChunks(seq, chunks, enough) })
		for chunk := range chunks {
			for _, r := range chunk {
				if !yield(r.statement, r.err) {
					return
				}
			}
		}
	}
}

// inChunks sends what seq yields until there is no more or it is enough, and closes chunks.
func inChunks(seq iter.Seq2[rolecall.Statement, error], chunks chan<- []read, enough <-chan struct{}) {
	defer close(chunks)
	chunk := make([]read, 0, earlyChunk)
	send := func() bool {
		select {
		case chunks <- chunk:
			chunk = make([]read, 0, earlyChunk)
			return true
		case <-enough:
			return false
		}
	}
	for st, err := range seq {
		chunk = append(chunk, read{st, err})
		if n := len(chunk); n < earlyChunk || n < fullChunk && len(chunks) > 0 {
			continue
		}
		if !send() {
			return
		}
	}
	send()
}
