package rolecall_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/memstore"
	"pgregory.net/rapid"
)

// A past is a store with everything that was ever committed to it, and the policy at each revision.
type past struct {
	store     *memstore.Store
	entries   []rolecall.Entry
	snapshots []*rolecall.Snapshot // by revision
}

// drawPast draws a history: a whole world, and then random changes. The store keeps the last few entries, or all where
// keep is 0.
func drawPast(t *rapid.T, keep int) past {
	h := past{store: memstore.NewWithOptions(nil, &memstore.Options{History: keep})}
	h.snapshots = []*rolecall.Snapshot{succeed(rolecall.LoadSnapshot(worldCatalog, succeed(h.store.Load(t.Context()))))}
	w := drawWorld(t)
	var edits []rolecall.Edit
	for _, s := range w.statements() {
		edits = append(edits, rolecall.Put(s))
	}
	for range rapid.IntRange(8, 20).Draw(t, "changes") {
		s := h.snapshots[len(h.snapshots)-1].At(day(1))
		m := rolecall.Meta{Reason: fmt.Sprint("reason ", s.Revision()+1), Time: day(int(s.Revision()))}
		p, err := s.Propose(rolecall.Change{Meta: m, Edits: edits})
		if err == nil && len(p.Entry().Deltas) > 0 {
			if err := h.store.Commit(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			h.entries, h.snapshots = append(h.entries, p.Entry()), append(h.snapshots, p.Next())
		}
		edits = drawChanges(t, w)
	}
	return h
}

// lastTouch scans the entries up to a revision from the end: the one that last did something to a statement, and the one
// that added it, 0 where there is none.
func (h past) lastTouch(key rolecall.StatementKey, at rolecall.Revision) (made, since rolecall.Revision) {
	for _, e := range slices.Backward(h.entries[:at]) {
		for _, d := range e.Deltas {
			if d.Key() != key {
				continue
			}
			if made == 0 {
				made = e.Revision
			}
			if d.Before == nil || cameAnew(d, e.Time) {
				return made, e.Revision
			}
		}
	}
	return made, 0
}

// cameAnew says whether a statement that stood had ended by then and is renewed, or got another effect.
func cameAnew(d rolecall.Delta, at time.Time) bool {
	said := func(s rolecall.Statement) (end time.Time, effect rolecall.Effect) {
		switch s := s.(type) {
		case rolecall.Grant:
			return s.NotAfter, 0
		case rolecall.Membership:
			return s.NotAfter, 0
		case rolecall.Override:
			return s.NotAfter, s.Effect
		}
		return time.Time{}, 0
	}
	before, was := said(d.Before)
	after, is := said(d.After)
	over := func(end time.Time) bool { return !end.IsZero() && !end.After(at) }
	return over(before) && !over(after) || was != is
}

// TestProvenance compares what is told with a search of all entries ever made, for every statement of every revision.
func TestProvenance(t *testing.T) {
	told, untold := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		keep := pick(t, []int{0, 0, 1, 3, 10}, "kept")
		h := drawPast(t, keep)
		present := h.snapshots[len(h.snapshots)-1]
		oldest := 0
		if keep > 0 {
			oldest = max(0, len(h.entries)-keep)
		}
		p, err := rolecall.Trace(t.Context(), h.store, present)
		if err != nil {
			t.Fatalf("Trace: %v, want no error", err)
		}
		if after, upTo := p.Span(); after != rolecall.Revision(oldest) || upTo != present.Revision() {
			t.Fatalf("Span() = %d, %d, want %d, %d", after, upTo, oldest, present.Revision())
		}
		for _, s := range h.snapshots {
			for one := range s.Statements() {
				key, at := rolecall.KeyOf(one), s.Revision()
				made, since := h.lastTouch(key, at)
				for what, q := range map[string]struct {
					ask  func(rolecall.StatementKey, rolecall.Revision) (rolecall.Origin, error)
					want rolecall.Revision
				}{"Of": {p.Of, made}, "Since": {p.Since, since}} {
					got, err := q.ask(key, at)
					switch {
					case int(at) < oldest || int(q.want) <= oldest:
						untold++
						if !errors.Is(err, rolecall.ErrCompacted) {
							t.Fatalf("%s(%s, %d) = %v, %v; want %s: the history begins after %d", what, key, at, got, err, rolecall.ErrCompacted, oldest)
						}
					case err != nil || got.Revision != q.want || got.Reason != fmt.Sprint("reason ", q.want):
						t.Fatalf("%s(%s, %d) = %v, %v; want revision %d", what, key, at, got, err, q.want)
					default:
						told++
					}
				}
			}
		}
	})
	if told == 0 || untold == 0 {
		t.Errorf("%d origins were told and %d were not, want some of each", told, untold)
	}
}

