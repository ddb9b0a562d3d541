package rolecall

import (
	"cmp"
	"slices"
)

// Surveying: where, of all places, the answer to one permission changes for one subject.
//
// The verdict at a target depends on two things only: the deepest place on the way to it where the subject, one of its
// groups or Everyone says something that bears on the permission, and whether a private scope lies below that place.
// So the tree of scopes falls into regions, one for each such place and one for the whole instance, each with two
// rules. For example, Ada may see what is open in the whole instance, everything in project alpha, and nothing in the
// shot /project:alpha/shot:010:
//
//	/                          open: always   below a private scope: never
//	/project:alpha             open: always   below a private scope: always   (her grant pierces)
//	/project:alpha/shot:010    open: never    below a private scope: never
//
// As long as nothing but Allows bears on the permission the law has nothing to weigh, and a region adds its own Allows to
// what reaches it from outside. From the first place on where something stricter stands, each region is judged by the
// law of law.go, for as many answers of the conditions in play as it takes to tell them apart.

// A zone is a region: a place from which on two rules hold, down to the regions inside it.
type zone struct {
	at     *place
	open   *verdictNode // on the way to the target no private scope lies below the place
	closed *verdictNode // one does
}

// A spot is a place where something bears on the permission.
type spot struct {
	place  uint32
	strict bool // more than Allows bears on it here or around, or the session is narrowed to roles
	done   bool
	same   bool // as what is around it
	allow  *verdictNode
	pierce *verdictNode // the part of allow that reaches into private scopes
	open   *verdictNode
	closed *verdictNode
}

// A survey finds the regions of one permission.
type survey struct {
	view       *View
	policy     *policy
	permission int
	builtin    bool
	pool       *verdictPool
	spots      []spot // by number of the place; the first is Global
	way        path
}

// survey returns the regions in order of the numbers of their places, Global's first.
func (v *View) survey(permission int) []zone {
	s := survey{view: v, policy: v.policy, permission: permission, builtin: v.policy.builtin(permission), pool: &verdictPool{}}
	if v.denied != NothingSaid || !v.options.Narrow.covers(v.policy.catalog.permissions[permission]) {
		return []zone{{v.policy.global(), ruleNever, ruleNever}}
	}
	s.look()
	return s.zones()
}

// look finds the spots.
func (s *survey) look() {
	own := s.view.bearers[0]
	s.spots = make([]spot, 1, 8+len(own.grants)+len(own.overrides()))
	s.spots[0] = spot{place: globalNumber, allow: ruleNever, pierce: ruleNever, strict: s.view.extra != nil && s.view.extra.narrow}
	for i := range s.view.bearers {
		b := &s.view.bearers[i]
		for j := range b.grants {
			s.seeGrant(b, &b.grants[j])
		}
		for j := range b.overrides() {
			s.seeOverride(b, &b.overrides()[j])
		}
	}
	slices.SortFunc(s.spots, func(a, b spot) int { return cmp.Compare(a.place, b.place) })
	s.merge()
}

// merge makes one spot of those at one place.
func (s *survey) merge() {
	n := 0
	for i := 1; i < len(s.spots); i++ {
		if next := &s.spots[i]; next.place == s.spots[n].place {
			s.spots[n].allow = s.pool.or(s.spots[n].allow, next.allow)
			s.spots[n].pierce = s.pool.or(s.spots[n].pierce, next.pierce)
			s.spots[n].strict = s.spots[n].strict || next.strict
			continue
		}
		n++
		s.spots[n] = s.spots[i]
	}
	s.spots = s.spots[:n+1]
}

func (s *survey) seeGrant(b *bearer, g *grantAt) {
	if g.marks&markEligible != 0 {
		return
	}
	say := s.policy.roles.get(g.role).say[s.permission]
	if say == 0 && g.marks&markReplace == 0 || !b.open(g.terms, &s.view.now) {
		return
	}
	one := spot{place: g.scope, allow: ruleAlways, strict: g.marks&markReplace != 0 || say != uint8(Allow) && say != conditional}
	if say == conditional {
		s.readRole(g.role, &one)
	}
	s.add(b, one, b.when(g.terms), g.marks&markPierce != 0)
}

