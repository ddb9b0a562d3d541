package rolecall

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// No escalation, by effect. The policies before and after a change are compared: wherever anybody could do something
// after it that they could not before, at any instant from now on and for any facts, the actor must be able to do it
// there already, or hold rolecall.escalate there.
//
// The comparison is exact because a verdict is constant over few cells, and one of each is tried:
//
//	who        the subjects that a changed statement reaches: its holder, and everybody below it
//	what       the permissions of which a changed statement speaks; for a star also words that may be declared later,
//	           one for each way in which the patterns in play can tell words apart (words.go)
//	where      the places inside the changed scopes at which the gainer or the actor has a statement, or that are private
//	when       now, and every instant at which a window in play opens or closes
//	given what every answer to every condition that the verdicts ask for, found by asking
//
// Two more things count as giving (SPEC section 7): an eligible grant gives all its role allows to whoever comes to be
// eligible, and a denial that stood for a group and no longer does gives what it denied. Having been eligible is not
// having had it: to make an ordinary grant out of an eligible one, past activation, is to give.

// A guard compares two policies for one change.
type guard struct {
	before, after *policy
	meta          Meta
	now           time.Time
	missing       []Missing
	undecided     bool // too many conditions in play to try all answers
}

// climbsNowhere reports, once an actor, what somebody would come to do that the actor may not.
func (p *Proposal) climbsNowhere(c Change) (Problems, error) {
	start, err := p.base.afterActivations(c)
	if err != nil {
		return nil, err
	}
	g := &guard{before: start, after: p.next.policy, meta: c.Meta, now: c.Time}
	var ps Problems
	for _, actor := range c.actors() {
		g.missing = nil
		g.judge(p.base.policy, actor, deltasBetween(start, p.entry.Deltas))
		if g.undecided {
			ps = append(ps, problem(ErrEscalation, "change", actor.String(), "too many conditions are in play to tell that nobody climbs"))
			continue
		}
		if len(g.missing) == 0 {
			continue
		}
		slices.SortFunc(g.missing, func(a, b Missing) int {
			if a.Permission != b.Permission {
				return a.Permission.Compare(b.Permission)
			}
			return a.Scope.Compare(b.Scope)
		})
		missing := compactMissing(g.missing)
		e := problem(ErrEscalation, "change", actor.String(), "would give what the actor may not do: %s", missingText(missing))
		e.Missing = missing
		ps = append(ps, e)
	}
	return ps, nil
}

// afterActivations returns the policy with the activations of a change made, which the guard does not judge again.
func (s *Snapshot) afterActivations(c Change) (*policy, error) {
	d := s.policy.draft()
	for i, e := range c.Edits {
		if e.Op == OpActivate {
			d.edit(e, c.Meta, i)
		}
	}
	if len(d.deltas) == 0 && len(d.problems) == 0 {
		return s.policy, nil
	}
	p := d.finish(s.policy)
	if p == nil {
		return nil, d.problems
	}
	return p, nil
}

// deltasBetween drops the deltas that are made already.
func deltasBetween(start *policy, deltas []Delta) []Delta {
	var rest []Delta
	for _, d := range deltas {
		if standing := start.lookup(d.Key()); !Equal(standing, d.After) {
			rest = append(rest, Delta{standing, d.After})
		}
	}
	return rest
}

func (g *guard) judge(base *policy, actor Subject, deltas []Delta) {
	t := &trial{guard: g, base: base, actor: actor}
	regions := g.regions(deltas)
	for _, who := range slices.SortedFunc(maps.Keys(regions), Subject.Compare) {
		t.compare(who, regions[who])
	}
	t.liftedDenials(deltas)
}

// A trial is the comparison for one actor.
type trial struct {
	*guard
	base  *policy // on which the actor is judged
	actor Subject
}

// A matter is one permission in one place, declared or a word.
type matter struct {
	number int
	word   Permission
	scope  Scope
}

func (m matter) permission(c *Catalog) Permission {
	if m.word.ok {
		return m.word
	}
	return c.permissions[m.number]
}

// compare looks for what one subject gains that the actor lacks.
func (t *trial) compare(who Subject, r *region) {
	instants := t.instants(who)
	words := t.words(who, r)
	able := t.after.mayAllow(who)
	for _, scope := range t.cells(who, r.scopes) {
		anyway, already := t.base.surelyAt(t.actor, scope), t.before.surelyAt(who, scope)
		for number := range t.after.catalog.permissions {
			if r.permissions.has(number) && able.has(number) && !anyway.has(number) && !already.has(number) {
				t.try(who, matter{number: number, scope: scope}, instants)
			}
		}
		for _, word := range words {
			t.try(who, matter{number: -1, word: word, scope: scope}, instants)
		}
	}
}

func (t *trial) try(who Subject, m matter, instants []time.Time) {
	for _, at := range instants {
		gains := func(f Facts) bool {
			mayBefore := t.before.may(who, m, at, f)
			gained := t.after.may(who, m, at, f) && !mayBefore
			eligible := t.after.eligible(who, m, at, f) && !mayBefore && !t.before.eligible(who, m, at, f)
			return (gained || eligible) && !t.actorMay(m, at, f)
		}
		if t.forSomeFacts(gains) {
			t.lack(m)
			return
		}
	}
}

