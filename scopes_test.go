package rolecall_test

import (
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall-go/rolecall"
	"pgregory.net/rapid"
)

// anywhere lists scopes that the worlds name, beside, inside and above them, and kinds in unusual places.
func anywhere() []rolecall.Scope {
	level := []rolecall.Scope{global}
	all := []rolecall.Scope{global}
	for range 4 {
		var next []rolecall.Scope
		for _, at := range level {
			for _, s := range [][2]string{{"project", "p"}, {"project", "p2"}, {"shot", "s"}, {"shot", "new"}, {"task", "t"}} {
				next = append(next, at.In(rolecall.ScopeKind(s[0]), s[1]))
			}
		}
		all = append(all, next...)
		level = next
	}
	return all
}

// lookups are scopes of every depth, most of them near what the worlds name.
var lookups = slices.DeleteFunc(anywhere(), func(t rolecall.Scope) bool {
	if t.Depth() < 3 {
		return false
	}
	return !project.Contains(t) && !sibling.Contains(t) || t.Depth() == 4 && !shot.Contains(t)
})

// neighbours are projects beside each other.
var neighbours = []rolecall.Scope{rolecall.In("project", "a"), rolecall.In("project", "b"), rolecall.In("project", "q"), rolecall.In("project", "z")}

// drawNeighbourView is drawView with something said, or a private scope, in most of the neighbours.
func drawNeighbourView(t *rapid.T) (*bench, view) {
	w := drawWorld(t)
	for _, at := range neighbours {
		if often(t, 50, "private") {
			w = w.put(private(at))
		}
		if often(t, 50, "said") {
			w = w.put(override(pick(t, subjects, "holder"), pick(t, []rolecall.Effect{rolecall.Allow, rolecall.Deny}, "effect"), "*", at))
		}
	}
	if often(t, 60, "open to everyone") {
		w = w.put(override(everyone, rolecall.Allow, "*", global))
	}
	b := newBench(t, w)
	v := b.view(drawAsker(t))
	if v.err != nil {
		t.Skip("the asker's session is refused")
	}
	return b, v
}

var kinds = []rolecall.ScopeKind{rolecall.GlobalKind, "project", "shot", "task"}

func setOf(t rapid.TB, v *rolecall.View, kind rolecall.ScopeKind, p rolecall.Permission) *rolecall.ScopeSet {
	set, err := v.Scopes(kind, p)
	if err != nil {
		t.Fatalf("Scopes(%s, %s) of %s: %v, want no error", kind, p, v.Subject(), err)
	}
	return set
}

// TestScopesAreTheCheck compares Contains and Among with View.Check and the naive evaluator, everywhere.
func TestScopesAreTheCheck(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, v := drawView(t)
		for _, p := range permissions {
			f := drawFacts(t)
			for _, kind := range kinds {
				set := setOf(t, v.View, kind, p)
				if set.Kind() != kind || set.Permission() != p || set.Subject() != v.Subject() || set.Catalog() != worldCatalog || set.Revision() != b.snapshot.Revision() {
					t.Fatalf("Scopes(%s, %s) of %s is that of %s, %s, %s, of another catalog or revision", kind, p, v.Subject(), set.Kind(), set.Permission(), set.Subject())
				}
				var want []rolecall.Scope
				for _, at := range lookups {
					in := at.Kind() == kind && v.Check(p, at, f) == nil
					if in && set.Empty() {
						t.Fatalf("Scopes(%s, %s) of %s is empty and has %s given %v; policy:\n%s", kind, p, v.Subject(), at, f, b.world)
					}
					if got := set.Contains(at, f); got != in {
						t.Fatalf("Scopes(%s, %s) of %s: Contains(%s, %v) = %t, want %t; policy:\n%s", kind, p, v.Subject(), at, f, got, in, b.world)
					}
					if in {
						want = append(want, at)
					}
				}
				got := slices.Collect(set.Among(slices.Values(lookups), func(rolecall.Scope) rolecall.Facts { return f }))
				if diff := cmp.Diff(textsOf(want), textsOf(got)); diff != "" {
					t.Fatalf("Scopes(%s, %s) of %s: Among: -want +got:\n%s\npolicy:\n%s", kind, p, v.Subject(), diff, b.world)
				}
			}
		}
	})
}

