package rolecall_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/memstore"
	"pgregory.net/rapid"
)

// The small world of the tests of stores, resolvers and defects.
var (
	mayView      = rolecall.NewPermission("task.view")
	mayUpdate    = rolecall.NewPermission("task.update")
	mayDelete    = rolecall.NewPermission("task.delete")
	projectAlpha = rolecall.In("project", "alpha")
	projectBeta  = rolecall.In("project", "beta")
	userAda      = rolecall.User("ada")
	userBob      = rolecall.User("bob")
	storeTime    = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
)

func smallDeclarations() rolecall.Declarations {
	return rolecall.Declarations{
		Permissions: []rolecall.PermissionDecl{{Permission: mayView}, {Permission: mayUpdate}, {Permission: mayDelete}},
		Conditions:  []rolecall.ConditionDecl{{Condition: "assigned"}},
		ScopeKinds:  []rolecall.ScopeKindDecl{{Kind: "project"}, {Kind: "shot"}},
	}
}

// smallCatalog returns the catalog of the small world, with more permissions as a newer release would declare them.
func smallCatalog(t testing.TB, more ...string) *rolecall.Catalog {
	t.Helper()
	d := smallDeclarations()
	for _, name := range more {
		d.Permissions = append(d.Permissions, rolecall.PermissionDecl{Permission: rolecall.NewPermission(name)})
	}
	c, err := rolecall.NewCatalog(d)
	if err != nil {
		t.Fatalf("NewCatalog: %v", err)
	}
	return c
}

func roleOf(name rolecall.RoleName, patterns ...rolecall.Pattern) rolecall.Role {
	return rolecall.Role{Name: name, Rules: []rolecall.Rule{{Effect: rolecall.Allow, Patterns: patterns}}}
}

func snapshotOf(t testing.TB, c *rolecall.Catalog, statements ...rolecall.Statement) *rolecall.Snapshot {
	t.Helper()
	s, err := rolecall.NewSnapshot(c, statements...)
	if err != nil {
		t.Fatalf("NewSnapshot(%v): %v", statements, err)
	}
	return s.At(storeTime)
}

// smallStore returns a store, at revision 0, in which artists view and update and viewers view; nobody is granted.
func smallStore(t testing.TB) (*memstore.Store, *rolecall.Catalog) {
	t.Helper()
	c := smallCatalog(t)
	return memstore.With(snapshotOf(t, c, roleOf("artist", "task.view", "task.update"), roleOf("viewer", "task.view"))), c
}

func loadFrom(t testing.TB, c *rolecall.Catalog, st rolecall.State, err error) *rolecall.Snapshot {
	t.Helper()
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	s, err := rolecall.LoadSnapshot(c, st)
	if err != nil {
		t.Fatalf("LoadSnapshot(revision %d): %v", st.Revision, err)
	}
	return s.At(storeTime)
}

func load(t testing.TB, c *rolecall.Catalog, store rolecall.Store) *rolecall.Snapshot {
	t.Helper()
	st, err := store.Load(t.Context())
	return loadFrom(t, c, st, err)
}

func propose(t rapid.TB, base *rolecall.Snapshot, edits ...rolecall.Edit) *rolecall.Proposal {
	t.Helper()
	p, err := base.Propose(rolecall.Change{Edits: edits})
	if err != nil {
		t.Fatalf("Propose(%v): %v", edits, err)
	}
	return p
}

// commit puts the edits through the present state of the store.
func commit(t testing.TB, c *rolecall.Catalog, store rolecall.Store, edits ...rolecall.Edit) *rolecall.Snapshot {
	t.Helper()
	p := propose(t, load(t, c, store), edits...)
	if err := store.Commit(t.Context(), p); err != nil {
		t.Fatalf("Commit(%v): %v", edits, err)
	}
	return p.Next()
}

func texts(s *rolecall.Snapshot) string {
	return strings.Join(textsOf(slices.Collect(s.Statements())), "\n")
}

// revisionsOf collects a feed: the revisions, and the error that ended it.
func revisionsOf(feed iter.Seq2[rolecall.Entry, error]) (revisions []rolecall.Revision, err error) {
	for e, err := range feed {
		if err != nil {
			return revisions, err
		}
		revisions = append(revisions, e.Revision)
	}
	return revisions, nil
}

