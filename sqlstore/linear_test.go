package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
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
	kept bool
	read register
}

// A commit is kept exactly where the register is at its base; a load returns the register.
var compareAndSet = porcupine.Model{
	Init: func() any { return register{} },
	Step: func(state, input, output any) (bool, any) {
		now, in, out := state.(register), input.(request), output.(response)
		switch {
		case !in.commit:
			return out.read == now, now
		case out.kept:
			return in.base == now.revision, register{now.revision + 1, in.title}
		}
		return in.base != now.revision, now
	},
}

// What several clients saw of a store can be explained by one order of their calls.
func TestCommitsAndLoadsAreLinearizable(t *testing.T) {
	t.Run("memstore", func(t *testing.T) {
		s := memstore.New()
		linearizable(t, func() rolecall.Store { return s })
	})
	eachDatabase(t, func(t *testing.T, d database, db *sql.DB) {
		tenant := newTenant()
		linearizable(t, func() rolecall.Store { return openStore(t, d, db, sqlstore.Options{Tenant: tenant}) })
	})
}

func linearizable(t *testing.T, handle func() rolecall.Store) {
	const clients, rounds = 4, 40
	var mu sync.Mutex
	var history []porcupine.Operation
	conflicts := 0
	var all sync.WaitGroup
	for c := range clients {
		s := handle()
		all.Go(func() {
			base, _, err := readRegister(t.Context(), s)
			for i := 0; i < rounds && err == nil; i++ {
				in := request{commit: i%3 != 2, base: base.Revision(), title: fmt.Sprintf("%d-%d", c, i)}
				var out response
				began := time.Now().UnixNano()
				if in.commit {
					base, out.kept, err = setRegister(t.Context(), s, base, in.title)
				} else {
					base, out.read, err = readRegister(t.Context(), s)
				}
				mu.Lock()
				history = append(history, porcupine.Operation{ClientId: c, Input: in, Call: began, Output: out, Return: time.Now().UnixNano()})
				if in.commit && !out.kept {
					conflicts++
				}
				mu.Unlock()
				if in.commit && !out.kept && err == nil {
					base, _, err = readRegister(t.Context(), s)
				}
			}
			if err != nil {
				t.Errorf("client %d: %v", c, err)
			}
		})
	}
	all.Wait()
	if result := porcupine.CheckOperationsTimeout(compareAndSet, history, time.Minute); result != porcupine.Ok {
		t.Errorf("%d operations of %d clients: got %s, want linearizable", len(history), clients, result)
	}
	t.Logf("%d operations, %d conflicts", len(history), conflicts)
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

func setRegister(ctx context.Context, s rolecall.Store, base *rolecall.Snapshot, title string) (*rolecall.Snapshot, bool, error) {
	titled := reader
	titled.Title = title
	p, err := base.Propose(rolecall.Change{Edits: []rolecall.Edit{rolecall.Put(titled)}})
	if err != nil {
		return nil, false, err
	}
	switch err := s.Commit(ctx, p); {
	case err == nil:
		return p.Next(), true, nil
	case errors.Is(err, rolecall.ErrConflict):
		return base, false, nil
	default:
		return nil, false, err
	}
}
