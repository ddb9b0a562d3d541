package rolecall_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall-go/rolecall"
	"pgregory.net/rapid"
)

var everybody = slices.Concat(subjects, []rolecall.Subject{stranger})

// TestReachIsTheCheck compares Allows with Snapshot.Check, for facts of the event, of the subject, and of both.
func TestReachIsTheCheck(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBench(t, drawWorld(t))
		s := b.now(pick(t, instants, "now"))
		p, at, shared, own := pick(t, permissions, "permission"), pick(t, lookups, "at"), drawFacts(t), drawFacts(t)
		r, err := s.Reach(p, at, shared)
		if err != nil {
			t.Fatalf("Reach(%s, %s): %v, want no error", p, at, err)
		}
		for _, who := range everybody {
			if got, want := r.Allows(who), s.Check(who, p, at, shared) == nil; got != want {
				t.Fatalf("Reach(%s, %s, %v).Allows(%s) = %t, want %t; policy:\n%s", p, at, shared, who, got, want, b.world)
			}
			if got, want := r.Allows(who, own), s.Check(who, p, at, shared, own) == nil; got != want {
				t.Fatalf("Reach(%s, %s, %v).Allows(%s, %v) = %t, want %t; policy:\n%s", p, at, shared, who, own, got, want, b.world)
			}
		}
	})
}

func TestReachRefuses(t *testing.T) {
	s := world{}.add(role("r0", rule(rolecall.Allow, "", "*")), grant(everyone, "r0", global)).snapshot(t)
	if _, err := s.Reach(seeTask, global, nil); !errors.Is(err, rolecall.ErrInvalid) {
		t.Errorf("Reach without an instant: %v, want %s", err, rolecall.ErrInvalid)
	}
	s = s.At(day(1))
	if _, err := s.Reach(rolecall.NewPermission("no.such"), global, nil); !errors.Is(err, rolecall.ErrUnknown) {
		t.Errorf("Reach(no.such): %v, want %s", err, rolecall.ErrUnknown)
	}
	if _, err := s.Reach(seeTask, global, rolecall.Given{"misspelled"}); !errors.Is(err, rolecall.ErrUnknown) {
		t.Errorf("Reach(…, Given{misspelled}): %v, want %s", err, rolecall.ErrUnknown)
	}
	r, err := s.Reach(seeTask, global, nil)
	if err != nil {
		t.Fatal(err)
	}
	for who, want := range map[rolecall.Subject]bool{ann: true, stranger: true, {}: false, rolecall.NewSubject("robot", "x"): false} {
		if got := r.Allows(who); got != want {
			t.Errorf("Allows(%s) = %t, want %t", who, got, want)
		}
	}
	if r.Allows(ann, rolecall.Given{"misspelled"}) {
		t.Errorf("Allows(%s, Given{misspelled}) = true, want false", ann)
	}
}

// TestReachAsksOnce: the facts of the event are asked once a condition, however many subjects there are with facts of
// their own.
func TestReachAsksOnce(t *testing.T) {
	s := world{}.add(role("r0", rule(rolecall.Allow, "own", "*")), grant(everyone, "r0", global)).snapshot(t).At(day(1))
	asked := 0
	r, err := s.Reach(seeTask, global, rolecall.FactFunc(func(rolecall.Condition) (bool, error) { asked++; return false, nil }))
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range everybody {
		if !r.Allows(who, rolecall.Given{"own"}) {
			t.Errorf("Allows(%s, Given{own}) = false, want true", who)
		}
	}
	if asked != 1 {
		t.Errorf("the facts of the event were asked %d times for %d subjects, want once", asked, len(everybody))
	}
}

