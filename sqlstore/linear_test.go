package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/memstore"
	"github.com/rolecall-go/rolecall/sqlstore"
)

// The register of the model: a revision, and the title that the role reader has there.
type register struct {
	revision rolecall.Revision
	title    string
}

type request struct {
	commit bool
	base   rolecall.Revision
	title  string
}

type response struct {
	kept, unknown bool
	read          register
}

// A commit is kept exactly where the register is at its base; a load returns the register.
var compareAndSet = porcupine.Model{
	Init: func() any { return register{} },
	Step: func(state, input, output any) (bool, any) {
		now, in, out := state.(register), input.(request), output.(response)
		switch fits := in.base == now.revision; {
		case !in.commit:
			return out.read == now, now
		case out.kept:
			return fits, register{now.revision + 1, in.title}
		default:
			return !fits, now
		}
	},
}

// A client has a store of its own, and a harm that is done to a call: a context that may end at any time, or a
// connection that may be cut.
type client struct {
	store rolecall.Store
	harm  func(ctx context.Context) (harmed context.Context, done func())
}

func unharmed(ctx context.Context) (context.Context, func()) { return ctx, func() {} }

// What several clients saw of a store can be explained by one order of their calls.
func TestCommitsAndLoadsAreLinearizable(t *testing.T) {
	calm := func(t *testing.T, open func() rolecall.Store) {
		if failed := linearizable(t, func() client { return client{open(), unharmed} }); failed > 0 {
			t.Errorf("%d calls failed although nothing was done to them", failed)
		}
	}
	memory := memstore.New()
	t.Run("memstore", func(t *testing.T) { calm(t, func() rolecall.Store { return memory }) })
	eachDatabase(t, func(t *testing.T, d database, db *sql.DB) {
		tenant := newTenant()
		calm(t, func() rolecall.Store { return openStore(t, d, db, sqlstore.Options{Tenant: tenant}) })
	})
}

// A countdown is a context that ends when it was looked at some number of times.
type countdown struct {
	context.Context
	cancel context.CancelFunc
	left   *atomic.Int64
}

func (c countdown) look() {
	if c.left.Add(-1) == 0 {
		c.cancel()
	}
}

func (c countdown) Done() <-chan struct{} { c.look(); return c.Context.Done() }
func (c countdown) Err() error            { c.look(); return c.Context.Err() }

// The same where calls are given up, anywhere in their course.
func TestCallsGivenUpAreLinearizable(t *testing.T) {
	giveUp := func(ctx context.Context) (context.Context, func()) {
		c := countdown{left: new(atomic.Int64)}
		c.Context, c.cancel = context.WithCancel(ctx)
		c.left.Store(1 + rand.Int64N(1+rand.Int64N(120)))
		return c, c.cancel
	}
	memory := memstore.New()
	t.Run("memstore", func(t *testing.T) {
		injected(t, "calls given up", linearizable(t, func() client { return client{memory, giveUp} }))
	})
	eachDatabase(t, func(t *testing.T, d database, db *sql.DB) {
		tenant := newTenant()
		injected(t, "calls given up", linearizable(t, func() client { return client{openStore(t, d, db, sqlstore.Options{Tenant: tenant}), giveUp} }))
	})
}

// The same where every client has a line of its own, which is cut again and again.
func TestCallsCutOffAreLinearizable(t *testing.T) {
	d := postgres(t)
	db := d.migrated(t)
	tenant := newTenant()
	openStore(t, d, db, sqlstore.Options{Tenant: tenant})
	injected(t, "calls cut off", linearizable(t, func() client {
		w, far := behind(t, d)
		w.carry(plenty)
		s := openStore(t, far, far.open(t), sqlstore.Options{Tenant: tenant})
		return client{s, func(ctx context.Context) (context.Context, func()) {
			w.carry(rand.N[int64](900))
			return ctx, func() {}
		}}
	}))
}

