package storetest

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rolecall-go/rolecall"
)

// A faulty store passes everything on but what is replaced.
type faulty struct {
	rolecall.Store
	load    func(ctx context.Context) (rolecall.State, error)
	commit  func(ctx context.Context, p *rolecall.Proposal) error
	changes func(ctx context.Context, after rolecall.Revision) iter.Seq2[rolecall.Entry, error]
	wait    func(ctx context.Context, after rolecall.Revision) error
	tell    func(ctx context.Context) error // asked before History, where the store has it; nil lets pass
	recall  func(ctx context.Context) error // asked before At and AtTime and each of their statements, likewise
}

func (f *faulty) Load(ctx context.Context) (rolecall.State, error) {
	if f.load != nil {
		return f.load(ctx)
	}
	return f.Store.Load(ctx)
}

func (f *faulty) Commit(ctx context.Context, p *rolecall.Proposal) error {
	if f.commit != nil {
		return f.commit(ctx, p)
	}
	return f.Store.Commit(ctx, p)
}

func (f *faulty) Changes(ctx context.Context, after rolecall.Revision) iter.Seq2[rolecall.Entry, error] {
	if f.changes != nil {
		return f.changes(ctx, after)
	}
	return f.Store.Changes(ctx, after)
}

func (f *faulty) Wait(ctx context.Context, after rolecall.Revision) error {
	if f.wait != nil {
		return f.wait(ctx, after)
	}
	return f.Store.Wait(ctx, after)
}

// decorate keeps what s can do beside the faults: to tell its history, and to hand out the past.
func decorate(s rolecall.Store, f *faulty) rolecall.Store {
	f.Store = s
	teller, tells := s.(rolecall.HistoryStore)
	past, keeps := s.(rolecall.PastStore)
	h, p := gatedHistory{teller, orPass(f.tell)}, gatedPast{past, orPass(f.recall)}
	switch {
	case tells && keeps:
		return struct {
			*faulty
			gatedHistory
			gatedPast
		}{f, h, p}
	case tells:
		return struct {
			*faulty
			gatedHistory
		}{f, h}
	case keeps:
		return struct {
			*faulty
			gatedPast
		}{f, p}
	}
	return f
}

func orPass(gate func(ctx context.Context) error) func(ctx context.Context) error {
	if gate == nil {
		return func(context.Context) error { return nil }
	}
	return gate
}

type gatedHistory struct {
	of   rolecall.HistoryStore
	gate func(ctx context.Context) error
}

func (h gatedHistory) History(ctx context.Context) (string, error) {
	if err := h.gate(ctx); err != nil {
		return "", err
	}
	return h.of.History(ctx)
}

type gatedPast struct {
	of   rolecall.PastStore
	gate func(ctx context.Context) error
}

func (p gatedPast) At(ctx context.Context, r rolecall.Revision) (rolecall.State, error) {
	return gatedState(ctx, p.gate, func() (rolecall.State, error) { return p.of.At(ctx, r) })
}

func (p gatedPast) AtTime(ctx context.Context, t time.Time) (rolecall.State, error) {
	return gatedState(ctx, p.gate, func() (rolecall.State, error) { return p.of.AtTime(ctx, t) })
}

// gatedState asks gate before read, and before each statement of the state.
func gatedState(ctx context.Context, gate func(ctx context.Context) error, read func() (rolecall.State, error)) (rolecall.State, error) {
	if err := gate(ctx); err != nil {
		return rolecall.State{}, err
	}
	state, err := read()
	if err != nil {
		return state, err
	}
	state.Statements = gatedSeq(ctx, state.Statements, gate)
	return state, nil
}

// gated asks gate before every call and before every statement and entry.
func gated(s rolecall.Store, gate func(ctx context.Context) error) rolecall.Store {
	return decorate(s, &faulty{
		load: func(ctx context.Context) (rolecall.State, error) {
			return gatedState(ctx, gate, func() (rolecall.State, error) { return s.Load(ctx) })
		},
		commit: func(ctx context.Context, p *rolecall.Proposal) error {
			if err := gate(ctx); err != nil {
				return err
			}
			return s.Commit(ctx, p)
		},
		changes: func(ctx context.Context, after rolecall.Revision) iter.Seq2[rolecall.Entry, error] {
			return gatedSeq(ctx, s.Changes(ctx, after), gate)
		},
		wait: func(ctx context.Context, after rolecall.Revision) error {
			if err := gate(ctx); err != nil {
				return err
			}
			return s.Wait(ctx, after)
		},
		tell:   gate,
		recall: gate,
	})
}

