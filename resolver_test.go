package rolecall_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/memstore"
	"github.com/rolecall-go/rolecall/rolecalltest"
)

func openResolver(t testing.TB, store rolecall.Store, c *rolecall.Catalog, o *rolecall.Options) *rolecall.Resolver {
	t.Helper()
	r, err := rolecall.Open(t.Context(), store, c, o)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return r
}

func edit(edits ...rolecall.Edit) func(*rolecall.Snapshot) (rolecall.Change, error) {
	return func(*rolecall.Snapshot) (rolecall.Change, error) { return rolecall.Change{Edits: edits}, nil }
}

func update(t testing.TB, r *rolecall.Resolver, edits ...rolecall.Edit) rolecall.Revision {
	t.Helper()
	revision, err := r.Edit(t.Context(), rolecall.Meta{}, edits...)
	if err != nil {
		t.Fatalf("Edit(%v): %v", edits, err)
	}
	return revision
}

// A faulty is a store of which single methods are replaced, at any time.
type faulty struct {
	rolecall.Store
	mu      sync.Mutex
	load    func(context.Context) (rolecall.State, error)
	commit  func(context.Context, *rolecall.Proposal) error
	changes func(context.Context, rolecall.Revision) iter.Seq2[rolecall.Entry, error]
	wait    func(context.Context, rolecall.Revision) error
	asked   atomic.Int64 // calls of Changes
	loaded  atomic.Int64 // calls of Load
}

// set alters the replacements.
func (f *faulty) set(alter func(f *faulty)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	alter(f)
}

func replacement[F any](f *faulty, of *F) F {
	f.mu.Lock()
	defer f.mu.Unlock()
	return *of
}

func (f *faulty) Load(ctx context.Context) (rolecall.State, error) {
	f.loaded.Add(1)
	if load := replacement(f, &f.load); load != nil {
		return load(ctx)
	}
	return f.Store.Load(ctx)
}

func (f *faulty) Commit(ctx context.Context, p *rolecall.Proposal) error {
	if commit := replacement(f, &f.commit); commit != nil {
		return commit(ctx, p)
	}
	return f.Store.Commit(ctx, p)
}

func (f *faulty) Changes(ctx context.Context, after rolecall.Revision) iter.Seq2[rolecall.Entry, error] {
	f.asked.Add(1)
	if changes := replacement(f, &f.changes); changes != nil {
		return changes(ctx, after)
	}
	return f.Store.Changes(ctx, after)
}

func (f *faulty) Wait(ctx context.Context, after rolecall.Revision) error {
	if wait := replacement(f, &f.wait); wait != nil {
		return wait(ctx, after)
	}
	return f.Store.Wait(ctx, after)
}

var errDown = errors.New("the store is down")

// down makes every way of reading the store fail.
func down(f *faulty) {
	f.load = func(context.Context) (rolecall.State, error) { return rolecall.State{}, errDown }
	f.changes = func(context.Context, rolecall.Revision) iter.Seq2[rolecall.Entry, error] { return failing(errDown) }
	f.wait = func(context.Context, rolecall.Revision) error { return errDown }
}

func up(f *faulty) { f.load, f.changes, f.wait, f.commit = nil, nil, nil, nil }

func failing(err error) iter.Seq2[rolecall.Entry, error] {
	return func(yield func(rolecall.Entry, error) bool) { yield(rolecall.Entry{}, err) }
}

// hangingAfter returns feeds that hand out n entries of the store, and then nothing until their reader gives up.
func hangingAfter(store rolecall.Store, n int) func(context.Context, rolecall.Revision) iter.Seq2[rolecall.Entry, error] {
	return func(ctx context.Context, after rolecall.Revision) iter.Seq2[rolecall.Entry, error] {
		return func(yield func(rolecall.Entry, error) bool) {
			left := n
			for e, err := range store.Changes(ctx, after) {
				if left--; left < 0 || !yield(e, err) {
					break
				}
			}
			<-ctx.Done()
			yield(rolecall.Entry{}, ctx.Err())
		}
	}
}

func wantDenied(t testing.TB, r *rolecall.Resolver, who rolecall.Subject, p rolecall.Permission, at rolecall.Scope) {
	t.Helper()
	if err := r.Check(t.Context(), who, p, at); !errors.Is(err, rolecall.ErrDenied) {
		t.Errorf("Check(%s, %s, %s) at revision %d = %v, want denied", who, p, at, r.Revision(), err)
	}
}

func wantAllowed(t testing.TB, r *rolecall.Resolver, who rolecall.Subject, p rolecall.Permission, at rolecall.Scope) {
	t.Helper()
	if err := r.Check(t.Context(), who, p, at); err != nil {
		t.Errorf("Check(%s, %s, %s) at revision %d = %v, want allowed", who, p, at, r.Revision(), err)
	}
}

// wantStale wants that no question is answered, and that this is not mistaken for a denial.
func wantStale(t testing.TB, r *rolecall.Resolver, when string) {
	t.Helper()
	_, decideErr := r.Decide(t.Context(), rolecall.Request{Subject: userAda, Permission: mayView, Scope: projectAlpha})
	_, snapshotErr := r.Snapshot()
	for what, err := range map[string]error{"Check": r.Check(t.Context(), userAda, mayView, projectAlpha), "Decide": decideErr, "Snapshot": snapshotErr} {
		if !errors.Is(err, rolecall.ErrStale) || errors.Is(err, rolecall.ErrDenied) {
			t.Errorf("%s %s: %v, want ErrStale", what, when, err)
		}
	}
	if !r.Health().Stale {
		t.Errorf("Health %s = %+v, want Stale", when, r.Health())
	}
}

// Where anything is wrong there is no resolver at all.
func TestOpenFailsClosed(t *testing.T) {
	c := smallCatalog(t)
	viewer, granted := roleOf("viewer", "task.view"), grant(userAda, "viewer", projectAlpha)
	state := func(err error, statements ...rolecall.Statement) func(context.Context) (rolecall.State, error) {
		return func(context.Context) (rolecall.State, error) {
			return rolecall.State{Statements: func(yield func(rolecall.Statement, error) bool) {
				for _, s := range statements {
					if !yield(s, nil) {
						return
					}
				}
				if err != nil {
					yield(nil, err)
				}
			}}, nil
		}
	}
	for name, test := range map[string]struct {
		load func(context.Context) (rolecall.State, error)
		o    *rolecall.Options
		want error
	}{
		"load fails":            {load: func(context.Context) (rolecall.State, error) { return rolecall.State{}, errDown }, want: errDown},
		"load breaks off":       {load: state(errDown, viewer, granted), want: errDown},
		"nil statement":         {load: state(nil, viewer, nil), want: rolecall.ErrInvalid},
		"unknown role":          {load: state(nil, granted), want: rolecall.ErrUnknown},
		"unknown permission":    {load: state(nil, roleOf("viewer", "task.viw")), want: rolecall.ErrUnknown},
		"two roles of one name": {load: state(nil, viewer, roleOf("viewer", "task.update")), want: rolecall.ErrInvalid},
		"role cycle":            {load: state(nil, rolecall.Role{Name: "a", Inherits: []rolecall.RoleName{"b"}}, rolecall.Role{Name: "b", Inherits: []rolecall.RoleName{"a"}}), want: rolecall.ErrCycle},
		"negative staleness":    {load: state(nil), o: &rolecall.Options{MaxStaleness: -1}, want: rolecall.ErrInvalid},
		"polls too rarely":      {load: state(nil), o: &rolecall.Options{MaxStaleness: time.Second, Poll: time.Second}, want: rolecall.ErrInvalid},
	} {
		r, err := rolecall.Open(t.Context(), &faulty{Store: memstore.New(), load: test.load}, c, test.o)
		if r != nil || !errors.Is(err, test.want) {
			t.Errorf("Open, %s: %v, %v, want no resolver and %v", name, r, err, test.want)
		}
	}
	if r, err := rolecall.Open(t.Context(), &faulty{Store: memstore.New(), load: func(context.Context) (rolecall.State, error) { return rolecall.State{}, nil }}, c, nil); r != nil || err == nil {
		t.Errorf("Open of a store without statements: %v, %v, want an error", r, err)
	}
	if r, err := rolecall.Open(t.Context(), nil, c, nil); r != nil || !errors.Is(err, rolecall.ErrInvalid) {
		t.Errorf("Open without a store: %v, %v, want %s", r, err, rolecall.ErrInvalid)
	}
}

