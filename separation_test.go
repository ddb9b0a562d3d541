package rolecall_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/rolecall-go/rolecall"
	"pgregory.net/rapid"
)

// Static separation of duty against a naive count: on load, and after random edits of every kind.

// moments are instants of every kind: before the first window opens, in each of them, and after the last one has closed.
var moments = append([]time.Time{day(-1)}, instants...)

// breaksStaticConstraint counts, for every subject, group and Everyone, the distinct roles of each set that it holds at one
// instant, at any scope, through groups and inheritance. "Conditions and suspension are ignored, eligible grants count
// when activated."
func (w world) breaksStaticConstraint() bool {
	return slices.ContainsFunc(w.constraints, func(c rolecall.Constraint) bool {
		return c.Kind == rolecall.Static && slices.ContainsFunc(slices.Concat(subjects, []rolecall.Subject{stranger}), func(s rolecall.Subject) bool {
			return slices.ContainsFunc(moments, func(now time.Time) bool { return w.held(s, c.Roles, now) >= c.Limit })
		})
	})
}

func (w world) held(s rolecall.Subject, roles []rolecall.RoleName, now time.Time) int {
	holders := w.holders(question{asker: &asker{subject: s, now: now}})
	n := 0
	for _, role := range roles {
		if slices.ContainsFunc(w.grants, func(g rolecall.Grant) bool {
			return !g.Eligible && valid(g.Window, now) && slices.Contains(holders, g.Subject) && slices.Contains(w.inherited(g.Role), role)
		}) {
			n++
		}
	}
	return n
}

func drawStatic(t *rapid.T) rolecall.Constraint {
	c := drawConstraint(t)
	c.Kind = rolecall.Static
	return c
}

// drawTenure draws a grant or a membership for a while, of Everyone more often than others are.
func drawTenure(t *rapid.T) rolecall.Statement {
	ends := []rolecall.Window{{}, {NotAfter: day(1)}, {NotBefore: day(1)}, {NotBefore: day(1), NotAfter: day(2)}, {NotAfter: day(2)}, {NotBefore: day(2)}}
	if often(t, 40, "member") {
		m := drawMembership(t)
		m.Window = pick(t, ends, "while")
		return m
	}
	g := grant(pick(t, append(subjects, everyone, everyone), "holder"), pick(t, roleNames, "role"), drawScope(t))
	g.Window = pick(t, ends, "while")
	return g
}

// TestStaticSeparation draws a policy with constraints and edits of it, and wants refused exactly what breaks one.
func TestStaticSeparation(t *testing.T) {
	loaded, kept, refused := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		w := drawSmallWorld(t).add(drawStatic(t))
		w.constraints = w.constraints[len(w.constraints)-1:]
		for range upToN(4).Draw(t, "tenures") {
			w = w.put(drawTenure(t))
		}
		base, err := rolecall.NewSnapshot(worldCatalog, w.statements()...)
		if breaks := w.breaksStaticConstraint(); breaks != errors.Is(err, rolecall.ErrSeparation) || !breaks && err != nil {
			t.Fatalf("NewSnapshot: %v, want it to break a constraint: %t; policy:\n%s", err, breaks, w)
		}
		if err != nil {
			loaded++
			return
		}
		edits := drawActorEdits(t, w)
		if often(t, 60, "gives") {
			edits = append(edits, rolecall.Put(drawTenure(t)))
		}
		if often(t, 30, "constrains") {
			edits = append(edits, rolecall.Put(drawStatic(t)))
		}
		after, possible := w.edited(t, edits)
		if !possible {
			return
		}
		_, err = base.Propose(rolecall.Change{Meta: rolecall.Meta{Time: day(0)}, Edits: edits})
		breaks := after.breaksStaticConstraint()
		if errors.Is(err, rolecall.ErrUnknown) { // a constraint was removed twice
			return
		}
		if breaks != errors.Is(err, rolecall.ErrSeparation) || !breaks && err != nil {
			t.Fatalf("Propose(%v): %v, want it to break a constraint: %t; policy:\n%s", edits, err, breaks, w)
		}
		if breaks {
			refused++
		} else {
			kept++
		}
	})
	if !testing.Short() && (loaded == 0 || kept == 0 || refused == 0) {
		t.Errorf("%d policies were refused, %d changes were kept and %d refused, want some of each", loaded, kept, refused)
	}
}

// edited returns the world after edits as if nothing were separated, and whether they can be made at all.
func (w world) edited(t *rapid.T, edits []rolecall.Edit) (after world, possible bool) {
	constraints := slices.Clone(w.constraints)
	w.constraints = nil
	var others []rolecall.Edit
	for _, e := range edits {
		c, is := e.Statement.(rolecall.Constraint)
		if !is {
			others = append(others, e)
			continue
		}
		constraints = slices.DeleteFunc(constraints, func(old rolecall.Constraint) bool { return old.Name == c.Name })
		if e.Op == rolecall.OpPut {
			constraints = append(constraints, c)
		}
	}
	p, err := w.snapshot(t).Propose(rolecall.Change{Meta: rolecall.Meta{Time: day(0)}, Edits: others})
	if err != nil {
		return world{}, false
	}
	after = worldOf(slices.Collect(p.Next().Statements()))
	after.constraints = constraints
	named := func(c rolecall.Constraint) bool {
		return !slices.ContainsFunc(c.Roles, func(name rolecall.RoleName) bool {
			return !slices.ContainsFunc(after.roles, func(r rolecall.Role) bool { return r.Name == name })
		})
	}
	return after, !slices.ContainsFunc(constraints, func(c rolecall.Constraint) bool { return !named(c) })
}