func (s *survey) seeOverride(b *bearer, o *overrideAt) {
	if !o.match.covers(o.effect, s.permission) || !b.open(o.terms, &s.view.now) {
		return
	}
	s.add(b, spot{place: o.scope, allow: ruleAlways, strict: o.effect != Allow}, b.when(o.terms), false)
}

// add notes a statement. Of a strict one it matters only where it stands, and an Allow that does not count is no spot.
func (s *survey) add(b *bearer, one spot, when uint16, pierce bool) {
	one.pierce = ruleNever
	switch {
	case one.strict:
		one.allow = ruleNever
	case !b.live:
		return
	default:
		one.allow = s.pool.and(s.pool.condition(when), one.allow)
		if pierce {
			one.pierce = one.allow
		}
	}
	s.spots = append(s.spots, one)
}

// readRole tells when a role whose say depends on conditions allows, or that it may say something stricter.
func (s *survey) readRole(number uint32, one *spot) {
	one.allow = ruleNever
	for _, rule := range s.policy.roles.get(number).rulesOn(s.permission) {
		if rule.effect != Allow {
			one.strict = true
			return
		}
		one.allow = s.pool.or(one.allow, s.pool.condition(rule.when))
	}
}

// zones works out every spot and keeps those that differ from what is around them.
func (s *survey) zones() []zone {
	for i := range s.spots {
		s.settle(i)
	}
	kept := make([]zone, 0, len(s.spots))
	for i := range s.spots {
		if one := &s.spots[i]; !one.same {
			kept = append(kept, zone{s.policy.places.at(one.place), one.open, one.closed})
		}
	}
	return kept
}

// settle works out the rules of a spot, after those of the spot around it.
func (s *survey) settle(i int) {
	one := &s.spots[i]
	if one.done {
		return
	}
	one.done = true
	at := s.policy.places.at(one.place)
	if at.number == globalNumber {
		s.judge(one, at, ruleNever, ruleNever)
		return
	}
	private := at.private
	up := s.policy.places.at(at.parent)
	j, found := s.spot(up.number)
	for !found {
		private = private || up.private
		up = s.policy.places.at(up.parent)
		j, found = s.spot(up.number)
	}
	s.settle(j)
	around := &s.spots[j]
	open := around.open
	if private {
		open = around.closed
	}
	one.strict = one.strict || around.strict
	s.judge(one, at, open, around.closed)
	one.same = one.open == open && one.closed == around.closed && open != ruleAsk && one.closed != ruleAsk
}

func (s *survey) spot(place uint32) (int, bool) {
	return slices.BinarySearchFunc(s.spots, place, func(one spot, place uint32) int { return cmp.Compare(one.place, place) })
}

// judge gives a spot its rules; open and closed are what reaches it from around.
func (s *survey) judge(one *spot, at *place, open, closed *verdictNode) {
	if !one.strict {
		one.open = s.pool.or(open, one.allow)
		one.closed = s.pool.or(closed, one.pierce)
		if s.builtin {
			one.closed = one.open
		}
		return
	}
	s.policy.wayTo(at, &s.way)
	one.open = s.weigh()
	if one.closed = one.open; !s.builtin && one.open != ruleNever {
		s.way.private = s.way.n
		one.closed = s.weigh()
	}
}

// wayTo fills the path that ends at a place.
func (p *policy) wayTo(at *place, to *path) {
	to.n, to.private = int(at.scope.depth)+1, 0
	for n := to.n - 1; n > 0; n-- {
		to.places[n] = at
		if at.private && to.private == 0 {
			to.private = n
		}
		at = p.places.at(at.parent)
	}
	to.places[0] = at
}

// maxConditions is how many conditions may be in play at one place before its rule becomes opaque.
const maxConditions = 8

// A stake is a condition in play: whether an Allow depends on it, and whether something stricter does.
type stake struct {
	when   uint16
	allow  bool
	strict bool
}

// weigh returns the verdict of the law at the end of the survey's way, as a decision by the conditions in play.
func (s *survey) weigh() *verdictNode {
	stakes := s.stakes()
	if len(stakes) > maxConditions {
		return ruleAsk
	}
	w := weighing{survey: s, stakes: stakes, told: make([]truth, len(stakes))}
	return w.from(0)
}

