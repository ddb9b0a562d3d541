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

// lifts says whether a denial that stood for a group no longer does, and no nearer one takes its place.
func (t *trial) lifts(group Subject, m matter, at time.Time, f Facts) bool {
	stood := t.before.denials(group, m, at, f)
	if len(stood) == 0 {
		return false
	}
	left := t.after.denials(group, m, at, f)
	for point, denied := range stood {
		if !t.after.stillDenied(point, denied, left, at) {
			return true
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

// denials returns those that stand for whoever a token puts into a group: each Forbid, and each Deny that nothing nearer
// overrides.
func (p *policy) denials(group Subject, m matter, at time.Time, f Facts) map[groupPoint]Effect {
	q := p.questionOf(group, m, at, f)
	if q.self != nil && !group.isEveryone() {
		q.extra = &extras{groups: []*holder{q.self}}
	}
	q.self = nil
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
	c.strike()
	note(Deny)
	return standing
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