func TestResolverCheck(t *testing.T) {
	store, c := smallStore(t)
	r := openResolver(t, store, c, nil)
	update(t, r, rolecall.Put(grant(userAda, "viewer", projectAlpha)))
	wantAllowed(t, r, userAda, mayView, projectAlpha.In("shot", "010"))

	err := r.Check(t.Context(), userBob, mayView, projectAlpha)
	var no *rolecall.DeniedError
	want := rolecall.DeniedError{Subject: userBob, Permission: mayView, Scope: projectAlpha, Reason: rolecall.NothingSaid, Revision: 1}
	if !errors.As(err, &no) || *no != want {
		t.Errorf("Check = %#v, want %#v", err, want)
	}
	for name, err := range map[string]error{
		"undeclared permission": r.Check(t.Context(), userAda, rolecall.NewPermission("task.viw"), projectAlpha),
		"zero subject":          r.Check(t.Context(), rolecall.Subject{}, mayView, projectAlpha),
		"zero permission":       r.Check(t.Context(), userAda, rolecall.Permission{}, projectAlpha),
		"zero scope":            r.Check(t.Context(), userAda, mayView, rolecall.Scope{}),
		"undeclared condition":  r.Check(t.Context(), userAda, mayView, projectAlpha, rolecall.Given{"asigned"}),
	} {
		if err == nil || errors.Is(err, rolecall.ErrDenied) {
			t.Errorf("Check with %s: %v, want an error that is not a denial", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, decideErr := r.Decide(ctx, rolecall.Request{Subject: userAda, Permission: mayView, Scope: projectAlpha})
	for what, err := range map[string]error{"Check": r.Check(ctx, userAda, mayView, projectAlpha), "Decide": decideErr} {
		if !errors.Is(err, context.Canceled) || errors.Is(err, rolecall.ErrDenied) {
			t.Errorf("%s with a cancelled context: %v, want context.Canceled", what, err)
		}
	}
}

func TestZeroResolverRefuses(t *testing.T) {
	var r rolecall.Resolver
	wantStale(t, &r, "on the zero Resolver")
	_, updateErr := r.Update(t.Context(), rolecall.Meta{}, edit())
	_, changesErr := revisionsOf(r.Changes(t.Context(), 0))
	for what, err := range map[string]error{
		"Update": updateErr, "Changes": changesErr, "Refresh": r.Refresh(t.Context()), "WaitFor": r.WaitFor(t.Context(), 1), "Run": r.Run(t.Context()),
	} {
		if !errors.Is(err, rolecall.ErrStale) {
			t.Errorf("%s of the zero Resolver: %v, want ErrStale", what, err)
		}
	}
}

// The clock is read where a window is in play, and only there.
func TestResolverReadsTheClockForWindows(t *testing.T) {
	store, c := smallStore(t)
	clock, reads := rolecalltest.NewClock(t, storeTime), 0
	r := openResolver(t, store, c, &rolecall.Options{Clock: func() time.Time { reads++; return clock.Now() }})
	timed := grant(userBob, "viewer", projectBeta)
	timed.NotAfter = storeTime.Add(time.Hour)
	update(t, r, rolecall.Put(grant(userAda, "viewer", projectAlpha)), rolecall.Put(timed))
	reads = 0
	wantAllowed(t, r, userAda, mayView, projectAlpha)
	if reads != 0 {
		t.Errorf("a Check without windows reads the clock %d times, want 0", reads)
	}
	wantAllowed(t, r, userBob, mayView, projectBeta)
	if reads != 1 {
		t.Errorf("a Check with a window reads the clock %d times, want 1", reads)
	}
	clock.Advance(time.Hour)
	wantDenied(t, r, userBob, mayView, projectBeta)
}

func TestResolverJudgesWindowsAtThePresent(t *testing.T) {
	store, c := smallStore(t)
	clock := rolecalltest.NewClock(t, storeTime)
	r := openResolver(t, store, c, &rolecall.Options{Clock: clock.Now})
	g := grant(userAda, "viewer", projectAlpha)
	g.NotBefore = storeTime.Add(time.Hour)
	update(t, r, rolecall.Put(g))
	request := rolecall.Request{Subject: userAda, Permission: mayView, Scope: projectAlpha}
	for _, want := range []bool{false, true} {
		d, err := r.Decide(t.Context(), request)
		s, snapshotErr := r.Snapshot()
		if err != nil || d.Allowed() != want || !d.Request().Now.Equal(clock.Now()) || snapshotErr != nil || (s.Check(userAda, mayView, projectAlpha) == nil) != want {
			t.Errorf("at %v: Decide = %v, %v; Snapshot: %v; want allowed %v", clock.Now(), d, err, snapshotErr, want)
		}
		clock.Advance(time.Hour)
	}
	request.Now = storeTime
	if d, err := r.Decide(t.Context(), request); err != nil || d.Allowed() {
		t.Errorf("Decide at an earlier Now = %v, %v, want denied", d, err)
	}
}

func TestUpdateEnforcesWhatItCommitted(t *testing.T) {
	store, c := smallStore(t)
	clock := rolecalltest.NewClock(t, storeTime)
	r := openResolver(t, store, c, &rolecall.Options{Clock: clock.Now})
	for i, e := range []rolecall.Edit{rolecall.Put(grant(userAda, "viewer", projectAlpha)), rolecall.Remove(grant(userAda, "viewer", projectAlpha))} {
		revision, err := r.Update(t.Context(), rolecall.Meta{Reason: "test"}, edit(e))
		if err != nil || revision != rolecall.Revision(i+1) || r.Revision() != revision {
			t.Fatalf("Update %d = %d, %v, and the resolver is at %d; want %d", i, revision, err, r.Revision(), i+1)
		}
		if allowed := r.Check(t.Context(), userAda, mayView, projectAlpha) == nil; allowed != (i == 0) {
			t.Errorf("after revision %d allowed is %v, want %v", revision, allowed, i == 0)
		}
		clock.Advance(time.Minute)
	}
	var minutes []int
	for e, err := range store.Changes(t.Context(), 0) {
		if err != nil || e.Reason != "test" {
			t.Errorf("history has %v, %v, want the reason", e, err)
		}
		minutes = append(minutes, e.Time.Minute())
	}
	if !slices.Equal(minutes, []int{0, 1}) {
		t.Errorf("the history's times are at minutes %v, want [0 1]", minutes)
	}
}

// What alters nothing is not committed.
func TestUpdateWithoutEffect(t *testing.T) {
	store, c := smallStore(t)
	r := openResolver(t, store, c, nil)
	update(t, r, rolecall.Put(grant(userAda, "viewer", projectAlpha)))
	for name, edits := range map[string][]rolecall.Edit{
		"no edits":       nil,
		"the same":       {rolecall.Put(grant(userAda, "viewer", projectAlpha))},
		"back and forth": {rolecall.Remove(grant(userAda, "viewer", projectAlpha)), rolecall.Put(grant(userAda, "viewer", projectAlpha))},
	} {
		if revision := update(t, r, edits...); revision != 1 {
			t.Errorf("Update with %s = revision %d, want 1", name, revision)
		}
	}
	if got, err := revisionsOf(store.Changes(t.Context(), 0)); err != nil || len(got) != 1 {
		t.Errorf("history = %v, %v, want one entry", got, err)
	}
}

// On a conflict fn sees what the others did; and what a resolver has not seen yet is no reason to refuse, nor to
// believe that nothing needs to be done.
func TestUpdateOnAnOutdatedSnapshot(t *testing.T) {
	store, c := smallStore(t)
	views := grant(userAda, "viewer", projectAlpha)
	a, b := openResolver(t, store, c, nil), openResolver(t, store, c, nil)
	update(t, a, rolecall.Put(views))
	var seen []rolecall.Revision
	revision, err := b.Update(t.Context(), rolecall.Meta{}, func(s *rolecall.Snapshot) (rolecall.Change, error) {
		seen = append(seen, s.Revision())
		return rolecall.Change{Edits: []rolecall.Edit{rolecall.Put(grant(userBob, "viewer", projectAlpha))}}, nil
	})
	if err != nil || revision != 2 || !slices.Equal(seen, []rolecall.Revision{0, 1}) {
		t.Errorf("Update after a conflict = %d, %v, fn saw %v; want 2 and [0 1]", revision, err, seen)
	}
	wantAllowed(t, b, userAda, mayView, projectAlpha)
	// To a, bob's grant is still unknown.
	if revision := update(t, a, rolecall.Remove(grant(userBob, "viewer", projectAlpha))); revision != 3 {
		t.Errorf("removing what another resolver put = revision %d, want 3", revision)
	}
	update(t, a, rolecall.Remove(views))
	// To b, ada's grant still stands.
	if revision := update(t, b, rolecall.Put(views)); revision != 5 {
		t.Errorf("putting again what another resolver removed = revision %d, want 5", revision)
	}
	wantAllowed(t, b, userAda, mayView, projectAlpha)
}

func TestUpdateRefuses(t *testing.T) {
	store, c := smallStore(t)
	r := openResolver(t, store, c, nil)
	boom := errors.New("boom")
	for name, test := range map[string]struct {
		fn   func(*rolecall.Snapshot) (rolecall.Change, error)
		want error
	}{
		"fn fails":             {func(*rolecall.Snapshot) (rolecall.Change, error) { return rolecall.Change{}, boom }, boom},
		"fn fails as conflict": {func(*rolecall.Snapshot) (rolecall.Change, error) { return rolecall.Change{}, rolecall.ErrConflict }, rolecall.ErrConflict},
		"no function":          {nil, rolecall.ErrInvalid},
		"refused":              {edit(rolecall.Put(grant(userAda, "nobody", projectAlpha))), rolecall.ErrUnknown},
		"half refused":         {edit(rolecall.Put(grant(userAda, "viewer", projectAlpha)), rolecall.Put(grant(userAda, "nobody", projectAlpha))), rolecall.ErrUnknown},
		"zero edit":            {edit(rolecall.Edit{}), rolecall.ErrInvalid},
		// An actor said in the wrong place must not be lost: without an actor nothing is judged.
		"fn names the actor": {func(*rolecall.Snapshot) (rolecall.Change, error) {
			return rolecall.Change{Meta: rolecall.Meta{Actor: userBob}, Edits: []rolecall.Edit{rolecall.Put(grant(userAda, "viewer", projectAlpha))}}, nil
		}, rolecall.ErrInvalid},
	} {
		if revision, err := r.Update(t.Context(), rolecall.Meta{}, test.fn); revision != 0 || !errors.Is(err, test.want) {
			t.Errorf("Update, %s = %d, %v, want 0 and %v", name, revision, err, test.want)
		}
	}
	if s := load(t, c, store); s.Revision() != 0 || r.Revision() != 0 {
		t.Errorf("after refusals the store is at %d and the resolver at %d, want 0", s.Revision(), r.Revision())
	}
	wantDenied(t, r, userAda, mayView, projectAlpha)
}

// Edits are judged together, as made by whom Meta names.
func TestEdit(t *testing.T) {
	store, c := smallStore(t)
	r := openResolver(t, store, c, nil)
	good, bad := rolecall.Put(grant(userAda, "viewer", projectAlpha)), rolecall.Put(grant(userAda, "nobody", projectAlpha))
	if revision, err := r.Edit(t.Context(), rolecall.Meta{}, good, bad); revision != 0 || !errors.Is(err, rolecall.ErrUnknown) {
		t.Errorf("Edit(%v, %v) = %d, %v, want 0 and unknown", good, bad, revision, err)
	}
	if revision, err := r.Edit(t.Context(), rolecall.Meta{Actor: userBob}, good); revision != 0 || !errors.Is(err, rolecall.ErrNotPermitted) {
		t.Errorf("Edit(%v) by %v = %d, %v, want 0 and not-permitted", good, userBob, revision, err)
	}
	wantDenied(t, r, userAda, mayView, projectAlpha)
	if revision, err := r.Edit(t.Context(), rolecall.Meta{}, good); revision != 1 || err != nil || r.Check(t.Context(), userAda, mayView, projectAlpha) != nil {
		t.Errorf("Edit(%v) = %d, %v, want revision 1, enforced", good, revision, err)
	}
}

func TestUpdatePanicCommitsNothing(t *testing.T) {
	store, c := smallStore(t)
	r := openResolver(t, store, c, nil)
	func() {
		defer func() {
			if got := recover(); got != "boom" {
				t.Errorf("Update with a panicking fn recovers %v, want boom", got)
			}
		}()
		_, _ = r.Update(t.Context(), rolecall.Meta{}, func(*rolecall.Snapshot) (rolecall.Change, error) { panic("boom") })
	}()
	if revision := update(t, r, rolecall.Put(grant(userAda, "viewer", projectAlpha))); revision != 1 {
		t.Errorf("the first Update after a panic = revision %d, want 1", revision)
	}
}

// An outcome that is not known is an error, and is found out by the next catch-up.
func TestUpdateWithUnknownOutcome(t *testing.T) {
	store, c := smallStore(t)
	f := &faulty{Store: store}
	r := openResolver(t, f, c, nil)
	f.set(func(f *faulty) {
		f.commit = func(ctx context.Context, p *rolecall.Proposal) error {
			return errors.Join(store.Commit(ctx, p), errDown)
		}
	})
	if revision, err := r.Update(t.Context(), rolecall.Meta{}, edit(rolecall.Put(grant(userAda, "viewer", projectAlpha)))); revision != 0 || !errors.Is(err, errDown) {
		t.Errorf("Update whose acknowledgement is lost = %d, %v, want the store's error", revision, err)
	}
	wantDenied(t, r, userAda, mayView, projectAlpha)
	f.set(up)
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatalf("Refresh: %v", err)
	}
	wantAllowed(t, r, userAda, mayView, projectAlpha)
}

// A store that always conflicts is asked until the context ends, at a growing distance.
func TestUpdateUnderEndlessConflict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, c := smallStore(t)
		tries := 0
		f := &faulty{Store: store, commit: func(context.Context, *rolecall.Proposal) error { tries++; return rolecall.ErrConflict }}
		r := openResolver(t, f, c, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := r.Update(ctx, rolecall.Meta{}, edit(rolecall.Put(grant(userAda, "viewer", projectAlpha))))
		if !errors.Is(err, context.DeadlineExceeded) || tries < 3 || tries > 100 {
			t.Errorf("Update: %v after %d tries in a minute, want the deadline exceeded after a few", err, tries)
		}
	})
}

