package rolecall_test

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolecall-go/rolecall"
	"pgregory.net/rapid"
)

// The guard against escalation compares few cells of two policies. These tests compare all of them, or many drawn at
// random, by the naive evaluator: what the guard lets pass must give nobody anything, and what it says is missing must
// be gained by somebody.

// keeper may manage everything but escalate, so that the guard is reached.
var keeper = roleOf("keeper", "rolecall.*", "rolecall.constraint.update")

// A gain is what a change is asked about: a permission at a place, an instant, some facts.
type gain struct {
	permission rolecall.Permission
	scope      rolecall.Scope
	now        time.Time
	facts      facts
}

// A passage is a change of one world into another, by the rights of somebody in the first one. What is judged is the way
// from start, in which the activations of the change are made: "activation is not judged by the escalation guard".
type passage struct {
	base, start, after world
	by                 *asker
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

// may says whether whoever makes the change may do it, and so may give it.
func (p passage) may(g gain) bool {
	by := *p.by
	by.now = g.now
	if p.base.decide(question{&by, g.permission, g.scope, g.facts}) == allowed {
		return true
	}
	by.now = day(0)
	return p.base.decide(question{&by, rolecall.Escalate, g.scope, nil}) == allowed
}

// gives says whether somebody gains it, or a denial of it no longer stands for a group, while who makes the change may not
// give it.
func (p passage) gives(g gain) bool {
	if p.may(g) {
		return false
	}
	for _, s := range slices.Concat(users, groups, []rolecall.Subject{everyone, stranger}) {
		gains := p.after.permits(s, g) || p.after.eligible(s, g) && !p.start.eligible(s, g)
		if gains && !p.start.permits(s, g) {
			return true
		}
	}
	return p.lifts(g)
}

// standing are the points that deny it to whoever a token puts into a group: a Forbid, or a Deny that nothing nearer
// overrides.
func (w world) standing(group rolecall.Subject, g gain) map[point]rolecall.Effect {
	q := w.asks(stranger, g)
	if group != everyone {
		q.groups = []rolecall.Subject{group}
	}
	says := w.says(q)
	standing := map[point]rolecall.Effect{}
	for at, effect := range says {
		overridden := slices.ContainsFunc(slices.Collect(maps.Keys(says)), func(other point) bool { return w.nearer(q, other, at) })
		if effect == rolecall.Forbid || effect == rolecall.Deny && !overridden {
			standing[at] = effect
		}
	}
	return standing
}

// lifts says whether for some group a denial stood that no longer does, and no nearer one takes its place.
func (p passage) lifts(g gain) bool {
	for _, group := range append(slices.Clone(groups), everyone) {
		left := p.after.standing(group, g)
		for at, effect := range p.start.standing(group, g) {
			stands := false
			for other, denies := range left {
				in := slices.Contains(p.after.holders(p.after.asks(other.holder, g)), at.holder)
				stands = stands || denies >= effect && in && inside(other.scope, at.scope)
			}
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

// drawActorEdits draws a few edits of a world, of every kind.
func drawActorEdits(t *rapid.T, w world) []rolecall.Edit {
	var edits []rolecall.Edit
	standing := slices.DeleteFunc(w.statements(), func(s rolecall.Statement) bool {
		_, isRole := s.(rolecall.Role)
		return isRole
	})
	if len(standing) == 0 {
		standing = append(standing, drawGrant(t))
	}
	for range 1 + upToN(2).Draw(t, "edits") {
		switch k := upToN(22).Draw(t, "edit"); {
		case k < 6:
			edits = append(edits, rolecall.Remove(pick(t, standing, "removed")))
		case k < 9:
			edits = append(edits, drawRewording(t, pick(t, standing, "reworded"))...)
		case k < 13:
			edits = append(edits, rolecall.Put(drawRole(t, upToN(len(roleNames)).Draw(t, "role"))))
		case k == 13:
			edits = append(edits, w.deletion(pick(t, roleNames, "deleted"))...)
		case k == 14:
			edits = append(edits, rolecall.ForgetSubject(pick(t, slices.Concat(users[1:], groups), "forgotten")))
		case k == 15:
			edits = append(edits, rolecall.ForgetScope(pick(t, scopes[1:], "forgotten")))
		case k == 16:
			edits = append(edits, activation(pick(t, users, "holder"), pick(t, roleNames, "role"), drawScope(t), 1+upToN(3).Draw(t, "until")))
		default:
			edits = append(edits, rolecall.Put(drawStatement(t)))
		}
	}
	return edits
}

// drawRewording draws edits that make a statement say something else: its window, its marks, its effect, its condition.
func drawRewording(t *rapid.T, s rolecall.Statement) []rolecall.Edit {
	next := s
	switch s := s.(type) {
	case rolecall.Grant:
		switch upToN(5).Draw(t, "what") {
		case 0:
			s.Replace = !s.Replace
		case 1:
			s.Pierce = !s.Pierce
		case 2:
			s.Eligible = !s.Eligible
		case 3:
			s.When = drawWhen(t)
		default:
			s.Window = drawWindow(t)
		}
		next = s
	case rolecall.Override:
		switch upToN(3).Draw(t, "what") {
		case 0:
			s.Effect = pick(t, []rolecall.Effect{rolecall.Allow, rolecall.Deny, rolecall.Forbid}, "effect")
		case 1:
			s.When = drawWhen(t)
		default:
			s.Window = drawWindow(t)
		}
		next = s
	case rolecall.Membership:
		s.Window = drawWindow(t)
		next = s
	}
	if rolecall.KeyOf(next) == rolecall.KeyOf(s) {
		return []rolecall.Edit{rolecall.Put(next)}
	}
	return []rolecall.Edit{rolecall.Remove(s), rolecall.Put(next)}
}

// deletion deletes a role with everything that names it.
func (w world) deletion(name rolecall.RoleName) []rolecall.Edit {
	var edits []rolecall.Edit
	for _, g := range w.grants {
		if g.Role == name {
			edits = append(edits, rolecall.Remove(g))
		}
	}
	for _, c := range w.constraints {
		if slices.Contains(c.Roles, name) {
			edits = append(edits, rolecall.Remove(c))
		}
	}
	for _, r := range w.roles {
		if slices.Contains(r.Inherits, name) {
			r.Inherits = slices.DeleteFunc(slices.Clone(r.Inherits), func(other rolecall.RoleName) bool { return other == name })
			edits = append(edits, rolecall.Put(r))
		}
	}
	return append(edits, rolecall.Remove(rolecall.Role{Name: name}))
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
	return worldOf(append(all, keeper, grant(ann, keeper.Name, global)))
}

// drawActor draws by whose rights a change is made: ann's, sometimes narrowed, sometimes for another keeper.
func drawActor(t *rapid.T, c *rolecall.Change) []*asker {
	c.Actor = ann
	by := []*asker{{subject: ann}}
	if often(t, 10, "on behalf") {
		c.OnBehalf = ben
		by = append(by, &asker{subject: ben})
	}
	if often(t, 10, "narrowed to roles") {
		by[0].byRole, by[0].roles = true, append(some(t, roleNames, 40, "active"), keeper.Name)
	}
	if often(t, 10, "narrowed to patterns") {
		by[0].byPattern, by[0].patterns = true, append(some(t, patterns, 30, "only"), "rolecall.*")
	}
	c.Narrow = by[0].narrowing()
	return by
}

// afterActivations makes those activations of a change that stand by themselves.
func (w world) afterActivations(t *rapid.T, c rolecall.Change) world {
	at := w.snapshot(t)
	for _, e := range c.Edits {
		if e.Op == rolecall.OpActivate {
			if p, err := at.Propose(rolecall.Change{Meta: rolecall.Meta{Time: c.Time}, Edits: []rolecall.Edit{e}}); err == nil {
				at = p.Next()
			}
		}
	}
	return worldOf(slices.Collect(at.Statements()))
}

func TestNobodyClimbs(t *testing.T) {
	passed, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		w := drawSmallWorld(t)
		c := rolecall.Change{Meta: rolecall.Meta{Time: day(0)}, Edits: drawActorEdits(t, w)}
		host, err := w.snapshot(t).Propose(c)
		if err != nil {
			return
		}
		by := drawActor(t, &c)
		if !c.OnBehalf.IsZero() {
			w = w.put(grant(ben, keeper.Name, global))
			if host, err = w.snapshot(t).Propose(rolecall.Change{Meta: rolecall.Meta{Time: day(0)}, Edits: c.Edits}); err != nil {
				return
			}
		}
		start, after := w.afterActivations(t, c), worldOf(slices.Collect(host.Next().Statements()))
		_, err = w.snapshot(t).Propose(c)
		switch {
		case errors.Is(err, rolecall.ErrNotPermitted), errors.Is(err, rolecall.ErrSeparation):
		case errors.Is(err, rolecall.ErrEscalation):
			refused++
			for _, one := range by {
				passage{w, start, after, one}.mustGiveMissing(t, err, c)
			}
		case err == nil || errors.Is(err, rolecall.ErrLastAdmin):
			passed++
			for _, one := range by {
				passage{w, start, after, one}.mustGiveNothing(t, c)
			}
		default:
			t.Fatalf("Propose(%s): %v, want what the host gets: no error; policy:\n%s", changeText(c), err, w)
		}
	})
	t.Logf("%d changes passed and %d were refused", passed, refused)
	if !testing.Short() && (passed == 0 || refused == 0) {
		t.Errorf("%d changes passed and %d were refused, want some of both", passed, refused)
	}
}

func changeText(c rolecall.Change) string {
	text := "by " + c.Actor.String()
	if !c.OnBehalf.IsZero() {
		text += " for " + c.OnBehalf.String()
	}
	if !c.Narrow.IsZero() {
		text += fmt.Sprintf(" narrowed to %+v", c.Narrow)
	}
	for _, e := range c.Edits {
		text += ": " + e.String()
	}
	return text
}

// thorough compares every cell of every change, which takes long.
var thorough = flag.Bool("thorough", false, "compare every cell of each change, not some of them")

// mustGiveNothing wants no gain: at every instant and for all facts where it is thorough, otherwise at some of them.
func (p passage) mustGiveNothing(t *rapid.T, c rolecall.Change) {
	answers := p.factsInPlay()
	if *thorough {
		for _, now := range instants {
			for _, f := range answers {
				p.mustGiveNothingAt(t, c, now, f, sometime())
			}
		}
		return
	}
	for range 2 {
		names := slices.Concat(permissions, rapid.Permutation(sometime()[len(permissions):]).Draw(t, "later")[:3])
		p.mustGiveNothingAt(t, c, pick(t, instants, "now"), pick(t, answers, "facts"), names)
	}
}

func (p passage) mustGiveNothingAt(t *rapid.T, c rolecall.Change, now time.Time, f facts, names []rolecall.Permission) {
	for _, permission := range names {
		for _, place := range somewhere() {
			if g := (gain{permission, place, now, f}); p.gives(g) {
				t.Fatalf("Propose(%s): no error, but it gives %s at %s now %s given %v; policy:\n%s", changeText(c), g.permission, g.scope, g.now, g.facts, p.base)
			}
		}
	}
}

// factsInPlay are all answers to the conditions that something names.
func (p passage) factsInPlay() []facts {
	text := p.base.String() + p.after.String()
	return slices.DeleteFunc(allFacts(), func(f facts) bool {
		return slices.ContainsFunc(conditions, func(c rolecall.Condition) bool { return f[c] != no && !strings.Contains(text, "when "+string(c)) })
	})
}

// mustGiveMissing wants somebody to gain each thing that the refusal lists for who makes the change.
func (p passage) mustGiveMissing(t *rapid.T, err error, c rolecall.Change) {
	for _, problem := range rolecall.ProblemsOf(err) {
		for _, m := range problem.Missing {
			if problem.Word == p.by.subject.String() && !p.givesSomewhen(m.Permission, m.Scope) {
				t.Fatalf("Propose(%s): refused for want of %s, which nobody gains; policy:\n%s", changeText(c), m, p.base)
			}
		}
	}
}

func (p passage) givesSomewhen(permission rolecall.Permission, scope rolecall.Scope) bool {
	for _, now := range instants {
		for _, f := range p.factsInPlay() {
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
	w := worldOf([]rolecall.Statement{wide, keeper, grant(ann, keeper.Name, global)})
	c := rolecall.Change{Meta: rolecall.Meta{Actor: ann, Time: day(0)}, Edits: []rolecall.Edit{rolecall.Put(grant(ann, wide.Name, global))}}
	if _, err := w.snapshot(t).Propose(c); !errors.Is(err, rolecall.ErrEscalation) {
		t.Errorf("Propose(%v by ann): %v, want escalation: later.update may be declared; policy:\n%s", c.Edits, err, w)
	}
}