// TestManyWaysUp: 64 floors of groups, each group in all those of the next floor, and each membership with a window of its
// own. There are more ways up than could be gone one by one; some of them are open at one instant.
func TestManyWaysUp(t *testing.T) {
	group := func(floor, n int) rolecall.Subject { return rolecall.Group(fmt.Sprint(floor, "-", n)) }
	random := rand.New(rand.NewPCG(1, 2))
	around := func() rolecall.Window {
		return rolecall.Window{NotBefore: day(-1 - random.IntN(1000)), NotAfter: day(1 + random.IntN(1000))}
	}
	ada := rolecall.User("ada")
	statements := []rolecall.Statement{
		roleOf("a", "task.view"), roleOf("b", "task.view"),
		rolecall.Constraint{Name: "apart", Kind: rolecall.Static, Limit: 2, Roles: []rolecall.RoleName{"a", "b"}},
		rolecall.Membership{Member: ada, Group: group(0, 0), Window: around()}, grant(group(64, 3), "a", rolecall.Global()),
	}
	for floor := range 64 {
		for n := range 16 {
			statements = append(statements, rolecall.Membership{Member: group(floor, n/4), Group: group(floor+1, n%4), Window: around()})
		}
	}
	s := snapshotOf(t, smallCatalog(t), statements...)
	for _, c := range []struct {
		window rolecall.Window
		want   error
	}{
		{rolecall.Window{NotBefore: day(0), NotAfter: day(1)}, rolecall.ErrSeparation},
		{rolecall.Window{NotAfter: day(-1001)}, nil},
		{rolecall.Window{NotBefore: day(1001)}, nil},
	} {
		b := rolecall.Grant{Subject: ada, Role: "b", Scope: rolecall.Global(), Window: c.window}
		if _, err := s.Propose(rolecall.Change{Edits: []rolecall.Edit{rolecall.Put(b)}}); !errors.Is(err, c.want) {
			t.Errorf("Propose(%s): %v, want %v", b, err, c.want)
		}
	}
}

// TestManyRolesInTurn: one subject holds thousands of roles that may not be held at once, each in a month of its own.
func TestManyRolesInTurn(t *testing.T) {
	ada := rolecall.User("ada")
	apart := rolecall.Constraint{Name: "apart", Kind: rolecall.Static, Limit: 2}
	var statements []rolecall.Statement
	for n := range 3000 {
		name := rolecall.RoleName(fmt.Sprint("r", n))
		apart.Roles = append(apart.Roles, name)
		month := rolecall.Window{NotBefore: day(30 * n), NotAfter: day(30*n + 30)}
		statements = append(statements, roleOf(name, "task.view"), rolecall.Grant{Subject: ada, Role: name, Scope: rolecall.Global(), Window: month})
	}
	s := snapshotOf(t, smallCatalog(t), append(statements, apart)...)
	longer := rolecall.Grant{Subject: ada, Role: "r7", Scope: rolecall.Global(), Window: rolecall.Window{NotBefore: day(210), NotAfter: day(241)}}
	if _, err := s.Propose(rolecall.Change{Edits: []rolecall.Edit{rolecall.Put(longer)}}); !errors.Is(err, rolecall.ErrSeparation) {
		t.Errorf("Propose(%s), a day into the next month: %v, want %s", longer, err, rolecall.ErrSeparation)
	}
}

// TestWindowsOfLongAgo: what has been since the beginning of time overlaps, however long ago it ended; what a membership
// lets through does so from its beginning on.
func TestWindowsOfLongAgo(t *testing.T) {
	ada, crew, june, july := rolecall.User("ada"), rolecall.Group("crew"), time.Date(0, 6, 1, 0, 0, 0, 0, time.UTC), time.Date(0, 7, 1, 0, 0, 0, 0, time.UTC)
	held := func(who rolecall.Subject, role rolecall.RoleName, w rolecall.Window) rolecall.Grant {
		return rolecall.Grant{Subject: who, Role: role, Scope: rolecall.Global(), Window: w}
	}
	ended := held(ada, "a", rolecall.Window{NotAfter: june})
	for _, tc := range []struct {
		name   string
		policy []rolecall.Statement
		want   error
	}{
		{"both ended", []rolecall.Statement{ended, held(ada, "b", rolecall.Window{NotAfter: june})}, rolecall.ErrSeparation},
		{"one ended before the other began", []rolecall.Statement{ended, held(ada, "b", rolecall.Window{NotBefore: july})}, nil},
		{"one ended before a membership began", []rolecall.Statement{ended, held(crew, "b", rolecall.Window{}), rolecall.Membership{Member: ada, Group: crew, Window: rolecall.Window{NotBefore: july}}}, nil},
		{"one began, of a group, after a membership ended", []rolecall.Statement{held(ada, "a", rolecall.Window{}), held(crew, "b", rolecall.Window{NotBefore: july}), rolecall.Membership{Member: ada, Group: crew, Window: rolecall.Window{NotAfter: june}}}, nil},
	} {
		_, err := rolecall.NewSnapshot(smallCatalog(t), append(tc.policy, roleOf("a", "task.view"), roleOf("b", "task.view"),
			rolecall.Constraint{Name: "apart", Kind: rolecall.Static, Limit: 2, Roles: []rolecall.RoleName{"a", "b"}})...)
		if !errors.Is(err, tc.want) {
			t.Errorf("%s: NewSnapshot: %v, want %v", tc.name, err, tc.want)
		}
	}
}