// However many changes are refused at once, the store is not asked for each of them: whoever may change nothing could make
// all others wait.
func TestRefusedUpdatesShareALook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const many = 100
		store, c := smallStore(t)
		f := &faulty{Store: store, changes: func(ctx context.Context, after rolecall.Revision) iter.Seq2[rolecall.Entry, error] {
			time.Sleep(time.Second)
			return store.Changes(ctx, after)
		}}
		r := openResolver(t, f, c, nil)
		commit(t, c, store, rolecall.Put(grant(userBob, "viewer", projectAlpha))) // which the resolver does not know of
		var callers sync.WaitGroup
		for range many {
			callers.Go(func() {
				_, err := r.Edit(t.Context(), rolecall.Meta{Actor: userAda}, rolecall.Put(grant(userAda, "artist", projectAlpha)))
				if !errors.Is(err, rolecall.ErrNotPermitted) || r.Revision() != 1 {
					t.Errorf("Edit by who may not = %v at revision %d, want not permitted, found at 1", err, r.Revision())
				}
			})
		}
		callers.Wait()
		if asked := f.asked.Load(); asked > 3 {
			t.Errorf("%d changes refused at once: the store was asked %d times, want once or twice", many, asked)
		}
	})
}

func TestMaxStaleness(t *testing.T) {
	store, c := smallStore(t)
	clock := rolecalltest.NewClock(t, storeTime)
	f := &faulty{Store: store}
	r := openResolver(t, f, c, &rolecall.Options{Clock: clock.Now, MaxStaleness: time.Minute})
	update(t, r, rolecall.Put(grant(userAda, "viewer", projectAlpha)))
	clock.Advance(time.Minute)
	wantAllowed(t, r, userAda, mayView, projectAlpha)
	clock.Advance(1)
	wantStale(t, r, "after more than MaxStaleness")

	f.set(down)
	if err := r.Refresh(t.Context()); !errors.Is(err, errDown) {
		t.Errorf("Refresh of a store that is down: %v, want its error", err)
	}
	wantStale(t, r, "after a refresh that failed")
	if h := r.Health(); !errors.Is(h.Err, errDown) || h.Age != time.Minute+1 || h.Revision != 1 {
		t.Errorf("Health = %+v, want revision 1, the store's error and an age of a minute", h)
	}
	f.set(up)
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatalf("Refresh: %v", err)
	}
	wantAllowed(t, r, userAda, mayView, projectAlpha)
	if h := r.Health(); h.Stale || h.Err != nil || h.Age != 0 || !h.Confirmed.Equal(clock.Now()) {
		t.Errorf("Health after a refresh = %+v, want fresh, of now, without an error", h)
	}

	// A commit of its own confirms, too.
	clock.Advance(time.Hour)
	wantStale(t, r, "after an hour")
	update(t, r, rolecall.Put(grant(userBob, "viewer", projectAlpha)))
	wantAllowed(t, r, userAda, mayView, projectAlpha)
}

