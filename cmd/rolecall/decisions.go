package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/rolecall-go/rolecall/decisionlog"
)

// Decisions are what becomes of the answers that serve gives: all are counted, and written as lines of JSON where the
// flags want it.
type decisions struct {
	log  *decisionlog.Log
	stop func(most time.Duration) bool // writes what still waits, and says whether that took no longer
}

// newDecisions starts to write; nil out writes nothing.
func newDecisions(out io.Writer, keepOneIn uint64) decisions {
	handler := slog.DiscardHandler
	if out != nil {
		handler = slog.NewJSONHandler(out, nil)
	}
	d := decisions{log: decisionlog.New(handler, &decisionlog.Options{KeepOneIn: keepOneIn})}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = d.log.Run(ctx) // ends with the error of ctx
	}()
	d.stop = func(most time.Duration) bool {
		cancel()
		select {
		case <-done:
			return true
		case <-time.After(most): // whoever reads them does not
			return false
		}
	}
	return d
}

// vars answers with the counters, in the form of the package expvar.
func (d decisions) vars() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = fmt.Fprintf(w, "{%q: %s}\n", "decisions", d.log.Var()) // a caller that is gone needs no answer
	})
}