// linearizable lets clients commit and load, checks what they saw, and returns how many of their calls failed.
func linearizable(t *testing.T, join func() client) (failed int) {
	t.Helper()
	const clients, rounds = 4, 40
	var mu sync.Mutex
	var history []porcupine.Operation
	conflicts, unknown := 0, 0
	var all sync.WaitGroup
	for c := range clients {
		one := join()
		all.Go(func() {
			base, _, err := readRegister(t.Context(), one.store)
			for i := 0; i < rounds; i++ {
				if base == nil {
					t.Errorf("client %d begins with: %v", c, err)
					return
				}
				in := request{commit: i%3 != 2, base: base.Revision(), title: fmt.Sprintf("%d-%d", c, i)}
				ctx, done := one.harm(t.Context())
				op := porcupine.Operation{ClientId: c, Input: in, Call: time.Now().UnixNano()}
				next, out, err := call(ctx, one.store, base, in)
				op.Output, op.Return = out, time.Now().UnixNano()
				done()
				base = next
				mu.Lock()
				if out.unknown {
					unknown++
					op.Return = math.MaxInt64
				}
				if err != nil {
					failed++
				}
				if err == nil || out.unknown {
					history = append(history, op)
				}
				if in.commit && err == nil && !out.kept {
					conflicts++
				}
				mu.Unlock()
				if in.commit && !out.kept {
					if again, _, err := readRegister(ctx, one.store); err == nil {
						base = again
					}
				}
			}
		})
	}
	all.Wait()
	history = settle(history, keptTitles(t, join().store))
	if result := porcupine.CheckOperationsTimeout(compareAndSet, history, time.Minute); result != porcupine.Ok {
		t.Errorf("%d operations of %d clients: got %s, want linearizable", len(history), clients, result)
	}
	t.Logf("%d operations, %d conflicts, %d commits of which nobody knows, %d calls failed", len(history), conflicts, unknown, failed)
	return failed
}

// keptTitles are the titles that the changes of a store have set, by their revision.
func keptTitles(t *testing.T, s rolecall.Store) map[rolecall.Revision]string {
	t.Helper()
	kept := map[rolecall.Revision]string{}
	for e, err := range s.Changes(t.Context(), 0) {
		if err != nil {
			t.Fatalf("changes of the store after all calls: %v", err)
		}
		for _, d := range e.Deltas {
			kept[e.Revision] = d.After.(rolecall.Role).Title
		}
	}
	return kept
}

// settle decides the commits of which nobody knew by what the store kept: each has a title of its own. One that was kept
// took effect at some time after it began, and perhaps after everything else; one that was not is as if it had not been
// made. So there is nothing left to guess, which would take as long as all guesses together.
func settle(history []porcupine.Operation, kept map[rolecall.Revision]string) []porcupine.Operation {
	var settled []porcupine.Operation
	for _, op := range history {
		in, out := op.Input.(request), op.Output.(response)
		if out.unknown {
			if kept[in.base+1] != in.title {
				continue
			}
			op.Output = response{kept: true}
		}
		settled = append(settled, op)
	}
	return settled
}

// call makes one call, and returns what to build on next.
func call(ctx context.Context, s rolecall.Store, base *rolecall.Snapshot, in request) (*rolecall.Snapshot, response, error) {
	if !in.commit {
		next, now, err := readRegister(ctx, s)
		if err != nil {
			return base, response{}, err
		}
		return next, response{read: now}, nil
	}
	titled := reader
	titled.Title = in.title
	p, err := base.Propose(rolecall.Change{Edits: []rolecall.Edit{rolecall.Put(titled)}})
	if err != nil {
		return base, response{}, err
	}
	switch err := s.Commit(ctx, p); {
	case err == nil:
		return p.Next(), response{kept: true}, nil
	case errors.Is(err, rolecall.ErrConflict):
		return base, response{}, nil
	default:
		return base, response{unknown: true}, err
	}
}

func readRegister(ctx context.Context, s rolecall.Store) (*rolecall.Snapshot, register, error) {
	state, err := s.Load(ctx)
	if err != nil {
		return nil, register{}, err
	}
	snapshot, err := rolecall.LoadSnapshot(vocabulary(), state)
	if err != nil {
		return nil, register{}, err
	}
	role, _ := snapshot.Role("reader")
	return snapshot.At(time.Unix(0, 0)), register{snapshot.Revision(), role.Title}, nil
}
