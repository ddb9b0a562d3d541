package storetest

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"

	"github.com/rolecall-go/rolecall"
)

// A faulty store passes everything on but what is replaced.
type faulty struct {
	rolecall.Store
	load    func(ctx context.Context) (rolecall.State, error)
	commit  func(ctx context.Context, p *rolecall.Proposal) error
	changes func(ctx context.Context, after rolecall.Revision) iter.Seq2[rolecall.Entry, error]
	wait    func(ctx context.Context, after rolecall.Revision) error
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

// A faultyHistory is a faulty store that tells its history by itself.
type faultyHistory struct {
	*faulty
	rolecall.HistoryStore
	gate func(ctx context.Context) error
}

func (f faultyHistory) Load(ctx context.Context) (rolecall.State, error) { return f.faulty.Load(ctx) }
func (f faultyHistory) Commit(ctx context.Context, p *rolecall.Proposal) error {
	return f.faulty.Commit(ctx, p)
}
func (f faultyHistory) Changes(ctx context.Context, after rolecall.Revision) iter.Seq2[rolecall.Entry, error] {
	return f.faulty.Changes(ctx, after)
}
func (f faultyHistory) Wait(ctx context.Context, after rolecall.Revision) error {
	return f.faulty.Wait(ctx, after)
}
func (f faultyHistory) History(ctx context.Context) (string, error) {
	if err := f.gate(ctx); err != nil {
		return "", err
	}
	return f.HistoryStore.History(ctx)
}

// decorate keeps what s can do beside the faults.
func decorate(s rolecall.Store, f *faulty, gate func(ctx context.Context) error) rolecall.Store {
	f.Store = s
	if h, able := s.(rolecall.HistoryStore); able {
		return faultyHistory{f, h, gate}
	}
	return f
}

func open(context.Context) error { return nil }

// gated asks gate before every call and before every statement and entry.
func gated(s rolecall.Store, gate func(ctx context.Context) error) rolecall.Store {
	return decorate(s, &faulty{
		load: func(ctx context.Context) (rolecall.State, error) {
			if err := gate(ctx); err != nil {
				return rolecall.State{}, err
			}
			state, err := s.Load(ctx)
			state.Statements = gatedSeq(ctx, state.Statements, gate)
			return state, err
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
	}, gate)
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
	}}, open)
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
	}}, open)
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
	}}, open)
}

// CompactAlways returns a store that keeps no history at all: every feed is ErrCompacted, so only loading helps.
func CompactAlways(s rolecall.Store) rolecall.Store {
	return decorate(s, &faulty{changes: func(context.Context, rolecall.Revision) iter.Seq2[rolecall.Entry, error] {
		return func(yield func(rolecall.Entry, error) bool) { yield(rolecall.Entry{}, rolecall.ErrCompacted) }
	}}, open)
}

// LoseAcknowledgement returns a store whose Commit keeps the proposal and then fails with err, as when a connection is
// cut before the answer comes.
func LoseAcknowledgement(s rolecall.Store, err error) rolecall.Store {
	return decorate(s, &faulty{commit: func(ctx context.Context, p *rolecall.Proposal) error {
		if failure := s.Commit(ctx, p); failure != nil {
			return failure
		}
		return err
	}}, open)
}