func TestMemstoreStartsEmpty(t *testing.T) {
	store, c := memstore.New(), smallCatalog(t)
	s := load(t, c, store)
	if s.Revision() != 0 || texts(s) != "" {
		t.Errorf("Load of a new store = revision %d with %q, want revision 0 with nothing", s.Revision(), texts(s))
	}
	commit(t, c, store, rolecall.Put(roleOf("viewer", "task.view")))
	commit(t, c, store, rolecall.Put(grant(userAda, "viewer", projectAlpha)))
	if s = load(t, c, store); s.Revision() != 2 || s.Check(userAda, mayView, projectAlpha) != nil {
		t.Errorf("Load after two commits = revision %d, Check %v, want 2 and allowed", s.Revision(), s.Check(userAda, mayView, projectAlpha))
	}
	for revision, want := range []string{"", "role viewer\n  allow task.view"} {
		st, err := store.At(t.Context(), rolecall.Revision(revision))
		if got := texts(loadFrom(t, c, st, err)); got != want {
			t.Errorf("At(%d) = %q, want %q", revision, got, want)
		}
	}
}

// Only a proposal on the present revision is kept; another one changes nothing.
func TestMemstoreConflict(t *testing.T) {
	store, c := smallStore(t)
	base := load(t, c, store)
	first := propose(t, base, rolecall.Put(grant(userAda, "viewer", projectAlpha)))
	second := propose(t, base, rolecall.Put(grant(userBob, "viewer", projectAlpha)))
	if err := store.Commit(t.Context(), first); err != nil {
		t.Fatalf("Commit: %v", err)
	}
	for _, p := range []*rolecall.Proposal{second, first} {
		if err := store.Commit(t.Context(), p); !errors.Is(err, rolecall.ErrConflict) {
			t.Errorf("Commit based on revision 0 at revision 1: %v, want ErrConflict", err)
		}
	}
	s := load(t, c, store)
	if s.Revision() != 1 || texts(s) != texts(first.Next()) {
		t.Errorf("after conflicts the store is at revision %d with\n%s\nwant 1 with\n%s", s.Revision(), texts(s), texts(first.Next()))
	}
	if got, err := revisionsOf(store.Changes(t.Context(), 0)); !slices.Equal(got, []rolecall.Revision{1}) || err != nil {
		t.Errorf("Changes(0) = %v, %v, want [1]", got, err)
	}
}

// shots commits n grants, one a revision, a minute apart from storeTime on.
func shots(t testing.TB, c *rolecall.Catalog, store rolecall.Store, n int) []*rolecall.Snapshot {
	t.Helper()
	s := load(t, c, store)
	after := []*rolecall.Snapshot{s}
	for i := range n {
		change := rolecall.Change{Edits: []rolecall.Edit{rolecall.Put(grant(userAda, "viewer", projectAlpha.In("shot", fmt.Sprint(i))))}}
		if i%3 == 2 {
			change.Edits = []rolecall.Edit{
				rolecall.Remove(grant(userAda, "viewer", projectAlpha.In("shot", fmt.Sprint(i-1)))),
				rolecall.Put(roleOf("viewer", "task.view", rolecall.Pattern([]string{"task.update", "task.delete"}[i%2]))),
			}
		}
		change.Time = storeTime.Add(time.Duration(i+1) * time.Minute)
		p, err := s.Propose(change)
		if err != nil {
			t.Fatalf("Propose(%v): %v", change, err)
		}
		if err := store.Commit(t.Context(), p); err != nil {
			t.Fatalf("Commit: %v", err)
		}
		s = p.Next()
		after = append(after, s)
	}
	return after
}

