package rolecall

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// No escalation, by effect. The policies before and after a change are compared: wherever anybody could do something
// after it that they could not before, at any instant from now on and for any facts, the actor must be able to do it
// there already, or hold rolecall.escalate there.
//
// Most changes need no comparison. What a change can give at most is found from its statements alone (affected.go), and
// if the actor surely has all of it at its place and everywhere inside (sure.go), nobody can gain what the actor lacks.
// Only what is left of that is compared (escalation_region.go), which is exact because a verdict is constant over few
// cells, and one of each is tried (escalation_cells.go):
//
//	who        the subjects that a changed statement reaches: its holder, and everybody below it; one of those whom
//	           nothing tells apart (likeness.go)
//	what       the permissions of which a changed statement speaks; for a star also words that may be declared later,
//	           one for each way in which the patterns in play can tell words apart (words.go)
//	where      the places inside the changed scopes at which the gainer or the actor has a statement, or that are private
//	when       now, and every instant at which a window in play there opens or closes
//	given what every answer to every condition that the verdicts ask for, found by asking
//
// Two more things count as giving: an eligible grant gives all its role allows to whoever comes to be eligible, and a
// denial that stood for a group and no longer does gives what it denied (lifted.go). Having been eligible is not having
// had it: to make an ordinary grant out of an eligible one, past activation, is to give.

// A guard compares two policies for one change.
type guard struct {
	before, after *policy
	now           time.Time
}

// climbsNowhere reports, once an actor, what somebody would come to do that the actor may not.
func (p *Proposal) climbsNowhere(c Change, actors []*actor) Problems {
	start := p.base.afterActivations(c)
	g := &guard{before: start, after: p.next.policy, now: c.Time}
	deltas := deltasBetween(start, p.entry.Deltas)
	claims := touchOf(g.before, g.after, deltas, false)
	var ps Problems
	for _, a := range actors {
		t := &trial{guard: g, actor: a, found: map[Scope]*claim{}}
		t.judge(claims)
		if e := t.refusal(); e != nil {
			ps = append(ps, e)
		}
	}
	return ps
}