// byRegions looks a scope up in the regions and private scopes of a set, as a translator would.
func byRegions(set *rolecall.ScopeSet, t rolecall.Scope, f rolecall.Facts) bool {
	var inner rolecall.ScopeRegion
	for r := range set.Regions(rolecall.Scope{}) {
		if r.Scope.Contains(t) {
			inner = r
		}
	}
	rule := inner.Open
	for p := range set.PrivateScopes(rolecall.Scope{}) {
		if p.Contains(t) && inner.Scope.Contains(p) && p != inner.Scope {
			rule = inner.Private
		}
	}
	return t.Kind() == set.Kind() && holdsBySplitting(rule, f)
}

// holdsBySplitting answers a rule by taking it apart.
func holdsBySplitting(r rolecall.ScopeRule, f rolecall.Facts) bool {
	c, ifHolds, ifFails, ifUnknown, ok := r.Split()
	if !ok {
		return r.Holds(f)
	}
	switch ok, err := askSafely(f, c); {
	case err != nil:
		return holdsBySplitting(ifUnknown, f)
	case ok:
		return holdsBySplitting(ifHolds, f)
	}
	return holdsBySplitting(ifFails, f)
}

// holdsByReading answers a rule by what its text says.
func holdsByReading(r rolecall.ScopeRule, f rolecall.Facts) bool {
	text := r.String()
	if !strings.HasPrefix(text, "when ") {
		return text == "always" || text == "ask the check" && r.Holds(f)
	}
	return slices.ContainsFunc(strings.Split(text[len("when "):], " or "), func(way string) bool {
		for _, term := range strings.Split(way, " and ") {
			words := strings.Fields(term)
			holds, err := askSafely(f, rolecall.Condition(words[len(words)-1]))
			is := map[string]bool{"": holds && err == nil, "not": !holds && err == nil, "unknown": err != nil, "without": err != nil || !holds}
			if !is[strings.Join(words[:len(words)-1], " ")] {
				return false
			}
		}
		return true
	})
}

func askSafely(f rolecall.Facts, c rolecall.Condition) (ok bool, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("panic")
		}
	}()
	return f.Holds(c)
}

// byList looks a scope up in the list of its parent.
func byList(t rapid.TB, set *rolecall.ScopeSet, at rolecall.Scope, f rolecall.Facts) bool {
	parent, ok := at.Parent()
	if !ok {
		return set.Contains(at, f)
	}
	l, err := set.In(parent)
	if err != nil {
		t.Fatalf("In(%s): %v, want no error", parent, err)
	}
	zero := rolecall.Scope{}
	if slices.Contains(slices.Collect(l.Included(zero)), at) {
		return true
	}
	if slices.Contains(slices.Collect(l.Excluded(zero)), at) {
		return false
	}
	for one, rule := range l.Conditional(zero) {
		if one == at {
			return rule.Holds(f)
		}
	}
	return l.Default().Holds(f)
}

// TestScopesTakenApart checks that the regions and the lists of a set say what it contains.
func TestScopesTakenApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, v := drawNeighbourView(t)
		p, f := pick(t, permissions, "permission"), drawFacts(t)
		for _, kind := range kinds {
			set := setOf(t, v.View, kind, p)
			for range 16 {
				at := pick(t, slices.Concat(lookups, neighbours, neighbours, neighbours, neighbours), "at")
				want := set.Contains(at, f)
				if got := byRegions(set, at, f); got != want {
					t.Fatalf("Scopes(%s, %s) of %s: by its regions %s is in: %t, want %t; policy:\n%s", kind, p, v.Subject(), at, got, want, b.world)
				}
				if at.Kind() != kind {
					continue
				}
				if got := byList(t, set, at, f); got != want {
					t.Fatalf("Scopes(%s, %s) of %s: by the list of its parent %s is in: %t, want %t; policy:\n%s", kind, p, v.Subject(), at, got, want, b.world)
				}
			}
		}
	})
}

