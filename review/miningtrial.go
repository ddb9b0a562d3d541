package review

import (
	"slices"
	"time"

	"github.com/rolecall-go/rolecall"
)

// What is proposed is tried by plans, which are exact for all facts: now, and where grants move also at every instant at
// which a window of somebody concerned opens or closes. A role that is narrowed keeps whatever a use may rest on, also
// through memberships that open later, so that it is enough to try that now.

// mostTrials is at how many instants a proposal is tried before it is taken for one whose effect cannot be told.
const mostTrials = 64

// fits says whether a proposal would be accepted, gives nobody anything and takes from nobody what was used.
func (m *miner) fits(p RoleProposal) bool {
	instants := []time.Time{m.now}
	if p.Kind != NarrowRole {
		instants = append(instants, m.boundariesOf(p.Roles)...)
	}
	if len(instants) > mostTrials {
		return false
	}
	for _, at := range instants {
		plan, err := m.s.At(at).Plan(rolecall.Change{Edits: p.Edits})
		if err != nil || !m.spares(plan) {
			return false
		}
	}
	return true
}

// boundariesOf lists when a window will open or close of anybody who has one of some roles, each time once.
func (m *miner) boundariesOf(roles []rolecall.RoleName) []time.Time {
	concerned := map[rolecall.Subject]bool{}
	for _, name := range roles {
		for _, g := range m.grantsOfRole(m.roles[name]) {
			m.gatherMembers(g.Subject, concerned)
		}
	}
	var all []time.Time
	for who := range concerned {
		all = append(all, m.holding(m.read(who)).boundaries...)
	}
	slices.SortFunc(all, time.Time.Compare)
	return slices.CompactFunc(all, time.Time.Equal)
}

// gatherMembers adds a subject, and whoever is in it if it is a group.
func (m *miner) gatherMembers(who rolecall.Subject, to map[rolecall.Subject]bool) {
	if to[who] {
		return
	}
	to[who] = true
	if who == rolecall.Everyone() {
		for _, one := range m.users {
			to[one] = true
		}
	}
	if g := m.groups[who]; g != nil {
		for _, member := range g.members {
			m.gatherMembers(member.Member, to)
		}
	}
}

// A claim is what a subject may lose or keep.
type claim struct {
	subject    rolecall.Subject
	permission rolecall.Permission
}

// spares says whether a plan gives nobody anything and takes from nobody what was used.
func (m *miner) spares(plan *rolecall.Plan) bool {
	for range plan.Gained() {
		return false
	}
	lost, apart := map[claim][]rolecall.Difference{}, map[rolecall.Subject]bool{}
	for d := range plan.Lost() {
		lost[claim{d.Subject, d.Permission}] = append(lost[claim{d.Subject, d.Permission}], d)
	}
	for who := range plan.Apart() {
		apart[who] = true
	}
	for c, losses := range lost {
		if c.subject != rolecall.Everyone() {
			if takesUsed(m.usage.bySubject[c.subject], c.permission, losses) {
				return false
			}
			continue
		}
		for who, list := range m.usage.bySubject {
			if !apart[who] && takesUsed(list, c.permission, losses) {
				return false
			}
		}
	}
	return true
}

// takesUsed says whether losses of one permission take away anything for which somebody used it.
func takesUsed(list []Used, p rolecall.Permission, losses []rolecall.Difference) bool {
	return slices.ContainsFunc(ofPermission(list, p), func(u Used) bool { return takes(losses, u.Scope) })
}

// takes says whether losses of one permission, what is inside a scope after it, take away what was used at a place, as far
// as a meter told that.
func takes(losses []rolecall.Difference, used rolecall.Scope) bool {
	taken := false
	for _, d := range losses {
		ends := d.When.Never() && d.Private.Never()
		switch {
		case !used.IsZero() && d.Scope.Contains(used):
			taken = !ends // the nearest one, which comes last, counts
		case !ends && meets(used, d.Scope):
			return true
		}
	}
	return taken
}
