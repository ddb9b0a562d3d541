package rolecall

import (
	"slices"
)

// Who answers who may do p at t: every subject but a group that the policy names and that is allowed, in order, and
// whether a subject that the policy names nowhere would be. Its cost follows the statements that reach the target, and
// the answer: it looks only at those who have a statement on the way to t, and at the members of such groups, unless
// everyone may.
func (s *Snapshot) Who(p Permission, t Scope, facts Facts) (named []Subject, everyone bool, err error) {
	if s.at.IsZero() {
		return nil, false, errNoInstant()
	}
	now := instant{at: s.at}
	stranger := Guest("-")
	q := question{now: &now}
	if err := q.ready(s.policy, &stranger, &p, &t); err != nil {
		return nil, false, err
	}
	if err := s.policy.catalog.checkFacts(facts); err != nil {
		return nil, false, err
	}
	q.answers.facts = facts
	q.self = nil
	everyone = q.verdict() == Granted
	for _, h := range s.policy.candidates(&q.path, everyone) {
		q.self, q.missed = h, NothingSaid
		if q.verdict() == Granted {
			named = append(named, h.subject)
		}
	}
	slices.SortFunc(named, Subject.Compare)
	return named, everyone, nil
}

// candidates lists the subjects but groups whose answer at a path may differ from a stranger's; all of them where a
// stranger is allowed.
func (p *policy) candidates(way *path, all bool) []*holder {
	var list []*holder
	if all {
		p.subjects.all(func(h *holder) bool {
			if h.group == nil {
				list = append(list, h)
			}
			return true
		})
		return list
	}
	users, groups := map[uint32]bool{}, map[uint32]bool{}
	add := func(number uint32) {
		if !users[number] {
			users[number] = true
			list = append(list, p.users.at(number))
		}
	}
	var descend func(number uint32)
	descend = func(number uint32) {
		if groups[number] || number == everyoneNumber {
			return
		}
		groups[number] = true
		g := p.groups.at(number).group
		for u := range g.members.all() {
			add(u)
		}
		for below := range g.subgroups.all() {
			descend(below)
		}
	}
	for depth := range way.n {
		for u := range way.places[depth].users.all() {
			add(u)
		}
		for g := range way.places[depth].groups.all() {
			descend(g)
		}
	}
	return list
}