// TestScopesResume checks that every iterator goes on after any scope, in order, and stops when told to.
func TestScopesResume(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		_, v := drawNeighbourView(t)
		set := setOf(t, v.View, pick(t, append(kinds, "project", "project", "project"), "kind"), pick(t, permissions, "permission"))
		l, err := set.In(pick(t, append(scopes, global, global, global), "parent"))
		if err != nil {
			t.Fatalf("In: %v, want no error", err)
		}
		for name, list := range map[string]func(rolecall.Scope) iter.Seq[rolecall.Scope]{
			"Regions": func(after rolecall.Scope) iter.Seq[rolecall.Scope] {
				return func(yield func(rolecall.Scope) bool) {
					set.Regions(after)(func(r rolecall.ScopeRegion) bool { return yield(r.Scope) })
				}
			},
			"Conditional":   func(after rolecall.Scope) iter.Seq[rolecall.Scope] { return scopesOf(l.Conditional(after)) },
			"Exceptions":    func(after rolecall.Scope) iter.Seq[rolecall.Scope] { return scopesOf(l.Exceptions(after)) },
			"PrivateScopes": set.PrivateScopes,
			"Included":      l.Included,
			"Excluded":      l.Excluded,
		} {
			all := slices.Collect(list(rolecall.Scope{}))
			if !slices.IsSortedFunc(all, rolecall.Scope.Compare) {
				t.Errorf("%s yields %v, want it sorted", name, all)
			}
			for i, at := range all {
				if diff := cmp.Diff(textsOf(all[i+1:]), textsOf(slices.Collect(list(at)))); diff != "" {
					t.Errorf("%s after %s: -want +got:\n%s", name, at, diff)
				}
				for got := range list(rolecall.Scope{}) {
					if got == at {
						break
					}
				}
			}
		}
	})
}

func scopesOf(list iter.Seq2[rolecall.Scope, rolecall.ScopeRule]) iter.Seq[rolecall.Scope] {
	return func(yield func(rolecall.Scope) bool) {
		list(func(t rolecall.Scope, _ rolecall.ScopeRule) bool { return yield(t) })
	}
}

// forms says how a list reads.
type forms struct {
	Default                         string
	OnlyOpen                        bool
	Included, Excluded, Conditional []string
}

func formsOf(t *testing.T, s *rolecall.Snapshot, who rolecall.Subject, kind rolecall.ScopeKind, parent rolecall.Scope) forms {
	t.Helper()
	v, err := s.At(day(1)).For(who, nil)
	if err != nil {
		t.Fatalf("For(%s): %v, want no error", who, err)
	}
	l, err := setOf(t, v, kind, seeTask).In(parent)
	if err != nil {
		t.Fatalf("In(%s): %v, want no error", parent, err)
	}
	f := forms{Default: l.Default().String(), OnlyOpen: l.OnlyOpen()}
	f.Included = textsOf(slices.Collect(l.Included(rolecall.Scope{})))
	f.Excluded = textsOf(slices.Collect(l.Excluded(rolecall.Scope{})))
	for at, rule := range l.Conditional(rolecall.Scope{}) {
		f.Conditional = append(f.Conditional, at.String()+" "+rule.String())
	}
	return f
}

