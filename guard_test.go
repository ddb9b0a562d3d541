package rolecall_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/rolecall-go/rolecall"
	"pgregory.net/rapid"
)

// The guard against escalation compares few cells of two policies. These tests compare all of them, or many drawn at
// random, by the naive evaluator: what the guard lets pass must give nobody anything, and what it says is missing must
// be gained by somebody.

// keeper may manage everything but escalate, so that the guard is reached.
var keeper = rolecall.Role{Name: "keeper", Rules: []rolecall.Rule{{Effect: rolecall.Allow, Patterns: []rolecall.Pattern{"rolecall.*", "rolecall.constraint.update"}}}}

// A gain is what a change is asked about: a permission at a place, an instant, some facts.
type gain struct {
	permission rolecall.Permission
	scope      rolecall.Scope
	now        time.Time
	facts      facts
}

// A passage is a change of one world into another by an actor.
type passage struct {
	before, after world
	actor         rolecall.Subject
}

func (w world) asks(s rolecall.Subject, g gain) question {
	return question{&asker{subject: s, now: g.now}, g.permission, g.scope, g.facts}
}

// eligible says whether a subject is eligible for a role that allows it ("whatever else is said there").
func (w world) eligible(s rolecall.Subject, g gain) bool {
	q := w.asks(s, g)
	return !w.suspended(s) && slices.ContainsFunc(w.grants, func(x rolecall.Grant) bool {
		return x.Eligible && valid(x.Window, g.now) && inside(g.scope.String(), x.Scope.String()) &&
			slices.Contains(w.holders(q), x.Subject) && w.live(q, x.Subject) &&
			q.met(x.When, rolecall.Allow) && w.roleSays(q, x.Role) == rolecall.Allow
	})
}

func (w world) permits(s rolecall.Subject, g gain) bool { return w.decide(w.asks(s, g)) == allowed }

// gives says whether somebody gains it, or a denial of it no longer stands for a group, while the actor lacks it and
// may not escalate there.
func (p passage) gives(g gain) bool {
	if p.before.decide(p.before.asks(p.actor, gain{rolecall.Escalate, g.scope, day(0), nil})) == allowed {
		return false
	}
	if p.before.decide(p.before.asks(p.actor, g)) == allowed {
		return false
	}
	for _, s := range slices.Concat(users, groups, []rolecall.Subject{everyone, stranger, p.actor}) {
		had := p.before.permits(s, g)
		if p.after.permits(s, g) && !had || p.after.eligible(s, g) && !p.before.eligible(s, g) && !had {
			return true
		}
	}
	return p.lifts(g)
}

// A denial is a statement that denies something to a group or Everyone.
type denial struct {
	holder rolecall.Subject
	scope  string
	effect rolecall.Effect
}

func (w world) denials(g gain) []denial {
	q := w.asks(stranger, g)
	var all []denial
	for _, o := range w.overrides {
		if o.Subject.IsGroup() && o.Effect > rolecall.Except && valid(o.Window, g.now) && inside(g.scope.String(), o.Scope.String()) &&
			speaksOf(o.Effect, o.Pattern, g.permission) && q.met(o.When, o.Effect) {
			all = append(all, denial{o.Subject, o.Scope.String(), o.Effect})
		}
	}
	for _, x := range w.grants {
		say := w.roleSays(q, x.Role)
		if x.Subject.IsGroup() && !x.Eligible && say > rolecall.Except && valid(x.Window, g.now) && inside(g.scope.String(), x.Scope.String()) && q.met(x.When, say) {
			all = append(all, denial{x.Subject, x.Scope.String(), say})
		}
	}
	return all
}

// lifts says whether for some group a denial stood that no longer does.
func (p passage) lifts(g gain) bool {
	left := p.after.denials(g)
	for _, d := range p.before.denials(g) {
		for _, group := range append(slices.Clone(groups), everyone) {
			if !slices.Contains(p.before.holders(p.before.asks(group, g)), d.holder) {
				continue
			}
			stands := slices.ContainsFunc(left, func(l denial) bool {
				return l.holder == d.holder && l.scope == d.scope && l.effect >= d.effect
			}) && slices.Contains(p.after.holders(p.after.asks(group, g)), d.holder)
			if !stands {
				return true
			}
		}
	}
	return false
}

// allFacts are all answers to the conditions.
func allFacts() []facts {
	all := []facts{{}}
	for _, c := range conditions {
		var more []facts
		for _, f := range all {
			for _, answer := range []truth{no, yes, fails} {
				g := facts{c: answer}
				for k, v := range f {
					g[k] = v
				}
				more = append(more, g)
			}
		}
		all = more
	}
	return all
}

// somewhere are the scopes worlds speak of, and others inside them that they do not.
func somewhere() []rolecall.Scope {
	all := slices.Clone(scopes)
	for _, s := range scopes {
		all = append(all, s.In("task", "named nowhere"))
	}
	return all
}

