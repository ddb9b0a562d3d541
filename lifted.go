package rolecall

import "time"

// Denials that no longer stand for a group. Tokens can vouch anyone into any groups, so a denial that stood for a group
// counts as giving what it denied once it is gone, or something nearer overrides it, whether or not a present subject
// shows it.

// A groupPoint is a group and a scope with statements of it.
type groupPoint struct {
	group Subject
	scope Scope
}

// lifts says whether a denial that stood for whoever is put into a group no longer does, and no nearer one takes its
// place. A token may vouch for what the group comes to be in as well: there the group is nearer now.
func (t *trial) lifts(group Subject, m matter, at time.Time, f Facts) bool {
	joined := t.joined(group, at)
	return t.liftsFor([]Subject{group}, m, at, f) || len(joined) > 0 && t.liftsFor(append(joined, group), m, at, f)
}

// joined lists the groups that a group is in at an instant after the change and was not before.
func (t *trial) joined(group Subject, at time.Time) []Subject {
	var joined []Subject
	for _, up := range t.after.aboveAt(group, at) {
		if !t.before.isIn(group, up.subject, at) && up.subject != group {
			joined = append(joined, up.subject)
		}
	}
	return joined
}

// liftsFor compares for a token. Whom it vouches for may replace what their groups allow, down to some depth: then a denial
// stood that only such an allow overrode.
func (t *trial) liftsFor(token []Subject, m matter, at time.Time, f Facts) bool {
	deepest := 0
	if t.before.replaces > 0 {
		deepest = m.scope.Depth() + 1
	}
	for replaced := 0; replaced <= deepest; replaced++ {
		stood := t.before.denials(token, m, at, f, replaced)
		if len(stood) == 0 {
			continue
		}
		left := t.after.denials(token, m, at, f, replaced)
		for point, denied := range stood {
			if !t.after.stillDenied(point, denied, left, at) {
				return true
			}
		}
	}
	return false
}

// stillDenied says whether a denial as strict is left at a point or a nearer one.
func (p *policy) stillDenied(point groupPoint, denied Effect, left map[groupPoint]Effect, at time.Time) bool {
	for other, denies := range left {
		if denies >= denied && point.scope.Contains(other.scope) && p.isIn(other.group, point.group, at) {
			return true
		}
	}
	return false
}

// isIn says whether a group is another one or in it at an instant.
func (p *policy) isIn(below, above Subject, at time.Time) bool {
	b, a := p.holder(below), p.holder(above)
	return b != nil && a != nil && p.reaches(b, a, &instant{at: at})
}

// denials returns those that stand for whoever a token puts into some groups, and for whom no Allow above a depth counts:
// each Forbid, and each Deny that nothing nearer overrides.
func (p *policy) denials(token []Subject, m matter, at time.Time, f Facts, replaced int) map[groupPoint]Effect {
	q := p.questionOf(Everyone(), m, at, f)
	q.self, q.extra = nil, &extras{}
	for _, group := range token {
		if h := p.holder(group); h != nil && !group.isEveryone() {
			q.extra.groups = append(q.extra.groups, h)
		}
	}
	c := court{question: q, bearers: q.inReach(nil)}
	c.said = c.collect(nil, false)
	var standing map[groupPoint]Effect
	note := func(least Effect) {
		for i := range c.said {
			if s := &c.said[i]; s.speaks() && s.effect >= least {
				if standing == nil {
					standing = map[groupPoint]Effect{}
				}
				point := groupPoint{c.bearers[s.bearer].subject, c.path.places[s.depth].scope}
				standing[point] = max(standing[point], s.effect)
			}
		}
	}
	note(Forbid)
	c.strikeAbove(replaced)
	c.strike()
	note(Deny)
	return standing
}

// strikeAbove strikes the Allows that somebody who replaces them at the last place above a depth does not hear.
func (c *court) strikeAbove(depth int) {
	for i := range c.said {
		if s := &c.said[i]; s.speaks() && s.effect == Allow && int(s.depth) < depth {
			s.fate = LostToReplace
		}
	}
}

// mayDeny returns the permissions that something said to a subject denies under some condition.
func (p *policy) mayDeny(who Subject) permset {
	deniable := newPermset(len(p.catalog.permissions))
	for _, h := range p.bearersOf(who) {
		for i := range h.grants {
			if h.grants[i].marks&markEligible == 0 {
				deniable.or(p.roles.get(h.grants[i].role).can.denies.permissions)
			}
		}
		for i := range h.overrides() {
			if h.overrides()[i].effect != Allow {
				deniable.or(h.overrides()[i].match.any)
			}
		}
	}
	return deniable
}