// The forms of a set: everything, everything open, these, all but these, those where a condition holds.
func TestScopesForms(t *testing.T) {
	sees := role("r0", rule(rolecall.Allow, "", "task.view"))
	deny := override(ann, rolecall.Deny, "task.view", sibling)
	for name, c := range map[string]struct {
		world world
		want  forms
	}{
		"nothing":         {world{}, forms{Default: "never"}},
		"everything":      {world{}.add(sees, grant(ann, "r0", global)), forms{Default: "always", OnlyOpen: true}},
		"everything open": {world{}.add(sees, grant(ann, "r0", global), private(project)), forms{Default: "always", OnlyOpen: true, Excluded: []string{"/project:p"}}},
		"everything open, of which some say more": {
			world{}.add(sees, grant(ann, "r0", global), private(neighbours[3]), private(project), private(neighbours[0]), private(neighbours[1]), deny),
			forms{Default: "always", OnlyOpen: true, Excluded: []string{"/project:a", "/project:b", "/project:p", "/project:p2", "/project:z"}},
		},
		"everything, private or not":   {world{}.add(sees, piercing(grant(ann, "r0", global)), private(project)), forms{Default: "always"}},
		"what is no project of a list": {world{}.add(sees, grant(ann, "r0", global), private(rolecall.In("shot", "s")), override(ann, rolecall.Deny, "*", rolecall.In("task", "t")), override(ann, rolecall.Deny, "*", neighbours[0].In("project", "p"))), forms{Default: "always", OnlyOpen: true}},
		"what pierces further in":      {world{}.add(sees, grant(ann, "r0", global), piercing(grant(ann, "r0", project))), forms{Default: "always", OnlyOpen: true}},
		"these":                        {world{}.add(sees, grant(ann, "r0", project), grant(everyone, "r0", sibling)), forms{Default: "never", Included: []string{"/project:p", "/project:p2"}}},
		"all but these":                {world{}.add(sees, piercing(grant(ann, "r0", global)), deny), forms{Default: "always", Excluded: []string{"/project:p2"}}},
		"where a condition holds": {
			world{}.add(sees, grantWhen(grant(ann, "r0", sibling), "assigned"), grant(ann, "r0", project)),
			forms{Default: "never", Included: []string{"/project:p"}, Conditional: []string{"/project:p2 when assigned"}},
		},
		"unless a condition holds": {
			world{}.add(sees, piercing(grant(ann, "r0", global)), overrideWhen(deny, "own")),
			forms{Default: "always", Conditional: []string{"/project:p2 when not own"}},
		},
		"a grant that repeats what is around it is no exception": {
			world{}.add(sees, piercing(grant(ann, "r0", global)), piercing(grant(ann, "r0", project))),
			forms{Default: "always"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := formsOf(t, c.world.snapshot(t), ann, "project", global)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("In(/) of %s may %s: -want +got:\n%s", ann, seeTask, diff)
			}
		})
	}
}

// A set refuses what is not declared.
func TestScopesRefuse(t *testing.T) {
	v, err := world{}.snapshot(t).At(day(1)).For(ann, nil)
	if err != nil {
		t.Fatal(err)
	}
	for kind, code := range map[rolecall.ScopeKind]rolecall.Code{"": rolecall.ErrInvalid, "projekt": rolecall.ErrUnknown, "a b": rolecall.ErrInvalid} {
		if _, err := v.Scopes(kind, seeTask); !errors.Is(err, code) {
			t.Errorf("Scopes(%q, task.view): %v, want %s", kind, err, code)
		}
	}
	if _, err := v.Scopes("project", rolecall.NewPermission("task.viw")); !errors.Is(err, rolecall.ErrUnknown) {
		t.Errorf("Scopes(project, task.viw): %v, want %s", err, rolecall.ErrUnknown)
	}
	c, err := rolecall.NewCatalog(rolecall.Declarations{Permissions: []rolecall.PermissionDecl{{Permission: seeTask}}, ScopeKinds: []rolecall.ScopeKindDecl{{Kind: "shot"}, {Kind: "shots"}}})
	if err != nil {
		t.Fatal(err)
	}
	some := setOf(t, succeed(snapshotOf(t, c, override(ann, rolecall.Allow, "*", global)).For(ann, nil)), "shot", seeTask)
	for kind, want := range map[rolecall.ScopeKind]bool{"shot": true, "shots": false} {
		if at := rolecall.In(kind, "1"); some.Contains(at) != want {
			t.Errorf("the set of shots contains %s: %t, want %t", at, !want, want)
		}
	}
	set := setOf(t, v, "project", seeTask)
	if _, err := set.In(rolecall.Scope{}); !errors.Is(err, rolecall.ErrInvalid) {
		t.Errorf("In(the zero scope): %v, want %s", err, rolecall.ErrInvalid)
	}
	if set.Contains(rolecall.Scope{}) || !set.Empty() {
		t.Errorf("the set of somebody who may do nothing contains the zero scope or is not empty")
	}
}