// afterActivations returns the policy with those activations of a change made that stand by themselves: they are not
// judged again. What an activation rests on may be in the change as well; then it is judged as part of that. Separation
// of duty is for the change as a whole.
func (s *Snapshot) afterActivations(c Change) *policy {
	d := s.policy.draft()
	for i, e := range c.Edits {
		if e.Op == OpActivate {
			d.edit(e, c.Meta, i)
			d.problems = nil
		}
	}
	if len(d.deltas) == 0 {
		return s.policy
	}
	d.separate = separationScope{}
	return d.finish(s.policy)
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

// A trial is the comparison for one actor.
type trial struct {
	*guard
	actor     *actor
	found     map[Scope]*claim // what the actor lacks, by place
	missing   []Missing
	undecided bool // too much is in play to try all of it
	common    []Scope
}

func (t *trial) refusal() *Problem {
	if t.undecided {
		return problem(ErrEscalation, "change", t.actor.subject.String(), "too many conditions or patterns are in play to tell that nobody climbs")
	}
	if len(t.missing) == 0 {
		return nil
	}
	slices.SortFunc(t.missing, func(a, b Missing) int {
		return cmp.Or(a.Permission.Compare(b.Permission), a.Scope.Compare(b.Scope))
	})
	missing := compactMissing(t.missing)
	e := problem(ErrEscalation, "change", t.actor.subject.String(), "would give what the actor may not do: %s", missingText(missing))
	e.Missing = missing
	return e
}

func (t *trial) judge(claims *touched) {
	regions, seen := t.regions(claims), map[string]bool{}
	for _, who := range slices.SortedFunc(maps.Keys(regions), compareWidth) {
		if like := likeness([2]*policy{t.before, t.after}, who); like == "" || !seen[like] {
			seen[like] = true
			t.compare(who, regions[who])
		}
	}
}

// compareWidth orders Everyone and other groups before their members, who often gain nothing else.
func compareWidth(a, b Subject) int {
	return cmp.Or(boolRank(b.isEveryone())-boolRank(a.isEveryone()), boolRank(b.IsGroup())-boolRank(a.IsGroup()), a.Compare(b))
}

// A matter is one permission in one place, declared or a word.
type matter struct {
	number int
	word   Permission
	scope  Scope
}

func (m matter) permission(c *Catalog) Permission {
	if m.word.ok() {
		return m.word
	}
	return c.permissions[m.number]
}

// compare looks for what one subject gains that the actor lacks.
func (t *trial) compare(who Subject, r region) {
	if t.undecided || t.knownToLack(r) {
		return
	}
	timed, able, stance := t.timed(who), t.after.mayAllow(who), t.before.stanceOf(who, narrowed{})
	if who.IsGroup() {
		able.or(t.before.mayDeny(who))
	}
	words := t.words(who, r.stars())
	for _, scope := range t.cells(who, r) {
		may := r.at(scope, t.after.catalog)
		may.permissions.and(able)
		may.permissions.drop(stance.at(scope, false).permissions)
		if t.dropFound(may, scope); may.empty() {
			continue
		}
		instants := t.instants(timed, scope)
		for number := range t.after.catalog.permissions {
			if may.permissions.has(number) {
				t.try(who, matter{number: number, scope: scope}, instants)
			}
		}
		for _, word := range words {
			if may.speaksOf(word) && t.try(who, matter{number: -1, word: word, scope: scope}, instants) {
				break // one stands for all
			}
		}
	}
}

// knownToLack says whether all that may be gained is known to be lacking already.
func (t *trial) knownToLack(r region) bool {
	for at, c := range r {
		rest := &claim{slices.Clone(c.permissions), c.stars}
		if t.dropFound(rest, at); !rest.empty() {
			return false
		}
	}
	return true
}

// dropFound drops what is known to be lacking at a place or further out.
func (t *trial) dropFound(c *claim, at Scope) {
	if len(t.found) == 0 {
		return
	}
	for out := range at.Ancestors() {
		if f := t.found[out]; f != nil {
			c.permissions.drop(f.permissions)
			if len(f.stars) > 0 {
				c.stars = nil
			}
		}
	}
}

// try looks for an instant and facts at which somebody gains what the actor lacks, and notes it.
func (t *trial) try(who Subject, m matter, instants []time.Time) bool {
	for _, at := range instants {
		gains := func(f Facts) bool {
			mayBefore := t.before.may(who, m, at, f)
			gained := t.after.may(who, m, at, f) && !mayBefore
			eligible := t.after.eligible(who, m, at, f) && !mayBefore && !t.before.eligible(who, m, at, f)
			lifted := who.IsGroup() && t.lifts(who, m, at, f)
			return (gained || eligible || lifted) && !t.actorMay(m, at, f)
		}
		if t.forSomeFacts(gains) {
			return t.lack(m)
		}
	}
	return false
}

// mayAllow returns the permissions that something said to a subject allows under some condition.
func (p *policy) mayAllow(who Subject) permset {
	able := newPermset(len(p.catalog.permissions))
	for _, h := range p.bearersOf(who) {
		for i := range h.grants {
			able.or(p.roles.get(h.grants[i].role).can.gives.permissions)
		}
		for i := range h.overrides() {
			if h.overrides()[i].effect == Allow {
				able.or(h.overrides()[i].match.allow)
			}
		}
	}
	return able
}

// lack notes what the actor misses, unless it may escalate there.
func (t *trial) lack(m matter) bool {
	if t.actor.holds(Escalate, m.scope) {
		return false
	}
	if t.found[m.scope] == nil {
		t.found[m.scope] = newClaim(t.after.catalog)
	}
	if m.word.ok() {
		t.found[m.scope].stars = []Pattern{star}
	} else {
		t.found[m.scope].permissions.add(m.number)
	}
	t.missing = append(t.missing, Missing{m.permission(t.after.catalog), m.scope})
	return true
}

// may says whether a subject may do it.
func (p *policy) may(who Subject, m matter, at time.Time, f Facts) bool {
	q := p.questionOf(who, m, at, f)
	return !q.self.off() && q.judge() == Granted
}

// eligible says whether a subject is eligible for a role that allows it, whatever else is said there.
func (p *policy) eligible(who Subject, m matter, at time.Time, f Facts) bool {
	q := p.questionOf(who, m, at, f)
	return !q.self.off() && q.eligible()
}

func (t *trial) actorMay(m matter, at time.Time, f Facts) bool {
	return t.actor.may(t.actor.policy.questionOf(t.actor.subject, m, at, f))
}

func (p *policy) questionOf(who Subject, m matter, at time.Time, f Facts) *question {
	q := &question{policy: p, now: instant{at: at}, permission: max(m.number, 0), word: m.word, self: p.holder(who)}
	q.builtin = !m.word.ok() && p.builtin(m.number)
	q.answers.facts = f
	p.walk(&m.scope, &q.path)
	return q
}

// eligible says whether an eligible grant in reach would allow it once activated.
func (q *question) eligible() bool {
	for _, b := range q.inReach(nil) {
		if !b.live {
			continue
		}
		for depth := range q.path.n {
			grants := b.grantsAt(q.path.places[depth])
			for i := range grants {
				x := &grants[i]
				if x.marks&markEligible != 0 && b.open(x.terms, &q.now) && q.stands(Allow, b.when(x.terms)) && q.says(x.role) == Allow {
					return true
				}
			}
		}
	}
	return false
}

// compactMissing drops repetitions and what lies inside a place where the same permission is missing already.
func compactMissing(list []Missing) []Missing {
	var out []Missing
	known := map[Missing]bool{}
	for _, m := range list {
		if !coveredBy(known, m) {
			known[m] = true
			out = append(out, m)
		}
	}
	return out
}

func coveredBy(known map[Missing]bool, m Missing) bool {
	for at := range m.Scope.Ancestors() {
		if known[Missing{m.Permission, at}] {
			return true
		}
	}
	return false
}

func missingText(list []Missing) string {
	const most = 8
	texts := make([]string, 0, most+1)
	for i, m := range list {
		if i == most {
			texts = append(texts, "and more")
			break
		}
		texts = append(texts, m.String())
	}
	return strings.Join(texts, ", ")
}
