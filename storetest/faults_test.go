package storetest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/memstore"
	"github.com/rolecall-go/rolecall/storetest"
)

var (
	mayView = rolecall.NewPermission("doc.view")
	ada     = rolecall.User("ada")
	reader  = rolecall.Role{Name: "reader", Rules: []rolecall.Rule{{Effect: rolecall.Allow, Patterns: []rolecall.Pattern{"doc.view"}}}}
	granted = rolecall.Grant{Subject: ada, Role: "reader", Scope: rolecall.Global()}
	errDown = errors.New("down")
)

func open(t *testing.T, s rolecall.Store, o *rolecall.Options) (*rolecall.Resolver, error) {
	t.Helper()
	c, err := rolecall.NewCatalog(rolecall.Declarations{Permissions: []rolecall.PermissionDecl{{Permission: mayView}}})
	if err != nil {
		t.Fatal(err)
	}
	return rolecall.Open(t.Context(), s, c, o)
}

func mustOpen(t *testing.T, s rolecall.Store, o *rolecall.Options) *rolecall.Resolver {
	t.Helper()
	r, err := open(t, s, o)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return r
}

func edit(t *testing.T, r *rolecall.Resolver, edits ...rolecall.Edit) error {
	t.Helper()
	_, err := r.Edit(t.Context(), rolecall.Meta{}, edits...)
	return err
}

// peopled returns a store in which Ada may view, at revision 1, and a resolver of it without faults.
func peopled(t *testing.T) (*memstore.Store, *rolecall.Resolver) {
	t.Helper()
	s := memstore.New()
	r := mustOpen(t, s, nil)
	if err := edit(t, r, rolecall.Put(reader), rolecall.Put(granted)); err != nil {
		t.Fatalf("Update: %v", err)
	}
	return s, r
}

func check(t *testing.T, r *rolecall.Resolver, want error) {
	t.Helper()
	if err := r.Check(context.Background(), ada, mayView, rolecall.Global()); !errors.Is(err, want) {
		t.Errorf("Check at revision %d: got %v, want %v", r.Revision(), err, want)
	}
}

// A resolver is there whole or not at all, wherever the store fails while it opens.
func TestFailAfter(t *testing.T) {
	for steps := 0; ; steps++ {
		s, _ := peopled(t)
		r, err := open(t, storetest.FailAfter(s, steps, errDown), nil)
		if err == nil {
			check(t, r, nil)
			if err := r.Refresh(t.Context()); !errors.Is(err, errDown) {
				t.Errorf("Refresh after %d steps: got %v, want %v", steps, err, errDown)
			}
			break
		}
		if !errors.Is(err, errDown) {
			t.Errorf("Open on a store that fails after %d steps: got %v, want %v", steps, err, errDown)
		}
		if steps > 100 {
			t.Fatal("Open fails after 100 steps of the store, want it to need fewer")
		}
	}
}

func TestStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, direct := peopled(t)
		slow, stall, release := storetest.Stall(s)
		r := mustOpen(t, slow, &rolecall.Options{MaxStaleness: time.Minute})
		stall()
		if err := edit(t, direct, rolecall.Remove(granted)); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 61*time.Second)
		defer cancel()
		if err := r.Refresh(ctx); err == nil {
			t.Error("Refresh on a stalled store: got nil, want an error")
		}
		<-ctx.Done()
		check(t, r, rolecall.ErrStale)
		release()
		if err := r.Refresh(t.Context()); err != nil {
			t.Errorf("Refresh on a store that was released: got %v, want nil", err)
		}
		check(t, r, rolecall.ErrDenied)
	})
}

// However a store tells of changes, a resolver that runs ends with what is committed.
func TestRunStandsUpToFaults(t *testing.T) {
	for name, fault := range map[string]func(rolecall.Store) rolecall.Store{
		"lost wake-ups":     storetest.LoseWakeups,
		"doubled wake-ups":  func(s rolecall.Store) rolecall.Store { return storetest.DuplicateWakeups(s, 3) },
		"repeated entries":  storetest.RepeatChanges,
		"compacted history": storetest.CompactAlways,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, direct := peopled(t)
				r := mustOpen(t, fault(s), &rolecall.Options{Poll: time.Second})
				ctx, stop := context.WithCancel(t.Context())
				ran := make(chan error)
				go func() { ran <- r.Run(ctx) }()
				synctest.Wait()
				check(t, r, nil)
				if err := edit(t, direct, rolecall.Remove(granted)); err != nil {
					t.Fatal(err)
				}
				if err := r.WaitFor(t.Context(), direct.Revision()); err != nil {
					t.Errorf("WaitFor(%d): got %v, want nil", direct.Revision(), err)
				}
				check(t, r, rolecall.ErrDenied)
				stop()
				if err := <-ran; !errors.Is(err, context.Canceled) {
					t.Errorf("Run: got %v, want the error of ctx", err)
				}
			})
		})
	}
}

