package rolecall

import "slices"

// A Narrowing keeps only what comes through some roles, or what matches some patterns, or both. It never adds. The
// zero Narrowing takes nothing away; ToRoles and ToPatterns without arguments take everything.
type Narrowing struct {
	byRole, byPattern bool
	roles             []RoleName
	patterns          [][]Pattern // one of each list matches
}

// ToRoles narrows to the allows of these roles, the active roles of a session.
func ToRoles(roles ...RoleName) Narrowing {
	return Narrowing{byRole: true, roles: sortedSet(roles)}
}

// ToPatterns narrows to the permissions that match one of these patterns.
func ToPatterns(patterns ...Pattern) Narrowing {
	return Narrowing{}.AndPatterns(patterns...)
}

// AndPatterns narrows n further, to the permissions that match one of these patterns as well.
func (n Narrowing) AndPatterns(patterns ...Pattern) Narrowing {
	n.byPattern, n.patterns = true, append(slices.Clip(n.patterns), sortedSet(patterns))
	return n
}

// IsZero says whether n takes nothing away.
func (n Narrowing) IsZero() bool { return !n.byRole && !n.byPattern }

func (n *Narrowing) covers(permission Permission) bool {
	for _, list := range n.patterns {
		if !slices.ContainsFunc(list, func(p Pattern) bool { return p.Matches(permission) }) {
			return false
		}
	}
	return true
}

// coversAll says whether the narrowing leaves everything that a pattern covers.
func (n *Narrowing) coversAll(p Pattern) bool {
	for _, list := range n.patterns {
		if !slices.ContainsFunc(list, func(wide Pattern) bool { return wide.includes(p) }) {
			return false
		}
	}
	return true
}

// A narrowed is what a narrowing leaves, made ready to be asked. The zero narrowed takes nothing away.
type narrowed struct {
	Narrowing
	active []uint32 // the numbers of the roles
}

// readyRare makes the rare parts of a request ready. The reason is Suspended or Narrowed where they alone deny it.
func (q *question) readyRare(self Subject, o *ViewOptions) (Reason, error) {
	p, n := q.policy, &o.Narrow
	vouched, err := p.vouchedFor(self, o.Groups)
	if err != nil {
		return 0, err
	}
	active, err := p.activeRoles(n.roles)
	if err != nil {
		return 0, err
	}
	for _, pattern := range slices.Concat(n.patterns...) {
		if fault := p.catalog.checkPattern("request", pattern); fault != nil {
			return 0, fault
		}
	}
	if err := p.checkActive(active); err != nil {
		return 0, err
	}
	if vouched != nil || n.byRole {
		q.extra = &extras{groups: vouched, narrow: n.byRole, active: active}
	}
	if !o.Actor.IsZero() {
		if fault := p.catalog.checkSubject("request", o.Actor); fault != nil {
			return 0, fault
		}
		if p.holder(o.Actor).off() {
			return Suspended, nil
		}
	}
	// A view, which asks of no permission yet, looks at the patterns itself.
	if n.byPattern && q.permission >= 0 && !q.self.off() && !n.covers(p.catalog.permissions[q.permission]) {
		return Narrowed, nil
	}
	return NothingSaid, nil
}

// vouchedFor returns the groups that somebody vouches for, as far as the policy says anything of them.
func (p *policy) vouchedFor(self Subject, groups []Subject) (vouched []*holder, err error) {
	for _, g := range groups {
		if fault := p.catalog.checkSubject("request", g); fault != nil {
			return nil, fault
		}
		if !g.IsGroup() || g.isEveryone() || self.isEveryone() {
			return nil, problem(ErrInvalid, "request", g.String(), "only a group can be vouched for, and Everyone joins none")
		}
		if h := p.holder(g); h != nil && g != self {
			vouched = append(vouched, h)
		}
	}
	return vouched, nil
}

// activeRoles returns the numbers of the roles of a session.
func (p *policy) activeRoles(names []RoleName) (active []uint32, err error) {
	for _, name := range names {
		r := p.roles.find(name)
		if r == nil {
			return nil, p.unknownRole(name)
		}
		active = append(active, r.number)
	}
	return active, nil
}

func (p *policy) unknownRole(name RoleName) *Problem {
	if fault := checkName("role name", string(name)); fault != nil {
		return placed(fault, "request")
	}
	return problem(ErrUnknown, "request", string(name), "no such role is defined%s", didYouMean(string(name), p.roleNames()))
}