// Every revision can be asked for again, checkpoints or not, by its number and by the time.
func TestMemstoreKeepsEveryRevision(t *testing.T) {
	store, c := smallStore(t)
	after := shots(t, c, store, 600)
	for _, revision := range []int{0, 1, 2, 3, 100, 255, 256, 257, 511, 512, 513, 599, 600} {
		st, err := store.At(t.Context(), rolecall.Revision(revision))
		if got := loadFrom(t, c, st, err); int(got.Revision()) != revision || texts(got) != texts(after[revision]) {
			t.Errorf("At(%d) = revision %d with\n%s\nwant\n%s", revision, got.Revision(), texts(got), texts(after[revision]))
		}
		for _, second := range []time.Duration{0, 59} {
			at := storeTime.Add(time.Duration(revision)*time.Minute + second*time.Second)
			if st, err := store.AtTime(t.Context(), at); err != nil || int(st.Revision) != revision {
				t.Errorf("AtTime(%v) = revision %d, %v, want %d", at, st.Revision, err, revision)
			}
		}
	}
	if st, err := store.AtTime(t.Context(), storeTime.Add(-time.Hour)); err != nil || st.Revision != 0 {
		t.Errorf("AtTime before the first change = revision %d, %v, want 0", st.Revision, err)
	}
	if _, err := store.At(t.Context(), 601); !errors.Is(err, rolecall.ErrCompacted) {
		t.Errorf("At(601) at revision 600: %v, want ErrCompacted", err)
	}
}

// A clock that goes back does not make later changes part of an earlier policy.
func TestMemstoreAtTimeWithClockGoingBack(t *testing.T) {
	store, c := smallStore(t)
	s := load(t, c, store)
	for i, minute := range []int{10, 5, 20} {
		p, err := s.Propose(rolecall.Change{
			Meta:  rolecall.Meta{Time: storeTime.Add(time.Duration(minute) * time.Minute)},
			Edits: []rolecall.Edit{rolecall.Put(grant(userAda, "viewer", projectAlpha.In("shot", fmt.Sprint(i))))},
		})
		if err == nil {
			err = store.Commit(t.Context(), p)
		}
		if err != nil {
			t.Fatalf("change %d: %v", i, err)
		}
		s = p.Next()
	}
	for minute, want := range map[int]rolecall.Revision{4: 0, 7: 0, 10: 2, 15: 2, 20: 3} {
		if st, err := store.AtTime(t.Context(), storeTime.Add(time.Duration(minute)*time.Minute)); err != nil || st.Revision != want {
			t.Errorf("AtTime(minute %d) = revision %d, %v, want %d", minute, st.Revision, err, want)
		}
	}
}

func TestMemstoreChangesHaveNoGaps(t *testing.T) {
	store, c := smallStore(t)
	shots(t, c, store, 300)
	for _, after := range []rolecall.Revision{0, 1, 255, 256, 299, 300} {
		want := after
		for e, err := range store.Changes(t.Context(), after) {
			want++
			if err != nil || e.Revision != want || len(e.Deltas) == 0 {
				t.Fatalf("Changes(%d) yields revision %d with %d deltas, %v, want revision %d", after, e.Revision, len(e.Deltas), err, want)
			}
		}
		if want != 300 {
			t.Errorf("Changes(%d) ends after revision %d, want 300", after, want)
		}
	}
	if got, err := revisionsOf(store.Changes(t.Context(), 301)); got != nil || !errors.Is(err, rolecall.ErrCompacted) {
		t.Errorf("Changes(301) at revision 300 = %v, %v, want ErrCompacted", got, err)
	}
}