func TestDecoratedStoresTellTheirHistory(t *testing.T) {
	s, _ := peopled(t)
	want, err := s.History(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	decorated, able := storetest.RepeatChanges(s).(rolecall.HistoryStore)
	if !able {
		t.Fatal("a decorated memstore is not a HistoryStore, want that it is")
	}
	if got, err := decorated.History(t.Context()); got != want || err != nil {
		t.Errorf("History of a decorated store: got %q, %v, want %q", got, err, want)
	}
	failing := storetest.FailAfter(s, 0, errDown).(rolecall.HistoryStore)
	if _, err := failing.History(t.Context()); !errors.Is(err, errDown) {
		t.Errorf("History of a store that fails: got %v, want %v", err, errDown)
	}
}

func TestDecoratedStoresDoWhatTheStoreDoes(t *testing.T) {
	s, _ := peopled(t)
	for _, c := range []struct {
		able                  string
		store                 rolecall.Store
		history, handsOutPast bool
	}{
		{"nothing more", struct{ rolecall.Store }{s}, false, false},
		{"History", struct{ rolecall.HistoryStore }{s}, true, false},
		{"At", struct{ rolecall.PastStore }{s}, false, true},
		{"History and At", s, true, true},
	} {
		decorated := storetest.LoseWakeups(c.store)
		_, history := decorated.(rolecall.HistoryStore)
		_, past := decorated.(rolecall.PastStore)
		if history != c.history || past != c.handsOutPast {
			t.Errorf("a decorated store that has %s: is a HistoryStore %t, a PastStore %t, want %t, %t", c.able, history, past, c.history, c.handsOutPast)
		}
	}
}

// The past has two statements. A step is a call, a statement, or the end.
func TestDecoratedStoresHandOutThePast(t *testing.T) {
	s, _ := peopled(t)
	failing := func(steps int) rolecall.Store { return storetest.FailAfter(s, steps, errDown) }
	for _, c := range []struct {
		decorated string
		store     func() rolecall.Store
		want      error
	}{
		{"RepeatChanges", func() rolecall.Store { return storetest.RepeatChanges(s) }, nil},
		{"CompactAlways", func() rolecall.Store { return storetest.CompactAlways(s) }, rolecall.ErrCompacted},
		{"FailAfter 0 steps", func() rolecall.Store { return failing(0) }, errDown},
		{"FailAfter 1 step", func() rolecall.Store { return failing(1) }, errDown},
		{"FailAfter 3 steps", func() rolecall.Store { return failing(3) }, errDown},
		{"FailAfter 4 steps", func() rolecall.Store { return failing(4) }, nil},
	} {
		state, err := c.store().(rolecall.PastStore).At(t.Context(), 1)
		if err := readAll(state, err); !errors.Is(err, c.want) {
			t.Errorf("%s: At(1) read to its end: got %v, want %v", c.decorated, err, c.want)
		}
		state, err = c.store().(rolecall.PastStore).AtTime(t.Context(), time.Now())
		if err := readAll(state, err); !errors.Is(err, c.want) {
			t.Errorf("%s: AtTime(now) read to its end: got %v, want %v", c.decorated, err, c.want)
		}
	}
}

func readAll(state rolecall.State, err error) error {
	if err != nil {
		return err
	}
	for _, err := range state.Statements {
		if err != nil {
			return err
		}
	}
	return nil
}

func TestLoseAcknowledgement(t *testing.T) {
	s, direct := peopled(t)
	r := mustOpen(t, storetest.LoseAcknowledgement(s, errDown), nil)
	if err := edit(t, r, rolecall.Remove(granted)); !errors.Is(err, errDown) {
		t.Errorf("Update: got %v, want %v", err, errDown)
	}
	for _, one := range []*rolecall.Resolver{r, direct} {
		if err := one.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		check(t, one, rolecall.ErrDenied)
	}
}