// A weighing asks the law again and again, with the first conditions told in turn.
type weighing struct {
	*survey
	stakes []stake
	told   []truth
}

// from returns the decision by the stakes from i on, the ones before being told. Not to know permits least, so a yes
// without knowing any of the rest is a yes whatever the rest.
func (w *weighing) from(i int) *verdictNode {
	if w.ask(i, func(stake) truth { return unknown }) {
		return ruleAlways
	}
	if i == len(w.stakes) {
		return ruleNever
	}
	mixed := slices.ContainsFunc(w.stakes[i:], func(s stake) bool { return s.allow && s.strict })
	if !mixed && !w.ask(i, stake.best) {
		return ruleNever
	}
	one := w.stakes[i]
	w.told[i] = holds
	ifHolds := w.from(i + 1)
	w.told[i] = fails
	ifFails := w.from(i + 1)
	var ifUnknown *verdictNode
	switch {
	case !one.strict: // an Allow that cannot be said is as one that fails
		ifUnknown = ifFails
	case !one.allow: // what is stricter is kept
		ifUnknown = ifHolds
	default:
		w.told[i] = unknown
		ifUnknown = w.from(i + 1)
	}
	return w.pool.node(one.when, ifHolds, ifFails, ifUnknown)
}

// best is the answer that permits most, where only Allows or only stricter statements depend on the condition.
func (s stake) best() truth {
	if s.allow {
		return holds
	}
	return fails
}

// ask applies the law once: the stakes before i are as told, the others as rest says.
func (w *weighing) ask(i int, rest func(stake) truth) bool {
	q := question{policy: w.policy, now: w.view.now, permission: w.permission, builtin: w.builtin, self: w.view.self, path: w.way, extra: w.view.extra}
	q.answers.facts = noFacts{}
	for j, one := range w.stakes {
		if t := rest(one); j < i {
			q.answers.tell(one.when, w.told[j])
		} else {
			q.answers.tell(one.when, t)
		}
	}
	return q.judgeAmong(w.view.bearers) == Granted
}

// noFacts answers for the conditions that do not matter.
type noFacts struct{}

func (noFacts) Holds(Condition) (bool, error) { return false, nil }

// stakes lists the conditions on which something depends that bears on the permission on the survey's way, in order of
// their numbers.
func (s *survey) stakes() []stake {
	var list []stake
	for i := range s.view.bearers {
		b := &s.view.bearers[i]
		for depth := range s.way.n {
			at := s.way.places[depth]
			if b.group != nil && !at.groups.has(b.number) {
				continue
			}
			grants := b.grantsAt(at)
			for j := range grants {
				list = s.grantStakes(list, b, &grants[j])
			}
			overrides := b.overridesAt(at)
			for j := range overrides {
				if o := &overrides[j]; o.match.covers(o.effect, s.permission) && b.open(o.terms, &s.view.now) {
					list = put(list, stake{b.when(o.terms), o.effect == Allow, o.effect != Allow})
				}
			}
		}
	}
	slices.SortFunc(list, func(a, b stake) int { return cmp.Compare(a.when, b.when) })
	return list
}

func (s *survey) grantStakes(list []stake, b *bearer, g *grantAt) []stake {
	say := s.policy.roles.get(g.role).say[s.permission]
	replace := g.marks&markReplace != 0
	if g.marks&markEligible != 0 || say == 0 && !replace || !b.open(g.terms, &s.view.now) {
		return list
	}
	whole := stake{b.when(g.terms), say == uint8(Allow), replace || say != 0 && say != uint8(Allow) && say != conditional}
	if say == conditional {
		for _, rule := range s.policy.roles.get(g.role).rulesOn(s.permission) {
			list = put(list, stake{rule.when, rule.effect == Allow, rule.effect != Allow})
			whole.allow = whole.allow || rule.effect == Allow
			whole.strict = whole.strict || rule.effect != Allow
		}
	}
	return put(list, whole)
}

// put adds to what is known of a condition.
func put(list []stake, one stake) []stake {
	if one.when == 0 {
		return list
	}
	i := slices.IndexFunc(list, func(s stake) bool { return s.when == one.when })
	if i < 0 {
		return append(list, one)
	}
	list[i].allow = list[i].allow || one.allow
	list[i].strict = list[i].strict || one.strict
	return list
}