// threeChanges is a store in which Bob's grant was made, changed and removed, and Ada's was made.
func threeChanges(t *testing.T) (*memstore.Store, *rolecall.Resolver) {
	store := memstore.New()
	r := succeed(rolecall.Open(t.Context(), store, smallCatalog(t), nil))
	for i, edits := range [][]rolecall.Edit{
		{rolecall.Put(roleOf("artist", "task.*")), rolecall.Put(grant(userBob, "artist", projectAlpha)), rolecall.Put(grant(userAda, "artist", projectAlpha))},
		{rolecall.Put(piercing(grant(userBob, "artist", projectAlpha)))},
		{rolecall.Remove(grant(userBob, "artist", projectAlpha))},
	} {
		succeed(r.Edit(t.Context(), rolecall.Meta{Reason: fmt.Sprint("reason ", i+1), Time: storeTime}, edits...))
	}
	return store, r
}

// What cannot be told says why, and never that nobody did it.
func TestProvenanceTellsWhatItDoesNotKnow(t *testing.T) {
	store, r := threeChanges(t)
	s := succeed(r.Snapshot())
	ada, bob := rolecall.KeyOf(grant(userAda, "artist", projectAlpha)), rolecall.KeyOf(grant(userBob, "artist", projectAlpha))
	all := succeed(rolecall.Trace(t.Context(), store, s))
	none := succeed(rolecall.TraceOnly(t.Context(), store, s))
	with := memstore.With(s)
	started := succeed(rolecall.Trace(t.Context(), with, succeed(succeed(rolecall.Open(t.Context(), with, smallCatalog(t), nil)).Snapshot())))
	for _, c := range []struct {
		name string
		from *rolecall.Provenance
		key  rolecall.StatementKey
		at   rolecall.Revision
		want error
	}{
		{"a statement that was removed", all, bob, 3, rolecall.ErrUnknown},
		{"one that nobody ever made", all, rolecall.KeyOf(grant(userAda, "artist", projectBeta)), 3, rolecall.ErrCompacted},
		{"a later revision", all, ada, 4, rolecall.ErrStale},
		{"one that was not traced", none, ada, 3, rolecall.ErrInvalid},
		{"one that a store started with", started, ada, 3, rolecall.ErrCompacted},
		{"an earlier revision than the first one kept", started, ada, 2, rolecall.ErrCompacted},
		{"one before anything was told", new(rolecall.Provenance), ada, 1, rolecall.ErrCompacted},
	} {
		if got, err := c.from.Of(c.key, c.at); !errors.Is(err, c.want) || got != (rolecall.Origin{}) {
			t.Errorf("Of %s: %v, %v; want %s", c.name, got, err, c.want)
		}
	}
	one := succeed(rolecall.TraceOnly(t.Context(), store, s, ada))
	if got, err := one.Of(ada, 3); err != nil || got.Revision != 1 {
		t.Errorf("Of(%s, 3), which alone was traced: %v, %v, want revision 1", ada, got, err)
	}
	if got, err := all.Of(bob, 2); err != nil || got.Revision != 2 {
		t.Errorf("Of(%s, 2) = %v, %v, want revision 2", bob, got, err)
	}
	if got, err := all.Since(bob, 2); err != nil || got.String() != "revision 1, by the host, 2026-01-01T12:00:00Z: reason 1" {
		t.Errorf("Since(%s, 2) = %v, %v, want revision 1", bob, got, err)
	}
}