// The instant that counts is the one before the store was asked, not the one when it had answered.
func TestStalenessCountsFromTheQuestion(t *testing.T) {
	store, c := smallStore(t)
	clock := rolecalltest.NewClock(t, storeTime)
	f := &faulty{Store: store}
	r := openResolver(t, f, c, &rolecall.Options{Clock: clock.Now, MaxStaleness: time.Minute})
	f.set(func(f *faulty) {
		f.changes = func(ctx context.Context, after rolecall.Revision) iter.Seq2[rolecall.Entry, error] {
			clock.Advance(50 * time.Second)
			return store.Changes(ctx, after)
		}
	})
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatalf("Refresh: %v", err)
	}
	clock.Advance(11 * time.Second)
	wantStale(t, r, "61 seconds after the store was asked")
}

// A clock that goes back makes nothing fresher: not while it is back, and not when it comes by again.
func TestStalenessWithClockGoingBack(t *testing.T) {
	store, c := smallStore(t)
	clock := rolecalltest.NewClock(t, storeTime)
	r := openResolver(t, store, c, &rolecall.Options{Clock: clock.Now, MaxStaleness: time.Minute})
	clock.Advance(-time.Hour)
	wantStale(t, r, "an hour before the confirmation")
	clock.Advance(time.Hour + time.Second)
	wantStale(t, r, "when the clock has come by again")
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatalf("Refresh: %v", err)
	}
	wantDenied(t, r, userAda, mayView, projectAlpha)
	clock.Advance(-time.Hour)
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatalf("Refresh: %v", err)
	}
	wantDenied(t, r, userAda, mayView, projectAlpha)
}

// A commit that was confirmed before a later look, and is told of after it, does not take back what that confirmed.
func TestConfirmationsDoNotGoBack(t *testing.T) {
	store, c := smallStore(t)
	clock := rolecalltest.NewClock(t, storeTime)
	var r *rolecall.Resolver
	committed := false
	f := &faulty{Store: store, commit: func(ctx context.Context, p *rolecall.Proposal) error {
		committed = true
		return store.Commit(ctx, p)
	}}
	r = openResolver(t, f, c, &rolecall.Options{Clock: func() time.Time {
		now := clock.Now()
		if committed {
			committed = false
			clock.Advance(10 * time.Second)
			if err := r.Refresh(t.Context()); err != nil {
				t.Errorf("Refresh: %v", err)
			}
		}
		return now
	}})
	update(t, r, rolecall.Put(grant(userAda, "viewer", projectAlpha)))
	if got, want := r.Health().Confirmed, storeTime.Add(10*time.Second); !got.Equal(want) {
		t.Errorf("Health.Confirmed after a Refresh in the middle of an Update = %v, want %v, that of the Refresh", got, want)
	}
}

// Without MaxStaleness the resolver answers from what it has.
func TestNoMaxStaleness(t *testing.T) {
	store, c := smallStore(t)
	clock := rolecalltest.NewClock(t, storeTime)
	f := &faulty{Store: store}
	r := openResolver(t, f, c, &rolecall.Options{Clock: clock.Now})
	update(t, r, rolecall.Put(grant(userAda, "viewer", projectAlpha)))
	f.set(down)
	clock.Advance(365 * 24 * time.Hour)
	wantAllowed(t, r, userAda, mayView, projectAlpha)
	if h := r.Health(); h.Stale || h.Age < 365*24*time.Hour {
		t.Errorf("Health = %+v, want not stale, a year old", h)
	}
}

// running runs the resolver until the test's bubble ends.
func running(t testing.TB, r *rolecall.Resolver) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run after its context was cancelled = %v, want context.Canceled", err)
		}
	})
	synctest.Wait()
}

func TestRunFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, c := smallStore(t)
		r := openResolver(t, store, c, &rolecall.Options{MaxStaleness: time.Minute})
		running(t, r)
		for i := range 5 {
			commit(t, c, store, rolecall.Put(grant(userAda, "viewer", projectAlpha.In("shot", fmt.Sprint(i)))))
			synctest.Wait()
			wantAllowed(t, r, userAda, mayView, projectAlpha.In("shot", fmt.Sprint(i)))
		}
		// Nothing happens for a day: the resolver keeps asking, so it stays fresh.
		time.Sleep(24 * time.Hour)
		wantAllowed(t, r, userAda, mayView, projectAlpha.In("shot", "0"))
		if h := r.Health(); h.Age > 20*time.Second || h.Err != nil {
			t.Errorf("Health after a quiet day = %+v, want confirmed within a third of MaxStaleness", h)
		}
	})
}

// While the store is down the last good snapshot serves, within MaxStaleness; attempts grow rare; then all is well.
func TestRunSurvivesAStoreThatIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, c := smallStore(t)
		f := &faulty{Store: store}
		r := openResolver(t, f, c, &rolecall.Options{MaxStaleness: time.Minute})
		update(t, r, rolecall.Put(grant(userAda, "viewer", projectAlpha)))
		running(t, r)
		f.set(down)
		commit(t, c, store, rolecall.Remove(grant(userAda, "viewer", projectAlpha)))
		time.Sleep(30 * time.Second)
		wantAllowed(t, r, userAda, mayView, projectAlpha)
		if err := r.Health().Err; !errors.Is(err, errDown) {
			t.Errorf("Health.Err while the store is down = %v, want its error", err)
		}
		time.Sleep(time.Hour)
		wantStale(t, r, "after an hour without the store")
		if asked := f.asked.Load(); asked < 100 || asked > 500 {
			t.Errorf("the store was asked %d times in an hour, want about one in 10 to 20 seconds", asked)
		}
		f.set(up)
		time.Sleep(21 * time.Second)
		wantDenied(t, r, userAda, mayView, projectAlpha)
		if h := r.Health(); h.Stale || h.Err != nil || h.Revision != 2 {
			t.Errorf("Health when the store is back = %+v, want revision 2, fresh, without an error", h)
		}
	})
}

// After a failure that comes alone the store is asked again soon, however many there were before it.
func TestRunForgetsFailuresThatAreOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, c := smallStore(t)
		f := &faulty{Store: store}
		r := openResolver(t, f, c, &rolecall.Options{MaxStaleness: time.Minute})
		running(t, r)
		for n := range rolecall.Revision(12) {
			f.set(down)
			commit(t, c, store, rolecall.Put(grant(userAda, "viewer", projectAlpha.In("shot", fmt.Sprint(n)))))
			synctest.Wait()
			f.set(up)
			time.Sleep(100 * time.Millisecond)
			if r.Revision() != n+1 {
				t.Errorf("100ms after failure %d, an hour after the one before: revision %d, want %d", n+1, r.Revision(), n+1)
			}
			time.Sleep(time.Hour)
		}
	})
}

// A policy that goes stale because nobody keeps Run going says so.
func TestStalenessTellsThatNothingFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, c := smallStore(t)
		r := openResolver(t, store, c, &rolecall.Options{MaxStaleness: time.Minute})
		time.Sleep(time.Hour)
		err := r.Check(t.Context(), userAda, mayView, projectAlpha)
		if !errors.Is(err, rolecall.ErrStale) || !strings.Contains(err.Error(), "keep Run going") {
			t.Errorf("Check an hour after Open, without Run: %v, want %s, and that Run is missing", err, rolecall.ErrStale)
		}
		f := &faulty{Store: store}
		followed := openResolver(t, f, c, &rolecall.Options{MaxStaleness: time.Minute})
		running(t, followed)
		f.set(down)
		time.Sleep(time.Hour)
		err = followed.Check(t.Context(), userAda, mayView, projectAlpha)
		if !errors.Is(err, rolecall.ErrStale) || strings.Contains(err.Error(), "keep Run going") {
			t.Errorf("Check an hour after the store went down, with Run: %v, want %s, and nothing of Run", err, rolecall.ErrStale)
		}
	})
}

// A store that hangs is given up, and asked again, also where it has handed out something before.
func TestRunSurvivesAStoreThatHangs(t *testing.T) {
	for name, said := range map[string]int{"at once": 0, "after an entry": 1} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, c := smallStore(t)
				f := &faulty{Store: store}
				r := openResolver(t, f, c, &rolecall.Options{MaxStaleness: time.Minute, Timeout: 5 * time.Second})
				running(t, r)
				f.set(func(f *faulty) { f.changes = hangingAfter(store, said) })
				commit(t, c, store, rolecall.Put(grant(userAda, "viewer", projectAlpha)))
				commit(t, c, store, rolecall.Put(grant(userBob, "viewer", projectAlpha)))
				time.Sleep(15 * time.Second)
				if err := r.Health().Err; err == nil || !strings.Contains(err.Error(), "handed out nothing for 5s") {
					t.Errorf("Health.Err while the store hangs = %v, want it to say that nothing came for 5s", err)
				}
				time.Sleep(time.Minute)
				wantStale(t, r, "while the store hangs")
				f.set(up)
				time.Sleep(30 * time.Second)
				wantAllowed(t, r, userAda, mayView, projectAlpha)
			})
		})
	}
}

// A store that hangs when asked for its history is given up as well.
func TestRefreshFromAStoreThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, c := smallStore(t)
		hangs := &asksForHistory{Store: store}
		r := openResolver(t, hangs, c, &rolecall.Options{Timeout: 5 * time.Second})
		hangs.answer = func(ctx context.Context) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := r.Refresh(ctx); err == nil || ctx.Err() != nil {
			t.Errorf("Refresh while History hangs: %v after an hour, want an error after 5s", err)
		}
	})
}

// A store that asksForHistory has another answer to that.
type asksForHistory struct {
	*memstore.Store
	answer func(context.Context) (string, error)
}

func (s *asksForHistory) History(ctx context.Context) (string, error) {
	if s.answer != nil {
		return s.answer(ctx)
	}
	return s.Store.History(ctx)
}

// One call that hangs does not make a policy stale for much longer than its MaxStaleness.
func TestOneCallThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, c := smallStore(t)
		f := &faulty{Store: store}
		r := openResolver(t, f, c, &rolecall.Options{MaxStaleness: 6 * time.Second})
		f.set(func(f *faulty) {
			f.changes = func(ctx context.Context, after rolecall.Revision) iter.Seq2[rolecall.Entry, error] {
				f.set(up)
				return hangingAfter(store, 0)(ctx, after)
			}
		})
		running(t, r)
		time.Sleep(9 * time.Second)
		if h := r.Health(); h.Stale || h.Err != nil {
			t.Errorf("Health 9s after a call began to hang, with MaxStaleness 6s = %+v, want fresh", h)
		}
	})
}