// Many conditions: allows alone are never too many; beside something stricter up to eight are taken apart, and beyond
// that the set asks the check. Contains is exact in every case, and so is a plan.
func TestScopesManyConditions(t *testing.T) {
	var names []rolecall.Condition
	d := rolecall.Declarations{
		Permissions: []rolecall.PermissionDecl{{Permission: seeTask}}, ScopeKinds: []rolecall.ScopeKindDecl{{Kind: "project"}, {Kind: "shot"}},
	}
	for i := range 12 {
		names = append(names, rolecall.Condition("c"+string(rune('a'+i))))
		d.Conditions = append(d.Conditions, rolecall.ConditionDecl{Condition: names[i]})
	}
	c, err := rolecall.NewCatalog(d)
	if err != nil {
		t.Fatal(err)
	}
	sees := role("r0", rule(rolecall.Allow, "", "task.view"))
	for _, x := range []struct {
		name           string
		allows, denies int
		opaque         bool
	}{{"allows only", 12, 0, false}, {"eight", 4, 4, false}, {"nine", 5, 4, true}, {"twelve", 6, 6, true}} {
		t.Run(x.name, func(t *testing.T) {
			statements := []rolecall.Statement{sees, private(shot), grantWhen(grant(ann, "r0", shot), names[11])}
			for i := range x.allows {
				g := grantWhen(grant(ann, "r0", project), names[i])
				g.Pierce = i%2 == 0
				statements = append(statements, g)
			}
			for i := range x.denies {
				statements = append(statements, overrideWhen(override(everyone, rolecall.Deny, "task.*", project), names[11-i]))
				statements = append(statements, overrideWhen(override(crowds, rolecall.Deny, "task.view", global), names[11-i]))
			}
			s, err := rolecall.NewSnapshot(c, append(statements, member(ann, crowds))...)
			if err != nil {
				t.Fatal(err)
			}
			before, err := rolecall.NewSnapshot(c, sees)
			if err != nil {
				t.Fatal(err)
			}
			var edits []rolecall.Edit
			for _, one := range append(statements[1:], member(ann, crowds)) {
				edits = append(edits, rolecall.Put(one))
			}
			plan, err := before.At(day(1)).Plan(rolecall.Change{Edits: edits})
			if err != nil {
				t.Fatal(err)
			}
			less, err := s.At(day(1)).Plan(rolecall.Change{Edits: []rolecall.Edit{rolecall.Remove(statements[3]), rolecall.Remove(statements[len(statements)-1])}})
			if err != nil {
				t.Fatal(err)
			}
			v, err := s.At(day(1)).For(ann, nil)
			if err != nil {
				t.Fatal(err)
			}
			set := setOf(t, v, "project", seeTask)
			opaque := false
			for r := range set.Regions(rolecall.Scope{}) {
				opaque = opaque || r.Open.Opaque()
			}
			if opaque != x.opaque {
				t.Errorf("some rule is opaque: %t, want %t", opaque, x.opaque)
			}
			rules, err := v.Rules(project)
			if err != nil {
				t.Fatal(err)
			}
			var atProject rolecall.ScopeRule
			for _, atProject = range rules {
			}
			if atProject.Opaque() != x.opaque {
				t.Errorf("the rule at %s is opaque: %t, want %t", project, atProject.Opaque(), x.opaque)
			}
			rapid.Check(t, func(t *rapid.T) {
				f := facts{}
				for _, name := range names {
					f[name] = pick(t, []truth{no, no, no, yes, fails}, string(name))
				}
				want := v.Check(seeTask, project, f) == nil
				if got := set.Contains(project, f); got != want {
					t.Fatalf("Contains(%s, %v) = %t, want %t", project, f, got, want)
				}
				if got := byRegions(set, project, f); got != want {
					t.Fatalf("by its regions %s is in given %v: %t, want %t", project, f, got, want)
				}
				if got := atProject.Holds(f); got != want {
					t.Fatalf("the rule at %s holds given %v: %t, want %t", project, f, got, want)
				}
				for _, at := range []rolecall.Scope{project, shot} {
					could, can := v.Check(seeTask, at, f) == nil, less.Proposal().Next().Check(ann, seeTask, at, f) == nil
					if got := plan.Gains(ann, seeTask, at, f); got != could {
						t.Fatalf("Gains(%s, %v) = %t, want %t", at, f, got, could)
					}
					if gains, loses := less.Gains(ann, seeTask, at, f), less.Loses(ann, seeTask, at, f); gains != (can && !could) || loses != (could && !can) {
						t.Fatalf("where %t becomes %t at %s given %v: gains %t, loses %t", could, can, at, f, gains, loses)
					}
				}
			})
		})
	}
}