// Beyond the bound the history is gone, and says so; what is within it is complete.
func TestMemstoreCompacts(t *testing.T) {
	for _, c := range []struct {
		keep   int
		oldest rolecall.Revision
	}{{-1, 600}, {1, 599}, {10, 590}, {300, 300}, {344, 256}, {599, 1}, {600, 0}, {0, 0}} {
		catalog := smallCatalog(t)
		store := memstore.NewWithOptions(snapshotOf(t, catalog, roleOf("viewer", "task.view")), &memstore.Options{History: c.keep})
		after := shots(t, catalog, store, 600)
		got, err := revisionsOf(store.Changes(t.Context(), c.oldest))
		if err != nil || len(got) != int(600-c.oldest) {
			t.Errorf("History %d: Changes(%d) yields %d entries, %v, want %d", c.keep, c.oldest, len(got), err, 600-c.oldest)
		}
		for _, revision := range []rolecall.Revision{c.oldest, (c.oldest + 600) / 2, 600} {
			st, err := store.At(t.Context(), revision)
			if got := texts(loadFrom(t, catalog, st, err)); got != texts(after[revision]) {
				t.Errorf("History %d: At(%d) =\n%s\nwant\n%s", c.keep, revision, got, texts(after[revision]))
			}
		}
		if c.oldest == 0 {
			continue
		}
		if _, err := revisionsOf(store.Changes(t.Context(), c.oldest-1)); !errors.Is(err, rolecall.ErrCompacted) {
			t.Errorf("History %d: Changes(%d): %v, want ErrCompacted", c.keep, c.oldest-1, err)
		}
		if _, err := store.At(t.Context(), c.oldest-1); !errors.Is(err, rolecall.ErrCompacted) {
			t.Errorf("History %d: At(%d): %v, want ErrCompacted", c.keep, c.oldest-1, err)
		}
		if _, err := store.AtTime(t.Context(), storeTime); !errors.Is(err, rolecall.ErrCompacted) {
			t.Errorf("History %d: AtTime before what is kept: %v, want ErrCompacted", c.keep, err)
		}
		began := storeTime.Add(time.Duration(c.oldest) * time.Minute)
		if _, err := store.AtTime(t.Context(), began.Add(-1)); !errors.Is(err, rolecall.ErrCompacted) {
			t.Errorf("History %d: AtTime just before revision %d: %v, want ErrCompacted", c.keep, c.oldest, err)
		}
		if st, err := store.AtTime(t.Context(), began); err != nil || st.Revision != c.oldest {
			t.Errorf("History %d: AtTime of revision %d: got %d, %v, want it", c.keep, c.oldest, st.Revision, err)
		}
	}
}

// What was not judged on what the store handed out is a conflict, even where the revisions are equal.
func TestMemstoreRefusesProposalsFromElsewhere(t *testing.T) {
	c := smallCatalog(t)
	base := snapshotOf(t, c, roleOf("viewer", "task.view"))
	store := memstore.With(base)
	if err := store.Commit(t.Context(), propose(t, base, rolecall.Put(grant(userAda, "viewer", projectAlpha)))); !errors.Is(err, rolecall.ErrConflict) {
		t.Errorf("Commit of what was judged on a snapshot that came from no store: %v, want ErrConflict", err)
	}
}

// A store that starts from a later snapshot goes on counting from there.
func TestMemstoreWithLaterSnapshot(t *testing.T) {
	first, c := smallStore(t)
	after := shots(t, c, first, 5)
	store := memstore.With(after[5])
	if s := commit(t, c, store, rolecall.Put(grant(userBob, "viewer", projectAlpha))); s.Revision() != 6 {
		t.Errorf("first commit on a store with revision 5 makes revision %d, want 6", s.Revision())
	}
	if _, err := revisionsOf(store.Changes(t.Context(), 4)); !errors.Is(err, rolecall.ErrCompacted) {
		t.Errorf("Changes(4) of a store that starts at 5: %v, want ErrCompacted", err)
	}
	if got, err := revisionsOf(store.Changes(t.Context(), 5)); err != nil || !slices.Equal(got, []rolecall.Revision{6}) {
		t.Errorf("Changes(5) = %v, %v, want [6]", got, err)
	}
	if _, err := store.AtTime(t.Context(), storeTime.AddDate(-30, 0, 0)); !errors.Is(err, rolecall.ErrCompacted) {
		t.Errorf("AtTime 30 years before a store that starts at 5: %v, want ErrCompacted", err)
	}
	if st, err := store.AtTime(t.Context(), storeTime.AddDate(30, 0, 0)); err != nil || st.Revision != 6 {
		t.Errorf("AtTime 30 years later = revision %d, %v, want 6", st.Revision, err)
	}
	a, errA := first.History(t.Context())
	b, errB := store.History(t.Context())
	if a == b || a == "" || errA != nil || errB != nil {
		t.Errorf("History of two stores = %q, %v and %q, %v, want two different ones", a, errA, b, errB)
	}
}

func TestMemstoreWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, c := smallStore(t)
		woken := make(chan error, 3)
		for range 3 {
			go func() { woken <- store.Wait(t.Context(), 0) }()
		}
		synctest.Wait()
		if len(woken) != 0 {
			t.Errorf("Wait(0) returned at revision 0: %v, want it to wait", <-woken)
		}
		commit(t, c, store, rolecall.Put(grant(userAda, "viewer", projectAlpha)))
		for range 3 {
			if err := <-woken; err != nil {
				t.Errorf("Wait(0) at revision 1: %v, want nil", err)
			}
		}
		if err := store.Wait(t.Context(), 0); err != nil {
			t.Errorf("Wait(0) when revision 1 is there already: %v, want nil", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := store.Wait(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Wait(1) at revision 1 until the deadline: %v, want it exceeded", err)
		}
	})
}

// Every method honours a context that has ended, and a commit then changes nothing.
func TestMemstoreHonoursCancellation(t *testing.T) {
	store, c := smallStore(t)
	p := propose(t, load(t, c, store), rolecall.Put(grant(userAda, "viewer", projectAlpha)))
	ctx, cancel := context.WithCancel(t.Context())
	st, err := store.Load(ctx)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	cancel()
	_, loadErr := store.Load(ctx)
	_, atErr := store.At(ctx, 0)
	_, timeErr := store.AtTime(ctx, storeTime)
	_, changesErr := revisionsOf(store.Changes(ctx, 0))
	_, historyErr := store.History(ctx)
	_, statesErr := rolecall.LoadSnapshot(c, st)
	for what, err := range map[string]error{
		"Load": loadErr, "At": atErr, "AtTime": timeErr, "Changes": changesErr, "History": historyErr,
		"Commit": store.Commit(ctx, p), "Wait": store.Wait(ctx, 0), "State.Statements": statesErr,
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s with a cancelled context: %v, want context.Canceled", what, err)
		}
	}
	if s := load(t, c, store); s.Revision() != 0 {
		t.Errorf("revision after a cancelled commit = %d, want 0", s.Revision())
	}
}

// What a store hands out is the caller's: altering it alters neither the history nor the policy.
func TestMemstoreSharesNothing(t *testing.T) {
	store, c := smallStore(t)
	commit(t, c, store, rolecall.Put(roleOf("editor", "task.update")))
	before := texts(load(t, c, store))
	spoil := func(st rolecall.Statement) {
		if role, ok := st.(rolecall.Role); ok {
			role.Rules[0].Patterns[0] = "task.*"
			role.Rules[0].Effect = rolecall.Forbid
		}
	}
	for e, err := range store.Changes(t.Context(), 0) {
		if err != nil {
			t.Fatalf("Changes: %v", err)
		}
		for i := range e.Deltas {
			spoil(e.Deltas[i].After)
			e.Deltas[i] = rolecall.Delta{}
		}
	}
	for _, at := range []func() (rolecall.State, error){
		func() (rolecall.State, error) { return store.Load(t.Context()) },
		func() (rolecall.State, error) { return store.At(t.Context(), 0) },
	} {
		st, err := at()
		if err != nil {
			t.Fatalf("state: %v", err)
		}
		for statement := range st.Statements {
			spoil(statement)
		}
	}
	if after := texts(load(t, c, store)); after != before {
		t.Errorf("the policy after its copies were altered is\n%s\nwant\n%s", after, before)
	}
	for e, err := range store.Changes(t.Context(), 0) {
		if err != nil || len(e.Deltas) != 1 || e.Deltas[0].After.String() != "role editor\n  allow task.update" {
			t.Errorf("the history after its copies were altered is %v, %v", e, err)
		}
	}
}

// Two resolvers on one store see what each other commits.
func TestMemstoreSharedByResolvers(t *testing.T) {
	store, c := smallStore(t)
	a, b := openResolver(t, store, c, nil), openResolver(t, store, c, nil)
	revision := update(t, a, rolecall.Put(grant(userAda, "viewer", projectAlpha)))
	if err := b.Check(t.Context(), userAda, mayView, projectAlpha); !errors.Is(err, rolecall.ErrDenied) {
		t.Errorf("Check on the other resolver before it caught up: %v, want denied", err)
	}
	if err := b.WaitFor(t.Context(), revision); err != nil {
		t.Fatalf("WaitFor(%d): %v", revision, err)
	}
	if err := b.Check(t.Context(), userAda, mayView, projectAlpha); err != nil {
		t.Errorf("Check on the other resolver at revision %d: %v, want allowed", revision, err)
	}
}