// mayAllow returns the permissions that something said to a subject allows under some condition.
func (p *policy) mayAllow(who Subject) permset {
	able := newPermset(len(p.catalog.permissions))
	for _, h := range append(p.above(who), p.everyone()) {
		for i := range h.grants {
			for number, says := range p.roles.get(h.grants[i].role).say {
				if says == uint8(Allow) || says == conditional {
					able.add(number)
				}
			}
		}
		for i := range h.overrides {
			if h.overrides[i].effect == Allow {
				able.or(h.overrides[i].match.allow)
			}
		}
	}
	return able
}

// lack notes what the actor misses, unless it may escalate there.
func (t *trial) lack(m matter) {
	s := Snapshot{policy: t.base}
	if s.holds(t.actor, need{permission: Escalate, scope: m.scope}, t.meta) {
		return
	}
	t.missing = append(t.missing, Missing{m.permission(t.after.catalog), m.scope})
}

// may says whether a subject may do it.
func (p *policy) may(who Subject, m matter, at time.Time, f Facts) bool {
	q := p.questionOf(who, m, at, f)
	return (q.self == nil || !q.self.suspended) && q.judge() == Granted
}

// eligible says whether a subject is eligible for a role that allows it, whatever else is said there.
func (p *policy) eligible(who Subject, m matter, at time.Time, f Facts) bool {
	q := p.questionOf(who, m, at, f)
	return (q.self == nil || !q.self.suspended) && q.eligible()
}

func (t *trial) actorMay(m matter, at time.Time, f Facts) bool { return t.base.may(t.actor, m, at, f) }

func (p *policy) questionOf(who Subject, m matter, at time.Time, f Facts) *question {
	q := &question{policy: p, now: instant{at: at}, permission: max(m.number, 0), word: m.word, self: p.holder(who)}
	q.builtin = !m.word.ok && p.builtin(m.number)
	q.answers.facts = f
	p.walk(&m.scope, &q.path)
	return q
}

// eligible says whether an eligible grant in reach would allow it once activated.
func (q *question) eligible() bool {
	for _, b := range q.bearers(nil) {
		if !b.live {
			continue
		}
		for depth := range q.path.n {
			grants := b.grantsAt(q.path.places[depth].number)
			for i := range grants {
				x := &grants[i]
				if x.marks&markEligible != 0 && b.open(x.window, &q.now) && q.stands(Allow, x.when) && q.says(x.role) == Allow {
					return true
				}
			}
		}
	}
	return false
}

// cells lists one scope of each kind of place inside the given ones: where the subject or the actor has a statement, and
// every private one.
func (t *trial) cells(who Subject, roots map[Scope]bool) []Scope {
	candidates := maps.Clone(roots)
	for _, p := range []*policy{t.before, t.after} {
		for _, h := range p.above(who) {
			p.scopesOf(h, candidates)
		}
		p.scopesOf(p.everyone(), candidates)
		for number := range p.privates.all() {
			candidates[p.places.at(number).scope] = true
		}
	}
	for _, h := range t.base.above(t.actor) {
		t.base.scopesOf(h, candidates)
	}
	var cells []Scope
	for scope := range candidates {
		for at := range scope.Ancestors() {
			if roots[at] {
				cells = append(cells, scope)
				break
			}
		}
	}
	slices.SortFunc(cells, Scope.Compare)
	return cells
}

// instants lists now and every later instant at which a window of the subject or the actor opens or closes.
func (t *trial) instants(who Subject) []time.Time {
	set := map[time.Time]bool{t.now: true}
	add := func(p *policy, who Subject) {
		for _, h := range append(p.above(who), p.everyone()) {
			for _, w := range h.windows {
				for _, at := range []time.Time{w.NotBefore, w.NotAfter} {
					if at.After(t.now) {
						set[at] = true
					}
				}
			}
		}
	}
	add(t.before, who)
	add(t.after, who)
	add(t.base, t.actor)
	return slices.SortedFunc(maps.Keys(set), time.Time.Compare)
}

// mostBranches bounds how many ways to answer conditions are tried for one verdict.
const mostBranches = 1 << 14

// forSomeFacts says whether test holds for some answers to the conditions it asks for.
func (g *guard) forSomeFacts(test func(Facts) bool) bool {
	open := []map[Condition]truth{{}}
	for tries := 0; len(open) > 0; tries++ {
		if tries == mostBranches {
			g.undecided = true
			return false
		}
		f := factBranch{given: open[len(open)-1]}
		open = open[:len(open)-1]
		if test(&f) {
			return true
		}
		for i, c := range f.asked {
			for _, other := range []truth{fails, unknown} {
				next := maps.Clone(f.given)
				for _, earlier := range f.asked[:i] {
					next[earlier] = holds
				}
				next[c] = other
				open = append(open, next)
			}
		}
	}
	return false
}

// A factBranch answers some conditions as given, and says of every other one that it holds, noting that it was asked.
type factBranch struct {
	given map[Condition]truth
	asked []Condition
}

func (f *factBranch) Holds(c Condition) (bool, error) {
	answer, ok := f.given[c]
	if !ok && !slices.Contains(f.asked, c) {
		f.asked = append(f.asked, c)
	}
	switch {
	case answer == unknown:
		return false, fmt.Errorf("cannot say")
	case answer == fails:
		return false, nil
	}
	return true, nil
}
