package rolecall

import (
	"cmp"
	"strconv"
)

// A Breadth is how much a plan gives, or takes: to how many, of what, and how far up. What is gained or lost only where
// some condition holds counts in full. The zero Breadth is nothing at all.
type Breadth struct {
	Everyone    bool `json:"everyone"`    // subjects that the policy names nowhere are concerned
	Subjects    int  `json:"subjects"`    // how many subjects are concerned: those that the policy names, groups among them, and Everyone
	Permissions int  `json:"permissions"` // how many permissions, summed over these subjects
	Depth       int  `json:"depth"`       // of the widest place concerned; 0 is Global
}

// Gain returns how much the plan gives. Where that concerns everyone it looks at each subject that the policy names.
func (p *Plan) Gain() Breadth { return p.breadth(gained) }

// Loss returns how much the plan takes, like Gain.
func (p *Plan) Loss() Breadth { return p.breadth(lost) }

func (p *Plan) breadth(way direction) Breadth {
	b := Breadth{Depth: maxScopeSegments}
	for _, who := range p.subjects {
		permissions, depth := p.bySubject[who].extent(way)
		if permissions == 0 {
			continue
		}
		b.Depth = min(b.Depth, depth)
		b.add(1, permissions)
		if who.isEveryone() {
			b.Everyone = true
			b.add(p.likeEveryone(), permissions)
		}
	}
	if b.Subjects == 0 {
		return Breadth{}
	}
	return b
}

func (b *Breadth) add(subjects, permissions int) {
	b.Subjects, b.Permissions = b.Subjects+subjects, b.Permissions+subjects*permissions
}

// likeEveryone counts the named subjects for whom the differences of Everyone hold.
func (p *Plan) likeEveryone() int {
	n := 0
	p.proposal.next.policy.subjects.all(func(h *holder) bool {
		n += boolRank(!h.suspended && p.bySubject[h.subject] == nil)
		return true
	})
	return n
}

// extent counts permissions and finds the widest place.
func (e *effects) extent(way direction) (permissions, depth int) {
	last, depth := -1, maxScopeSegments
	for _, one := range e.list[way] {
		if one.open == ruleNever && one.closed == ruleNever {
			continue
		}
		if one.permission != last {
			permissions, last = permissions+1, one.permission
		}
		depth = min(depth, int(one.scope.depth))
	}
	return permissions, depth
}

// Compare orders breadths from the least: fewer subjects first, whom the policy names, then fewer permissions, then what
// is further in.
func (b Breadth) Compare(other Breadth) int {
	return cmp.Or(
		cmp.Compare(boolRank(b.Everyone), boolRank(other.Everyone)),
		cmp.Compare(b.Subjects, other.Subjects),
		cmp.Compare(b.Permissions, other.Permissions),
		cmp.Compare(other.Depth, b.Depth),
	)
}

// String returns the breadth in words.
func (b Breadth) String() string {
	switch {
	case b.Subjects == 0:
		return "nobody, nothing"
	case b.Everyone:
		return "everyone, " + plural(b.Permissions, "permission")
	}
	return plural(b.Subjects, "subject") + ", " + plural(b.Permissions, "permission")
}

func plural(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return strconv.Itoa(n) + " " + what
}