// A store that is slow but not silent is not given up.
func TestRefreshIsPatientWithASlowStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, c := smallStore(t)
		f := &faulty{Store: store}
		r := openResolver(t, f, c, &rolecall.Options{Timeout: 5 * time.Second})
		shots(t, c, store, 5)
		f.set(func(f *faulty) {
			f.changes = func(ctx context.Context, after rolecall.Revision) iter.Seq2[rolecall.Entry, error] {
				return func(yield func(rolecall.Entry, error) bool) {
					for e, err := range store.Changes(ctx, after) {
						time.Sleep(4 * time.Second)
						if err == nil {
							err = ctx.Err()
						}
						if !yield(e, err) || err != nil {
							return
						}
					}
				}
			}
		})
		if err := r.Refresh(t.Context()); err != nil || r.Revision() != 5 {
			t.Errorf("Refresh from a slow store: %v at revision %d, want revision 5", err, r.Revision())
		}
	})
}

// A store that says at once that it has something new, and has not, does not make the resolver spin.
func TestRunDoesNotSpin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, c := smallStore(t)
		f := &faulty{Store: store, wait: func(context.Context, rolecall.Revision) error { return nil }}
		r := openResolver(t, f, c, nil)
		running(t, r)
		time.Sleep(time.Minute)
		if asked := f.asked.Load(); asked > 500 {
			t.Errorf("the store was asked %d times in a minute, want a few", asked)
		}
	})
}

// The feed repeats entries, jumps, is cut in the middle, does not fit, or is compacted: the resolver ends up at what
// the store has, and is never at anything else than one of its revisions.
func TestRefreshFromAFaultyFeed(t *testing.T) {
	entries := func(store rolecall.Store, ctx context.Context) []rolecall.Entry {
		var all []rolecall.Entry
		for e := range store.Changes(ctx, 0) {
			all = append(all, e)
		}
		return all
	}
	for name, test := range map[string]struct {
		feed      func(all []rolecall.Entry, after rolecall.Revision, yield func(rolecall.Entry, error) bool)
		reloads   int64
		afterward rolecall.Revision // the revision after the first attempt
	}{
		"repeats": {func(all []rolecall.Entry, after rolecall.Revision, yield func(rolecall.Entry, error) bool) {
			for i := range all {
				_ = yield(all[max(i-1, 0)], nil) && yield(all[i], nil)
			}
		}, 0, 6},
		"jumps": {func(all []rolecall.Entry, after rolecall.Revision, yield func(rolecall.Entry, error) bool) {
			_ = yield(all[1], nil) && yield(all[4], nil) && yield(all[5], nil)
		}, 1, 6},
		"is cut": {func(all []rolecall.Entry, after rolecall.Revision, yield func(rolecall.Entry, error) bool) {
			_ = yield(all[1], nil) && yield(all[2], nil) && yield(rolecall.Entry{}, errDown)
		}, 0, 3},
		"does not fit": {func(all []rolecall.Entry, after rolecall.Revision, yield func(rolecall.Entry, error) bool) {
			wrong := all[1]
			wrong.Deltas = []rolecall.Delta{{Before: grant(userBob, "viewer", projectBeta)}}
			yield(wrong, nil)
		}, 1, 6},
		"is compacted": {func(all []rolecall.Entry, after rolecall.Revision, yield func(rolecall.Entry, error) bool) {
			yield(rolecall.Entry{}, fmt.Errorf("gone: %w", rolecall.ErrCompacted))
		}, 1, 6},
	} {
		t.Run(name, func(t *testing.T) {
			store, c := smallStore(t)
			f := &faulty{Store: store}
			r := openResolver(t, f, c, nil)
			update(t, r, rolecall.Put(grant(userAda, "viewer", projectAlpha)))
			last := shots(t, c, store, 5)
			f.set(func(f *faulty) {
				f.changes = func(ctx context.Context, after rolecall.Revision) iter.Seq2[rolecall.Entry, error] {
					return func(yield func(rolecall.Entry, error) bool) { test.feed(entries(store, ctx), after, yield) }
				}
			})
			loaded := f.loaded.Load()
			err := r.Refresh(t.Context())
			if r.Revision() != test.afterward || (err == nil) != (test.afterward == 6) || f.loaded.Load()-loaded != test.reloads {
				t.Errorf("Refresh: %v at revision %d after %d loads, want revision %d after %d", err, r.Revision(), f.loaded.Load()-loaded, test.afterward, test.reloads)
			}
			s, err := r.Snapshot()
			if err != nil || texts(s) != texts(last[test.afterward-1]) {
				t.Errorf("Snapshot at revision %d (%v) =\n%s\nwant\n%s", s.Revision(), err, texts(s), texts(last[test.afterward-1]))
			}
			f.set(up)
			if err := r.Refresh(t.Context()); err != nil || r.Revision() != 6 {
				t.Errorf("Refresh when the feed is well: %v at revision %d, want 6", err, r.Revision())
			}
		})
	}
}

// What a newer release commits may name what the catalog here does not declare: all that comes before it counts, in
// whatever portions the feed is read.
func TestRefreshUpToWhatDoesNotFit(t *testing.T) {
	store, c := smallStore(t)
	newer := smallCatalog(t, "task.rate")
	r := openResolver(t, store, c, nil)
	update(t, r, rolecall.Put(grant(userAda, "viewer", projectAlpha)))
	commit(t, newer, store, rolecall.Remove(grant(userAda, "viewer", projectAlpha)))
	commit(t, newer, store, rolecall.Put(roleOf("rater", "task.rate")))
	if err := r.Refresh(t.Context()); !errors.Is(err, rolecall.ErrUnknown) || r.Revision() != 2 || r.Health().Err == nil {
		t.Errorf("Refresh: %v at revision %d, Health.Err %v; want unknown, at revision 2", err, r.Revision(), r.Health().Err)
	}
	wantDenied(t, r, userAda, mayView, projectAlpha)
}

// A store restored to an earlier point is noticed by its history, whether it is behind or has moved past.
func TestRefreshNoticesARestoredStore(t *testing.T) {
	for name, later := range map[string]int{"behind": 1, "level": 3, "past": 7} {
		t.Run(name, func(t *testing.T) {
			store, c := smallStore(t)
			backup := memstore.With(load(t, c, store))
			s := &struct{ *memstore.Store }{store}
			r := openResolver(t, s, c, nil)
			for i := range 3 {
				update(t, r, rolecall.Put(grant(userAda, "viewer", projectAlpha.In("shot", fmt.Sprint("old", i)))))
			}
			want := shots(t, c, backup, later)[later]
			s.Store = backup
			if err := r.Refresh(t.Context()); err != nil {
				t.Fatalf("Refresh: %v", err)
			}
			got, err := r.Snapshot()
			if err != nil || got.Revision() != want.Revision() || texts(got) != texts(want) {
				t.Errorf("after the store was restored the resolver has revision %d (%v) with\n%s\nwant %d with\n%s", got.Revision(), err, texts(got), want.Revision(), texts(want))
			}
			wantDenied(t, r, userAda, mayView, projectAlpha.In("shot", "old0"))
		})
	}
}

// A store that is behind within one history (a lagging copy, say) does not take the resolver back.
func TestRefreshNeverGoesBack(t *testing.T) {
	store, c := smallStore(t)
	clock := rolecalltest.NewClock(t, storeTime)
	f := &faulty{Store: store}
	r := openResolver(t, f, c, &rolecall.Options{Clock: clock.Now, MaxStaleness: time.Minute})
	old, err := store.Load(t.Context())
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	update(t, r, rolecall.Put(suspend(userAda)))
	f.set(func(f *faulty) {
		f.load = func(context.Context) (rolecall.State, error) { return old, nil }
		f.changes = func(context.Context, rolecall.Revision) iter.Seq2[rolecall.Entry, error] {
			return failing(rolecall.ErrCompacted)
		}
	})
	clock.Advance(time.Second)
	if err := r.Refresh(t.Context()); err == nil || r.Revision() != 1 {
		t.Errorf("Refresh from a store that is behind: %v at revision %d, want an error at revision 1", err, r.Revision())
	}
	clock.Advance(time.Minute)
	wantStale(t, r, "when only a lagging copy answers")
}