// sometime are the permissions declared now, and some that may be declared later.
func sometime() []rolecall.Permission {
	all := slices.Clone(permissions)
	for _, name := range []string{"task.later", "later.view", "later.update", "task.later.update", "task.status.later", "later.create", "later.x", "a.b.c", "later.role.update", "x.constraint.update", "a.escalate", "shot.update", "a.b.c.d.update"} {
		all = append(all, rolecall.NewPermission(name))
	}
	return all
}

// drawActorEdits draws a few edits of a world.
func drawActorEdits(t *rapid.T, w world) []rolecall.Edit {
	var edits []rolecall.Edit
	standing := w.statements()
	for range 1 + upToN(2).Draw(t, "edits") {
		switch k := upToN(10).Draw(t, "edit"); {
		case k < 4 && len(standing) > 0:
			s := pick(t, standing, "removed")
			if _, isRole := s.(rolecall.Role); !isRole {
				edits = append(edits, rolecall.Remove(s))
			}
		case k < 6:
			edits = append(edits, rolecall.Put(drawRole(t, upToN(len(roleNames)).Draw(t, "role"))))
		default:
			edits = append(edits, rolecall.Put(drawStatement(t)))
		}
	}
	return edits
}

// drawSmallWorld draws all roles and few other statements, so that most changes matter.
func drawSmallWorld(t *rapid.T) world {
	var all []rolecall.Statement
	for n := range roleNames {
		all = append(all, drawRole(t, n))
	}
	for range upToN(14).Draw(t, "statements") {
		all = append(all, drawStatement(t))
	}
	return worldOf(append(all, keeper, rolecall.Grant{Subject: ann, Role: keeper.Name, Scope: global}))
}

func TestNobodyClimbs(t *testing.T) {
	passed, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		w := drawSmallWorld(t)
		base := w.snapshot(t)
		c := rolecall.Change{Meta: rolecall.Meta{Actor: ann, Time: day(0)}, Edits: drawActorEdits(t, w)}
		host := c
		host.Actor = rolecall.Subject{}
		p, err := base.Propose(host)
		if err != nil {
			return
		}
		way := passage{w, worldOf(slices.Collect(p.Next().Statements())), ann}
		_, err = base.Propose(c)
		switch {
		case errors.Is(err, rolecall.ErrNotPermitted):
		case errors.Is(err, rolecall.ErrEscalation):
			refused++
			way.mustGiveMissing(t, err, c)
		case err == nil || errors.Is(err, rolecall.ErrLastAdmin):
			passed++
			way.mustGiveNothing(t, c)
		default:
			t.Fatalf("Propose(%v by ann): %v, want what the host gets: no error; policy:\n%s", c.Edits, err, w)
		}
	})
	if passed == 0 || refused == 0 {
		t.Errorf("%d changes passed and %d were refused, want some of both", passed, refused)
	}
}

// mustGiveNothing draws places, permissions, instants and facts, and wants no gain among them.
func (p passage) mustGiveNothing(t *rapid.T, c rolecall.Change) {
	places, names, answers := somewhere(), sometime(), allFacts()
	for range 300 {
		g := gain{pick(t, names, "permission"), pick(t, places, "place"), pick(t, instants, "now"), pick(t, answers, "facts")}
		if p.gives(g) {
			t.Fatalf("Propose(%v by ann): no error, but it gives %s at %s now %s given %v; policy:\n%s", c.Edits, g.permission, g.scope, g.now, g.facts, p.before)
		}
	}
}

// mustGiveMissing wants somebody to gain each thing that the refusal lists.
func (p passage) mustGiveMissing(t *rapid.T, err error, c rolecall.Change) {
	for _, problem := range rolecall.ProblemsOf(err) {
		for _, m := range problem.Missing {
			if !p.givesSomewhen(m.Permission, m.Scope) {
				t.Fatalf("Propose(%v by ann): refused for want of %s, which nobody gains; policy:\n%s", c.Edits, m, p.before)
			}
		}
	}
}

func (p passage) givesSomewhen(permission rolecall.Permission, scope rolecall.Scope) bool {
	for _, now := range instants {
		for _, f := range allFacts() {
			if p.gives(gain{permission, scope, now, f}) {
				return true
			}
		}
	}
	return false
}

// A denial of all declared names that a star covers does not cover those declared later.
func TestStarsCoverLaterPermissions(t *testing.T) {
	wide := rolecall.Role{Name: "r1", Rules: []rolecall.Rule{
		{Effect: rolecall.Allow, Patterns: []rolecall.Pattern{"*.update"}},
		{Effect: rolecall.Deny, Patterns: []rolecall.Pattern{"task.*.update", "task.update"}},
	}}
	w := worldOf([]rolecall.Statement{wide, keeper, rolecall.Grant{Subject: ann, Role: keeper.Name, Scope: global}})
	c := rolecall.Change{Meta: rolecall.Meta{Actor: ann, Time: day(0)}, Edits: []rolecall.Edit{rolecall.Put(rolecall.Grant{Subject: ann, Role: wide.Name, Scope: global})}}
	if _, err := w.snapshot(t).Propose(c); !errors.Is(err, rolecall.ErrEscalation) {
		t.Errorf("Propose(%v by ann): %v, want escalation: later.update may be declared; policy:\n%s", c.Edits, err, w)
	}
}
