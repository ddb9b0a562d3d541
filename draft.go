package rolecall

import (
	"cmp"
	"slices"
)

// A draft is a policy in the making: it applies statements one by one, copying what it touches, and finish judges the
// whole. The policy it started from does not change.
type draft struct {
	*policy
	own      *token
	loading  bool // from nothing: a second statement with one key is a problem, and no deltas are kept
	problems Problems

	deltas        map[StatementKey]*Delta
	groupsChanged map[uint32]bool   // whose direct groups or existence changed
	rolesChanged  map[RoleName]bool // whose definition changed
	untidy        map[*holder]bool  // which lost statements
	recent        recent
	climbed       permset // of numbers of groups, while these are made ready
	separate      separationScope

	tableOwned, constraintsOwned bool
}

func (p *policy) draft() *draft {
	copied := *p
	return &draft{
		policy: &copied, own: new(token), separate: separationScope{subjects: map[Subject]bool{}}, deltas: map[StatementKey]*Delta{},
		groupsChanged: map[uint32]bool{}, rolesChanged: map[RoleName]bool{}, untidy: map[*holder]bool{},
	}
}

func (d *draft) refuse(code Code, by Statement, word, format string, args ...any) {
	p := problem(code, "", word, format, args...)
	d.refused(p, by)
}

// refused notes a problem; nil is none.
func (d *draft) refused(p *Problem, by Statement) {
	if p == nil {
		return
	}
	p.Statement = by
	if p.Place == "" && by != nil {
		p.Place = KeyOf(by).String()
	}
	d.problems = append(d.problems, p)
}

// put adds a statement or changes the one with its key. A statement with a problem is not applied.
func (d *draft) put(s Statement) {
	if !d.check(s) {
		d.keepName(s)
		return
	}
	before := d.take(s)
	if d.loading && before != nil && !Equal(before, s) {
		d.refuse(ErrInvalid, s, "", "two different statements have this key; the other one says: %s", before)
		s = before
	}
	d.insert(s)
	if !d.loading {
		d.record(s, before, Canonical(s))
	}
}

// keepName defines a role that has a problem as far as its name and what it inherits go, so that what else is wrong
// with it is found too, and what names it is not reported as well. The draft is refused anyway.
func (d *draft) keepName(s Statement) {
	r, isRole := s.(Role)
	if !isRole || checkName("", string(r.Name)) != nil {
		return
	}
	r.Inherits = slices.DeleteFunc(slices.Clone(r.Inherits), func(above RoleName) bool {
		return above == r.Name || checkName("", string(above)) != nil
	})
	d.take(r)
	d.insert(Role{Name: r.Name, Inherits: r.Inherits})
}

// remove removes the statement with the key of s.
func (d *draft) remove(s Statement) {
	before := d.take(s)
	if before == nil {
		d.refuse(ErrUnknown, s, "", "there is no such statement to remove")
		return
	}
	d.record(s, before, nil)
	d.dropEmpty(s)
}

// record notes what the draft did to a statement; what comes back to where it was is no change.
func (d *draft) record(s, before, after Statement) {
	key := KeyOf(s)
	delta := d.deltas[key]
	if delta == nil {
		delta = &Delta{Before: before}
		d.deltas[key] = delta
	}
	delta.After = after
	if Equal(delta.Before, delta.After) {
		delete(d.deltas, key)
	}
}

// take takes the statement with the key of s out of the policy and returns it, nil where there is none.
func (d *draft) take(s Statement) Statement {
	switch s := s.(type) {
	case Role:
		return d.takeRole(s.Name)
	case Membership:
		return d.takeMembership(s)
	case Grant:
		return d.takeGrant(s)
	case Override:
		return d.takeOverride(s)
	case Suspension:
		if h := d.holder(s.Subject); h != nil && h.suspended {
			d.setSuspended(h, false)
			return s
		}
	case PrivateScope:
		if at := d.place(s.Scope); at != nil && at.private {
			d.ownPlace(at).private = false
			d.privates = d.privates.without(d.own, at.number)
			return s
		}
	case Constraint:
		if i, found := d.findConstraint(s.Name); found {
			before := d.constraints[i]
			d.ownConstraints()
			d.constraints = slices.Delete(d.constraints, i, i+1)
			return before
		}
	}
	return nil
}

// insert puts a checked statement into the policy; none with its key is there.
func (d *draft) insert(s Statement) {
	switch s := s.(type) {
	case Role:
		d.defineRole(s.canonical())
	case Membership:
		d.addMembership(s)
	case Grant:
		d.addGrant(s)
	case Override:
		d.addOverride(s)
	case Suspension:
		d.setSuspended(d.internHolder(s.Subject), true)
	case PrivateScope:
		at := d.internPlace(s.Scope)
		at.private = true
		d.privates = d.privates.with(d.own, at.number)
		d.closed = d.closed.with(d.own, at.hint())
	case Constraint:
		d.separate.all = true
		i, _ := d.findConstraint(s.Name)
		d.ownConstraints()
		d.constraints = slices.Insert(d.constraints, i, s.canonical())
	}
}

// ownConstraints makes the list of constraints the draft's own.
func (d *draft) ownConstraints() {
	if !d.constraintsOwned {
		d.constraintsOwned = true
		d.constraints = slices.Clone(d.constraints)
	}
}

func (p *policy) findConstraint(name string) (int, bool) {
	return slices.BinarySearchFunc(p.constraints, name, func(c Constraint, name string) int { return cmp.Compare(c.Name, name) })
}

func (d *draft) setSuspended(h *holder, suspended bool) {
	h = d.ownHolder(h)
	if h.isGroup() && h.suspended != suspended {
		d.groupsChanged[h.number] = true
		if suspended {
			d.suspendedGroups++
		} else {
			d.suspendedGroups--
		}
	}
	h.suspended = suspended
}