// A policy that does not fit the catalog of this program is not served; the last good one is, for a while.
func TestRefreshKeepsTheLastGoodSnapshot(t *testing.T) {
	store, c := smallStore(t)
	newer := smallCatalog(t, "task.approve")
	clock := rolecalltest.NewClock(t, storeTime)
	r := openResolver(t, store, c, &rolecall.Options{Clock: clock.Now, MaxStaleness: time.Minute})
	update(t, r, rolecall.Put(grant(userAda, "viewer", projectAlpha)))
	commit(t, newer, store, rolecall.Put(roleOf("lead", "task.approve")))
	clock.Advance(time.Second)
	if err := r.Refresh(t.Context()); !errors.Is(err, rolecall.ErrUnknown) {
		t.Errorf("Refresh to a policy with an undeclared permission: %v, want ErrUnknown", err)
	}
	wantAllowed(t, r, userAda, mayView, projectAlpha)
	if h := r.Health(); h.Revision != 1 || !errors.Is(h.Err, rolecall.ErrUnknown) {
		t.Errorf("Health = %+v, want revision 1 and ErrUnknown", h)
	}
	clock.Advance(time.Minute)
	wantStale(t, r, "when the last good snapshot is too old")
	commit(t, newer, store, rolecall.Remove(roleOf("lead")))
	if err := r.Refresh(t.Context()); err != nil || r.Revision() != 3 {
		t.Errorf("Refresh when the policy fits again: %v at revision %d, want 3", err, r.Revision())
	}
}

func TestWaitFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, c := smallStore(t)
		r := openResolver(t, store, c, nil)
		if err := r.WaitFor(t.Context(), 0); err != nil {
			t.Errorf("WaitFor(0) = %v, want nil", err)
		}
		done := make(chan error, 1)
		go func() { done <- r.WaitFor(t.Context(), 3) }()
		for i := range 3 {
			synctest.Wait()
			if len(done) != 0 {
				t.Fatalf("WaitFor(3) returned %v at revision %d of the store", <-done, i)
			}
			commit(t, c, store, rolecall.Put(grant(userAda, "viewer", projectAlpha.In("shot", fmt.Sprint(i)))))
		}
		if err := <-done; err != nil || r.Revision() < 3 {
			t.Errorf("WaitFor(3) = %v at revision %d, want 3", err, r.Revision())
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := r.WaitFor(ctx, 4); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("WaitFor(4) until the deadline = %v, want it exceeded", err)
		}
	})
}

// Many who wait for one revision are served by one look at the store.
func TestManyWaitForOneRevision(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, c := smallStore(t)
		f := &faulty{Store: store, changes: func(ctx context.Context, after rolecall.Revision) iter.Seq2[rolecall.Entry, error] {
			time.Sleep(5 * time.Millisecond)
			return store.Changes(ctx, after)
		}}
		r := openResolver(t, f, c, nil)
		commit(t, c, store, rolecall.Put(grant(userAda, "viewer", projectAlpha)))
		var waiting sync.WaitGroup
		for range 100 {
			waiting.Go(func() {
				if err := r.WaitFor(t.Context(), 1); err != nil {
					t.Errorf("WaitFor(1) = %v, want nil", err)
				}
			})
		}
		waiting.Wait()
		if asked := f.asked.Load(); asked > 2 {
			t.Errorf("100 that wait for one revision asked the store %d times, want once or twice", asked)
		}
	})
}

func TestChangesSubscription(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, c := smallStore(t)
		f := &faulty{Store: store, changes: func(ctx context.Context, after rolecall.Revision) iter.Seq2[rolecall.Entry, error] {
			return func(yield func(rolecall.Entry, error) bool) { // everything twice
				for e, err := range store.Changes(ctx, after) {
					for range 2 {
						if !yield(e, err) {
							return
						}
					}
				}
			}
		}}
		r := openResolver(t, f, c, nil)
		shots(t, c, store, 3)
		ctx, cancel := context.WithCancel(t.Context())
		var got []rolecall.Revision
		var ended error
		done := make(chan bool)
		go func() {
			defer close(done)
			for e, err := range r.Changes(ctx, 1) {
				if err != nil {
					ended = err
					return
				}
				got = append(got, e.Revision)
				if r.Revision() < e.Revision {
					t.Errorf("entry %d is told when the resolver is at %d", e.Revision, r.Revision())
				}
			}
		}()
		synctest.Wait()
		shotsFrom := load(t, c, store).Revision()
		commit(t, c, store, rolecall.Put(grant(userBob, "viewer", projectAlpha)))
		update(t, r, rolecall.Put(grant(userBob, "viewer", projectBeta)))
		synctest.Wait()
		cancel()
		<-done
		if want := []rolecall.Revision{2, 3, 4, 5}; shotsFrom != 3 || !slices.Equal(got, want) || ended != nil {
			t.Errorf("Changes(1) yields %v and ends with %v, want %v, silently", got, ended, want)
		}
	})
}

// A subscription that was woken in vain is told of the next change soon, however often that happened before.
func TestChangesForgetsFalseAlarms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, c := smallStore(t)
		alarm := false
		f := &faulty{Store: store}
		f.wait = func(ctx context.Context, after rolecall.Revision) error {
			if alarm {
				alarm = false
				return nil
			}
			return store.Wait(ctx, after)
		}
		next, stop := iter.Pull2(openResolver(t, f, c, nil).Changes(t.Context(), 0))
		defer stop()
		for n := range 12 {
			alarm = true
			time.AfterFunc(40*time.Millisecond, func() {
				commit(t, c, store, rolecall.Put(grant(userAda, "viewer", projectAlpha.In("shot", fmt.Sprint(n)))))
			})
			began := time.Now()
			if e, err, _ := next(); err != nil || time.Since(began) > 100*time.Millisecond {
				t.Errorf("after false alarm %d: got revision %d, %v after %v, want it within 100ms", n+1, e.Revision, err, time.Since(began))
			}
			time.Sleep(time.Hour)
		}
	})
}

func TestChangesSubscriptionEndsWithErrors(t *testing.T) {
	c := smallCatalog(t)
	store := memstore.NewWithOptions(snapshotOf(t, c, roleOf("viewer", "task.view")), &memstore.Options{History: 2})
	f := &faulty{Store: store}
	r := openResolver(t, f, c, nil)
	shots(t, c, store, 5)
	if got, err := revisionsOf(r.Changes(t.Context(), 0)); got != nil || !errors.Is(err, rolecall.ErrCompacted) {
		t.Errorf("Changes(0) of a compacted store = %v, %v, want ErrCompacted", got, err)
	}
	f.set(func(f *faulty) { f.wait = func(context.Context, rolecall.Revision) error { return errDown } })
	if got, err := revisionsOf(r.Changes(t.Context(), 3)); !slices.Equal(got, []rolecall.Revision{4, 5}) || !errors.Is(err, errDown) {
		t.Errorf("Changes(3) = %v, %v, want [4 5] and the store's error", got, err)
	}
	f.set(up)
	for e, err := range r.Changes(t.Context(), 3) { // a consumer that has had enough is not asked again
		if err != nil || e.Revision != 4 {
			t.Errorf("Changes(3) starts with %d, %v, want 4", e.Revision, err)
		}
		break
	}
}