// TestAudience compares Audience with the check of each subject, with facts that differ between subjects.
func TestAudience(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, silent := drawWorld(t), rolecall.User("silent") // of whom nothing is said where it is asked
		if often(t, 50, "conditions for everyone") {
			w = w.put(overrideWhen(override(everyone, rolecall.Allow, "*", global), pick(t, conditions, "when")), grant(silent, "r0", neighbours[0]))
		}
		b := newBench(t, w)
		s := b.now(pick(t, instants, "now"))
		p, at := pick(t, permissions, "permission"), pick(t, lookups, "at")
		of := map[rolecall.Subject]facts{}
		for _, who := range append(subjects, silent) {
			of[who] = drawFacts(t)
		}
		of[stranger] = of[everyone]
		a, err := s.Audience(p, at, func(who rolecall.Subject) rolecall.Facts { return of[who] })
		if err != nil {
			t.Fatalf("Audience(%s, %s): %v, want no error", p, at, err)
		}
		may := func(who rolecall.Subject) bool { return s.Check(who, p, at, of[who]) == nil }
		if got, want := a.Everyone(), may(stranger); got != want {
			t.Fatalf("Audience(%s, %s).Everyone() = %t, want %t; policy:\n%s", p, at, got, want, b.world)
		}
		want := slices.DeleteFunc(b.world.named(), func(who rolecall.Subject) bool { return !may(who) })
		got := slices.Collect(a.Subjects(rolecall.Subject{}))
		if diff := cmp.Diff(textsOf(want), textsOf(got)); diff != "" {
			t.Fatalf("Audience(%s, %s).Subjects: -want +got:\n%s\npolicy:\n%s", p, at, diff, b.world)
		}
		for i, who := range got {
			if diff := cmp.Diff(textsOf(got[i+1:]), textsOf(slices.Collect(a.Subjects(who)))); diff != "" {
				t.Fatalf("Subjects(after %s): -want +got:\n%s", who, diff)
			}
			d, err := a.Decide(who)
			if err != nil || !d.Allowed() || len(d.Deciding()) == 0 || d.Deciding()[0].Path[0] != who {
				t.Fatalf("Decide(%s) = %s, %v; want a yes with paths that begin with the subject", who, d, err)
			}
		}
		holders := slices.Collect(a.Holders(rolecall.Subject{}))
		for i, who := range holders {
			if diff := cmp.Diff(textsOf(holders[i+1:]), textsOf(slices.Collect(a.Holders(who)))); diff != "" {
				t.Fatalf("Holders(after %s): -want +got:\n%s", who, diff)
			}
		}
		if diff := cmp.Diff(textsOf(b.world.holdersAt(at, may)), textsOf(holders)); diff != "" {
			t.Fatalf("Audience(%s, %s).Holders: -want +got:\n%s\npolicy:\n%s", p, at, diff, b.world)
		}
	})
}

// holdersAt lists those who have a statement on the way to a scope and may.
func (w world) holdersAt(at rolecall.Scope, may func(rolecall.Subject) bool) []rolecall.Subject {
	var all []rolecall.Subject
	for _, g := range w.grants {
		if g.Scope.Contains(at) && may(g.Subject) {
			all = append(all, g.Subject)
		}
	}
	for _, o := range w.overrides {
		if o.Scope.Contains(at) && may(o.Subject) {
			all = append(all, o.Subject)
		}
	}
	slices.SortFunc(all, rolecall.Subject.Compare)
	return slices.Compact(all)
}

// TestPermissionSet compares the set with the list.
func TestPermissionSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		_, v := drawView(t)
		at, f := pick(t, lookups, "at"), drawFacts(t)
		want, err := v.Permissions(at, f)
		if err != nil {
			t.Fatalf("Permissions(%s): %v, want no error", at, err)
		}
		got, err := v.PermissionSet(at, f)
		if err != nil {
			t.Fatalf("PermissionSet(%s): %v, want no error", at, err)
		}
		if diff := cmp.Diff(textsOf(want), textsOf(slices.Collect(got.All()))); diff != "" || got.Len() != len(want) {
			t.Fatalf("PermissionSet(%s): %d permissions, want %d; -want +got:\n%s", at, got.Len(), len(want), diff)
		}
		for p := range worldCatalog.Permissions() {
			if got.Has(p) != slices.Contains(want, p) {
				t.Fatalf("PermissionSet(%s).Has(%s) = %t, want %t", at, p, got.Has(p), !got.Has(p))
			}
		}
		elsewhere := pick(t, lookups, "elsewhere")
		other, err := v.PermissionSet(elsewhere, f)
		if err != nil {
			t.Fatalf("PermissionSet(%s): %v, want no error", elsewhere, err)
		}
		if same := slices.Equal(want, slices.Collect(other.All())); got.Equal(other) != same || other.Equal(got) != same {
			t.Fatalf("PermissionSet(%s) is equal to PermissionSet(%s): %t, want %t", at, elsewhere, got.Equal(other), same)
		}
	})
	var zero rolecall.PermissionSet
	if !zero.Equal(zero) || zero.Has(seeTask) || zero.Len() != 0 {
		t.Errorf("the zero PermissionSet has something, or is not equal to itself")
	}
}
