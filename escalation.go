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
// Two more things count as giving (SPEC section 7): an eligible grant gives all its role allows to whoever is eligible,
// and a denial that stood for a group and no longer does gives what it denied.

// A guard compares two policies for one change.
type guard struct {
	before, after *policy
	meta          Meta
	now           time.Time
	missing       []Missing
	undecided     bool // too many conditions in play to try all answers
}

// A region is where a changed statement can have changed a verdict.
type region struct {
	scopes      map[Scope]bool
	permissions permset // numbers of the declared ones
	words       bool    // and words declared later
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

// --- who, what and where ------------------------------------------------------------------------------------------

// stranger stands for a subject that no statement names; no statement can name one without an id.
var stranger = Subject{kind: KindGuest}

// regions maps each subject that a changed statement reaches to where it does.
func (g *guard) regions(deltas []Delta) map[Subject]*region {
	regions := map[Subject]*region{}
	for _, d := range deltas {
		r := &region{scopes: map[Scope]bool{}, permissions: newPermset(len(g.after.catalog.permissions))}
		holders := map[Subject]bool{}
		g.reach(d, holders, r)
		for who := range g.below(holders) {
			if regions[who] == nil {
				regions[who] = &region{scopes: map[Scope]bool{}, permissions: newPermset(len(g.after.catalog.permissions))}
			}
			regions[who].add(r)
		}
	}
	return regions
}

func (r *region) add(other *region) {
	maps.Copy(r.scopes, other.scopes)
	r.permissions.or(other.permissions)
	r.words = r.words || other.words
}

func (r *region) everything() {
	for i := range r.permissions {
		r.permissions[i] = ^uint64(0)
	}
	r.words = true
}

// reach fills in whose verdicts a delta can have changed, and where and of what.
func (g *guard) reach(d Delta, holders map[Subject]bool, r *region) {
	switch s := either(d.After, d.Before).(type) {
	case Grant:
		holders[s.Subject] = true
		r.scopes[s.Scope] = true
		for _, one := range []Statement{d.Before, d.After} {
			if one == nil {
				continue
			}
			if one.(Grant).Replace {
				r.everything()
			}
			g.roleSpeaks(s.Role, r)
		}
	case Override:
		holders[s.Subject] = true
		r.scopes[s.Scope] = true
		r.permissions.or(g.after.catalog.matcher(s.Pattern).any)
		r.words = r.words || s.Pattern.HasStar()
	case Membership:
		holders[s.Member] = true
		r.everything()
		g.scopesAbove(s.Group, r)
	case Suspension:
		holders[s.Subject] = true
		r.everything()
		g.scopesAbove(s.Subject, r)
	case PrivateScope:
		if d.After == nil {
			r.everything()
			r.scopes[s.Scope] = true
			g.holdersAbove(s.Scope, holders)
		}
	case Role:
		g.roleReaches(s.Name, holders, r)
	}
}

func either(a, b Statement) Statement {
	if a != nil {
		return a
	}
	return b
}

// roleSpeaks adds the permissions of which a role says anything, before or after.
func (g *guard) roleSpeaks(name RoleName, r *region) {
	for _, p := range []*policy{g.before, g.after} {
		role := p.roles.find(name)
		if role == nil {
			continue
		}
		for i, says := range role.say {
			if says != 0 {
				r.permissions.add(i)
			}
		}
		for _, number := range role.lineage {
			r.words = r.words || slices.ContainsFunc(p.roles.get(number).Rules, func(rule Rule) bool {
				return slices.ContainsFunc(rule.Patterns, Pattern.HasStar)
			})
		}
	}
}

// roleReaches adds the holders and scopes of every grant whose role is the changed one or inherits from it.
func (g *guard) roleReaches(name RoleName, holders map[Subject]bool, r *region) {
	for _, p := range []*policy{g.before, g.after} {
		changed := p.roles.find(name)
		if changed == nil {
			continue
		}
		for _, heir := range p.roles.roles {
			if heir == nil || !heir.is(changed.number) {
				continue
			}
			g.roleSpeaks(heir.Name, r)
			for _, use := range p.usesOf(heir) {
				holders[use.(Grant).Subject] = true
				r.scopes[use.(Grant).Scope] = true
			}
		}
	}
}

// scopesAbove adds the scopes of every statement of a subject and the groups above it, before and after.
func (g *guard) scopesAbove(who Subject, r *region) {
	for _, p := range []*policy{g.before, g.after} {
		for _, h := range p.above(who) {
			p.scopesOf(h, r.scopes)
		}
	}
}

// above lists a subject's holder and every group above it, whatever windows and suspensions.
func (p *policy) above(who Subject) []*holder {
	h := p.holder(who)
	if h == nil {
		return nil
	}
	list, seen := []*holder{h}, map[*holder]bool{h: true}
	for i := 0; i < len(list); i++ {
		for _, m := range list[i].groups {
			if up := p.groups.at(m.group); !seen[up] {
				seen[up] = true
				list = append(list, up)
			}
		}
	}
	return list
}

func (p *policy) scopesOf(h *holder, scopes map[Scope]bool) {
	for i := range h.grants {
		scopes[p.places.at(h.grants[i].scope).scope] = true
	}
	for i := range h.overrides {
		scopes[p.places.at(h.overrides[i].scope).scope] = true
	}
}

// holdersAbove adds everybody who has a statement above a scope, so that opening it may let them in.
func (g *guard) holdersAbove(t Scope, holders map[Subject]bool) {
	var way path
	g.after.walk(&t, &way)
	for depth := range way.n {
		at := way.places[depth]
		if at.scope == t {
			continue
		}
		for number := range at.groups.all() {
			holders[g.after.groups.at(number).subject] = true
		}
		for number := range at.users.all() {
			holders[g.after.users.at(number).subject] = true
		}
	}
}

// below adds everybody who is in one of the groups, before or after; Everyone has every subject and a stranger.
func (g *guard) below(holders map[Subject]bool) map[Subject]bool {
	all := map[Subject]bool{}
	for _, p := range []*policy{g.before, g.after} {
		var add func(s Subject)
		seen := map[Subject]bool{}
		add = func(s Subject) {
			if seen[s] {
				return
			}
			seen[s], all[s] = true, true
			if s.isEveryone() {
				all[stranger] = true
				p.subjects.all(func(h *holder) bool { all[h.subject] = true; return true })
				return
			}
			h := p.holder(s)
			if h == nil || h.group == nil {
				return
			}
			for number := range h.group.members.all() {
				add(p.users.at(number).subject)
			}
			for number := range h.group.subgroups.all() {
				add(p.groups.at(number).subject)
			}
		}
		for s := range holders {
			add(s)
		}
	}
	return all
}

// --- comparing ----------------------------------------------------------------------------------------------------

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
		for number := range t.after.catalog.permissions {
			if r.permissions.has(number) && able.has(number) {
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
			return t.after.may(who, m, at, f) && !t.before.may(who, m, at, f) && !t.actorMay(m, at, f)
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
	if s.holds(t.actor, need{Escalate, m.scope}, t.meta) {
		return
	}
	t.missing = append(t.missing, Missing{m.permission(t.after.catalog), m.scope})
}

// may says whether a subject may do it, or is eligible for a role that allows it, whatever else is said there.
func (p *policy) may(who Subject, m matter, at time.Time, f Facts) bool {
	q := p.questionOf(who, m, at, f)
	if q.self != nil && q.self.suspended {
		return false
	}
	return q.judge() == Granted || q.eligible()
}

func (t *trial) actorMay(m matter, at time.Time, f Facts) bool {
	q := t.base.questionOf(t.actor, m, at, f)
	return (q.self == nil || !q.self.suspended) && q.judge() == Granted
}

func (p *policy) questionOf(who Subject, m matter, at time.Time, f Facts) *question {
	q := &question{policy: p, now: &instant{at: at}, permission: max(m.number, 0), word: m.word, self: p.holder(who)}
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
				if x.marks&markEligible != 0 && b.open(x.window, q.now) && q.stands(Allow, x.when) && q.says(x.role) == Allow {
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

// --- denials that no longer stand for a group ---------------------------------------------------------------------

// liftedDenials treats a denial that stood for a group and no longer does as giving what it denied, everywhere it did.
func (t *trial) liftedDenials(deltas []Delta) {
	points := map[groupPoint]bool{}
	for _, d := range deltas {
		switch s := either(d.Before, d.After).(type) {
		case Grant:
			if s.Subject.IsGroup() {
				points[groupPoint{s.Subject, s.Scope}] = true
			}
		case Override:
			if s.Subject.IsGroup() {
				points[groupPoint{s.Subject, s.Scope}] = true
			}
		case Role:
			r := &region{scopes: map[Scope]bool{}, permissions: newPermset(len(t.after.catalog.permissions))}
			t.rolePoints(s.Name, r, points)
		case Membership:
			if s.Member.IsGroup() {
				t.parted(s)
			}
		}
	}
	for _, p := range slices.SortedFunc(maps.Keys(points), groupPoint.compare) {
		t.liftedAt(p, t.instants(p.group), func(f Facts, m matter, at time.Time) Effect { return t.after.denies(p, m, at, f) })
	}
}

// A groupPoint is a group and a scope with statements of it.
type groupPoint struct {
	group Subject
	scope Scope
}

func (p groupPoint) compare(other groupPoint) int {
	if p.group != other.group {
		return p.group.Compare(other.group)
	}
	return p.scope.Compare(other.scope)
}

func (t *trial) rolePoints(name RoleName, r *region, points map[groupPoint]bool) {
	changed := t.before.roles.find(name)
	if changed == nil {
		return
	}
	for _, heir := range t.before.roles.roles {
		if heir == nil || !heir.is(changed.number) {
			continue
		}
		for _, use := range t.before.usesOf(heir) {
			if g := use.(Grant); g.Subject.IsGroup() {
				points[groupPoint{g.Subject, g.Scope}] = true
			}
		}
	}
}

// parted looks at a group that leaves another one, or is in it for a shorter time: what the groups above it denied no
// longer stands for it.
func (t *trial) parted(m Membership) {
	member := t.before.holder(m.Member)
	if member == nil {
		return
	}
	for _, h := range t.before.above(m.Group) {
		scopes := map[Scope]bool{}
		t.before.scopesOf(h, scopes)
		for _, scope := range slices.SortedFunc(maps.Keys(scopes), Scope.Compare) {
			p := groupPoint{h.subject, scope}
			t.liftedAt(p, t.instants(m.Member), func(f Facts, m2 matter, at time.Time) Effect {
				if !t.before.stillAbove(m.Member, h.subject, at) {
					return Forbid
				}
				if !t.after.stillAbove(m.Member, h.subject, at) {
					return 0
				}
				return t.after.denies(p, m2, at, f)
			})
		}
	}
}

// stillAbove says whether a group is reachable from another at an instant.
func (p *policy) stillAbove(below, above Subject, at time.Time) bool {
	b, a := p.holder(below), p.holder(above)
	return b != nil && a != nil && b.group != nil && p.reaches(b, a, &instant{at: at})
}

// liftedAt compares what a point denied before with what is left of it, and wants the actor to have it everywhere inside.
func (t *trial) liftedAt(p groupPoint, instants []time.Time, left func(Facts, matter, time.Time) Effect) {
	r := &region{scopes: map[Scope]bool{p.scope: true}, permissions: newPermset(len(t.after.catalog.permissions))}
	r.everything()
	cells := t.cells(p.group, r.scopes)
	words := t.words(p.group, r)
	try := func(m matter) {
		for _, at := range instants {
			lifted := func(f Facts) bool {
				stood := t.before.denies(p, m, at, f)
				return stood != 0 && left(f, m, at) < stood
			}
			if !t.forSomeFacts(lifted) {
				continue
			}
			for _, cell := range cells {
				inside := m
				inside.scope = cell
				if t.forSomeFacts(func(f Facts) bool { return lifted(f) && !t.actorMay(inside, at, f) }) {
					t.lack(inside)
				}
			}
		}
	}
	for number := range t.after.catalog.permissions {
		try(matter{number: number, scope: p.scope})
	}
	for _, word := range words {
		try(matter{number: -1, word: word, scope: p.scope})
	}
}

// denies returns the strictest denial among the statements of a group at a scope, 0 where there is none.
func (p *policy) denies(at groupPoint, m matter, now time.Time, f Facts) Effect {
	h, place := p.holder(at.group), p.place(at.scope)
	if h == nil || place == nil {
		return 0
	}
	q := p.questionOf(at.group, m, now, f)
	strictest := Effect(0)
	grants := h.grantsAt(place.number)
	for i := range grants {
		x := &grants[i]
		if x.marks&markEligible != 0 || !h.open(x.window, q.now) {
			continue
		}
		if says := q.says(x.role); says > Except && q.stands(says, x.when) {
			strictest = max(strictest, says)
		}
	}
	overrides := h.overridesAt(place.number)
	for i := range overrides {
		o := &overrides[i]
		if o.effect > Except && q.overrideCovers(o) && h.open(o.window, q.now) && q.stands(o.effect, o.when) {
			strictest = max(strictest, o.effect)
		}
	}
	return strictest
}