// What a store tells that was put back, and is now on another line of revisions, is no part of what was subscribed to, not
// even where the resolver has not noticed yet.
func TestChangesOfAnotherHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, c := smallStore(t)
		backup := memstore.With(load(t, c, store))
		s := &struct{ *memstore.Store }{store}
		r := openResolver(t, s, c, nil)
		for i := range 5 {
			update(t, r, rolecall.Put(grant(userAda, "viewer", projectAlpha.In("shot", fmt.Sprint("old", i)))))
		}
		shots(t, c, backup, 4)
		s.Store = backup
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if got, err := revisionsOf(r.Changes(ctx, 2)); got != nil || !errors.Is(err, rolecall.ErrCompacted) {
			t.Errorf("Changes(2) of a store that was put back = %v, %v, want ErrCompacted", got, err)
		}
	})
}

// A right moves between ada and bob, always by one change that takes it from one and gives it to the other. Readers on
// two resolvers never see both or neither, never see a revision go back, and subscribers see every revision once.
func TestReadersNeverSeeHalfAChange(t *testing.T) {
	const moves, writers, readers = 60, 3, 4
	c := smallCatalog(t)
	store := memstore.With(snapshotOf(t, c, roleOf("artist", "task.update"), grant(userAda, "artist", projectAlpha)))
	a, b := openResolver(t, store, c, nil), openResolver(t, store, c, &rolecall.Options{MaxStaleness: time.Hour})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var everyoneElse, writing sync.WaitGroup
	for range readers {
		for _, r := range []*rolecall.Resolver{a, b} {
			everyoneElse.Go(func() { readWhole(ctx, t, r) })
		}
	}
	everyoneElse.Go(func() { _ = b.Run(ctx) })
	for _, r := range []*rolecall.Resolver{a, b} {
		everyoneElse.Go(func() {
			next := rolecall.Revision(1)
			for e, err := range r.Changes(ctx, 0) {
				if err != nil || e.Revision != next {
					t.Errorf("a subscriber is told of revision %d, %v, want %d", e.Revision, err, next)
				}
				if next++; next > moves*writers {
					return
				}
			}
		})
	}
	for i := range writers {
		writing.Go(func() {
			for range moves {
				if _, err := []*rolecall.Resolver{a, b}[i%2].Update(ctx, rolecall.Meta{}, moveRight); err != nil {
					t.Errorf("Update: %v", err)
				}
			}
		})
	}
	writing.Wait()
	if err := b.WaitFor(ctx, moves*writers); err != nil {
		t.Errorf("WaitFor(%d): %v", moves*writers, err)
	}
	stop()
	everyoneElse.Wait()
	if s := load(t, c, store); s.Revision() != moves*writers {
		t.Errorf("the store is at revision %d after %d updates", s.Revision(), moves*writers)
	}
}

func moveRight(s *rolecall.Snapshot) (rolecall.Change, error) {
	from, to := userAda, userBob
	if s.Check(userAda, mayUpdate, projectAlpha) != nil {
		from, to = to, from
	}
	return rolecall.Change{Edits: []rolecall.Edit{rolecall.Remove(grant(from, "artist", projectAlpha)), rolecall.Put(grant(to, "artist", projectAlpha))}}, nil
}

// readWhole looks until ctx ends.
func readWhole(ctx context.Context, t testing.TB, r *rolecall.Resolver) {
	last := rolecall.Revision(0)
	for ctx.Err() == nil {
		s, err := r.Snapshot()
		if err != nil {
			t.Errorf("Snapshot: %v", err)
			return
		}
		if s.Revision() < last {
			t.Errorf("a reader saw revision %d after %d", s.Revision(), last)
		}
		last = s.Revision()
		forAda, forBob := s.Check(userAda, mayUpdate, projectAlpha) == nil, s.Check(userBob, mayUpdate, projectAlpha) == nil
		if forAda == forBob || forAda != (last%2 == 0) {
			t.Errorf("revision %d allows ada: %v, bob: %v; want one of them, ada at even revisions", last, forAda, forBob)
		}
		if err := r.Check(ctx, userAda, mayUpdate, projectAlpha); err != nil && !errors.Is(err, rolecall.ErrDenied) && ctx.Err() == nil {
			t.Errorf("Check: %v", err)
		}
	}
}

// A replica takes in a burst of 100,000 grants in 200 changes, and holds them in no other form meanwhile: the heap never
// grows by much more than what is kept in the end, and that is what a replica has that starts later.
func TestABurstIsAppliedInBoundedMemory(t *testing.T) {
	const changes, each = 200, 500
	entry := func(n int) rolecall.Entry {
		e := rolecall.Entry{Revision: rolecall.Revision(n + 1)}
		for i := range each {
			who, at := rolecall.User(fmt.Sprintf("u%05d", (n*each+i)/5)), projectAlpha.In("shot", fmt.Sprint(i%5))
			e.Deltas = append(e.Deltas, rolecall.Delta{After: grant(who, "viewer", at)})
		}
		return e
	}
	store, c := smallStore(t)
	var most int64
	f := &faulty{Store: store, changes: func(_ context.Context, after rolecall.Revision) iter.Seq2[rolecall.Entry, error] {
		return func(yield func(rolecall.Entry, error) bool) {
			for n := int(after); n < changes && yield(entry(n), nil); n++ {
				if n%40 == 39 {
					most = max(most, heapInUse())
				}
			}
		}
	}}
	replica := openResolver(t, f, c, nil)
	before := heapInUse()
	if err := replica.Refresh(t.Context()); err != nil || replica.Revision() != changes {
		t.Fatalf("Refresh: %v at revision %d, want %d", err, replica.Revision(), changes)
	}
	after := heapInUse()
	s, err := replica.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	later, err := rolecall.LoadSnapshot(c, rolecall.State{Revision: changes, Statements: func(yield func(rolecall.Statement, error) bool) {
		for st := range s.Statements() {
			if !yield(st, nil) {
				return
			}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	kept, fresh := after-before, heapInUse()-after
	if most-before > kept+kept/8 || kept > fresh+fresh/4 {
		t.Errorf("a burst of %d grants: %d kB kept, %d kB meanwhile, %d kB loaded anew; want no more than about the same",
			changes*each, kept>>10, (most-before)>>10, fresh>>10)
	}
	runtime.KeepAlive(replica)
	runtime.KeepAlive(later)
}

// What was proposed leaves nothing behind, whatever patterns it had.
func TestPatternsThatWentAreForgotten(t *testing.T) {
	const changes, most = 10_000, 1 << 20
	s := snapshotOf(t, smallCatalog(t))
	before := heapInUse()
	for n := range changes {
		propose(t, s, rolecall.Put(rolecall.Override{Subject: userAda, Scope: projectAlpha, Pattern: rolecall.Pattern(fmt.Sprintf("p%d.*", n)), Effect: rolecall.Deny}))
	}
	kept := heapInUse() - before
	for tries := 0; kept > most && tries < 10; tries++ { // what is gone is forgotten a little later
		kept = heapInUse() - before
	}
	if kept > most {
		t.Errorf("%d proposals with a pattern each, none committed: %d kB kept, want at most %d", changes, kept>>10, most>>10)
	}
	runtime.KeepAlive(s)
}

func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