// gatedSeq asks gate before each element and before the end.
func gatedSeq[T any](ctx context.Context, in iter.Seq2[T, error], gate func(ctx context.Context) error) iter.Seq2[T, error] {
	var none T
	return func(yield func(T, error) bool) {
		for v, err := range in {
			if closed := gate(ctx); closed != nil {
				yield(none, closed)
				return
			}
			if !yield(v, err) {
				return
			}
		}
		if err := gate(ctx); err != nil {
			yield(none, err)
		}
	}
}

// FailAfter returns a store that works for n steps and then fails with err, for good. A step is a call, a statement, an
// entry of a feed, or the end of either.
func FailAfter(s rolecall.Store, n int, err error) rolecall.Store {
	var left atomic.Int64
	left.Store(int64(n))
	return gated(s, func(context.Context) error {
		if left.Add(-1) < 0 {
			return err
		}
		return nil
	})
}

// Stall returns a store in which every call, and every statement and entry, waits until its ctx ends, from when stall
// is called until release is called. It starts released.
func Stall(s rolecall.Store) (store rolecall.Store, stall, release func()) {
	var mu sync.Mutex
	pass := make(chan struct{})
	close(pass)
	stall = func() {
		mu.Lock()
		defer mu.Unlock()
		select {
		case <-pass:
			pass = make(chan struct{})
		default:
		}
	}
	release = func() {
		mu.Lock()
		defer mu.Unlock()
		select {
		case <-pass:
		default:
			close(pass)
		}
	}
	store = gated(s, func(ctx context.Context) error {
		mu.Lock()
		now := pass
		mu.Unlock()
		select {
		case <-now:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	return store, stall, release
}

// LoseWakeups returns a store whose Wait never tells of a change: it ends with ctx only. So only polling helps.
func LoseWakeups(s rolecall.Store) rolecall.Store {
	return decorate(s, &faulty{wait: func(ctx context.Context, _ rolecall.Revision) error {
		<-ctx.Done()
		return ctx.Err()
	}})
}

// DuplicateWakeups returns a store whose Wait tells of each change n times more than it should: it returns although
// nothing is new.
func DuplicateWakeups(s rolecall.Store, n int) rolecall.Store {
	var left atomic.Int64
	return decorate(s, &faulty{wait: func(ctx context.Context, after rolecall.Revision) error {
		if left.Add(-1) >= 0 {
			return ctx.Err()
		}
		err := s.Wait(ctx, after)
		left.Store(int64(n))
		return err
	}})
}

// RepeatChanges returns a store that yields each entry of its feed twice.
func RepeatChanges(s rolecall.Store) rolecall.Store {
	return decorate(s, &faulty{changes: func(ctx context.Context, after rolecall.Revision) iter.Seq2[rolecall.Entry, error] {
		return func(yield func(rolecall.Entry, error) bool) {
			for e, err := range s.Changes(ctx, after) {
				if !yield(e, err) || err == nil && !yield(e, nil) {
					return
				}
			}
		}
	}})
}

// CompactAlways returns a store that keeps no history at all: every feed is ErrCompacted, and so is the past, so that only
// loading helps.
func CompactAlways(s rolecall.Store) rolecall.Store {
	return decorate(s, &faulty{
		changes: func(context.Context, rolecall.Revision) iter.Seq2[rolecall.Entry, error] {
			return func(yield func(rolecall.Entry, error) bool) { yield(rolecall.Entry{}, rolecall.ErrCompacted) }
		},
		recall: func(context.Context) error { return rolecall.ErrCompacted },
	})
}

// LoseAcknowledgement returns a store whose Commit keeps the proposal and then fails with err, as when a connection is
// cut before the answer comes.
func LoseAcknowledgement(s rolecall.Store, err error) rolecall.Store {
	return decorate(s, &faulty{commit: func(ctx context.Context, p *rolecall.Proposal) error {
		if failure := s.Commit(ctx, p); failure != nil {
			return failure
		}
		return err
	}})
}