// A Provenance goes on entry by entry, without gaps; the zero one begins with the first.
func TestProvenanceAdd(t *testing.T) {
	store, _ := threeChanges(t)
	var p rolecall.Provenance
	for e, err := range store.Changes(t.Context(), 1) {
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // one that is known already does no harm
			if err := p.Add(e); err != nil {
				t.Errorf("Add(revision %d): %v, want no error", e.Revision, err)
			}
		}
	}
	for _, revision := range []rolecall.Revision{0, 1, 5} {
		if err := p.Add(rolecall.Entry{Revision: revision}); !errors.Is(err, rolecall.ErrInvalid) {
			t.Errorf("Add(revision %d) to what ends at 3: %v, want %s", revision, err, rolecall.ErrInvalid)
		}
	}
	if err := p.Add(rolecall.Entry{Revision: 4, Deltas: []rolecall.Delta{{}}}); !errors.Is(err, rolecall.ErrInvalid) {
		t.Errorf("Add(an entry with an empty delta): %v, want %s", err, rolecall.ErrInvalid)
	}
	if after, upTo := p.Span(); after != 1 || upTo != 3 {
		t.Errorf("Span() = %d, %d, want 1, 3", after, upTo)
	}
	if got, err := p.Of(rolecall.KeyOf(grant(userBob, "artist", projectAlpha)), 2); err != nil || got.Revision != 2 {
		t.Errorf("Of(…, 2) = %v, %v, want revision 2", got, err)
	}
}

// An unsteady store is compacted while it is read, or fails, or was restored.
type unsteady struct {
	*memstore.Store
	before func() error
	line   string
}

func (f unsteady) Changes(ctx context.Context, after rolecall.Revision) iter.Seq2[rolecall.Entry, error] {
	return func(yield func(rolecall.Entry, error) bool) {
		for e, err := range f.Store.Changes(ctx, after) {
			if failure := f.before(); failure != nil {
				yield(rolecall.Entry{}, failure)
				return
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

func (f unsteady) History(ctx context.Context) (string, error) {
	if f.line != "" {
		return f.line, nil
	}
	return f.Store.History(ctx)
}

func TestTraceOfAStoreThatFails(t *testing.T) {
	store, r := threeChanges(t)
	s := succeed(r.Snapshot())
	down := errors.New("the store is down")
	calls := 0
	for name, c := range map[string]struct {
		store rolecall.Store
		want  error
	}{
		"fails":                            {unsteady{Store: store, before: func() error { return down }}, down},
		"was restored":                     {unsteady{Store: store, before: func() error { return nil }, line: "another"}, rolecall.ErrCompacted},
		"is compacted once while read":     {unsteady{Store: store, before: func() error { calls++; return only(calls == 3, rolecall.ErrCompacted) }}, nil},
		"is always compacted while read":   {unsteady{Store: store, before: func() error { calls++; return only(calls%2 == 0, rolecall.ErrCompacted) }}, nil},
		"has a snapshot of another store":  {memstore.New(), rolecall.ErrCompacted},
		"compacts everything all the time": {unsteady{Store: store, before: func() error { return rolecall.ErrCompacted }}, nil},
	} {
		calls = 0
		if _, err := rolecall.Trace(t.Context(), c.store, s); !errors.Is(err, c.want) {
			t.Errorf("Trace of a store that %s: %v, want %v", name, err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := rolecall.Trace(ctx, store, s); !errors.Is(err, context.Canceled) {
		t.Errorf("Trace without time: %v, want %v", err, context.Canceled)
	}
	if _, err := rolecall.Trace(t.Context(), store, new(rolecall.Snapshot)); !errors.Is(err, rolecall.ErrInvalid) {
		t.Errorf("Trace of the zero snapshot: %v, want %s", err, rolecall.ErrInvalid)
	}
}

func only(when bool, err error) error {
	if when {
		return err
	}
	return nil
}

// Every statement that an explanation names can be traced.
func TestDecisionKeys(t *testing.T) {
	s := world{}.add(
		role("r0", rule(rolecall.Allow, "", "task.view")), rolecall.Role{Name: "r1", Inherits: []rolecall.RoleName{"r0"}},
		member(ann, layout), member(layout, studio), grant(studio, "r1", global), private(project),
		override(everyone, rolecall.Deny, "task.*", shot),
	).snapshot(t).At(day(1))
	d := succeed(s.Decide(rolecall.Request{Subject: ann, Permission: seeTask, Scope: shot}))
	var got []string
	for _, key := range d.Keys() {
		if _, there := s.Find(key); !there {
			t.Errorf("Keys() has %s, which is not in the policy", key)
		}
		got = append(got, key.String())
	}
	want := []string{
		"role r0", "role r1", "member group:layout of group:ann", "member user:ann of group:layout",
		"grant group:ann r1 at /", "override everyone task.* at /project:p/shot:s", "private /project:p",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Keys() of %s: -want +got\n%s", d, diff)
	}
}
