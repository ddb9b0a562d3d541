package rolecall

import "slices"

// Which edits an explanation suggests.

// expand adds the attempts that a decision suggests, which was made on next, the policy after the edits of a.
func (s *remedySearch) expand(a attempt, d Decision, next *Snapshot) {
	if !s.want {
		s.close(a, d)
		return
	}
	switch d.Reason() {
	case Forbidden:
		s.lift(a, d.deciding[0])
	case Suspended:
		s.resume(a, d, next)
	default:
		s.open(a, d, next)
	}
}

// close takes away what allows: by an exception of its own, or one way after the other.
func (s *remedySearch) close(a attempt, d Decision) {
	if len(a.edits) == 0 {
		s.add(a, leastPhase, true, Put(s.exception(Deny)))
	}
	s.lift(a, d.deciding[0])
}

// lift makes a statement that decides go, for everybody or for the subject alone.
func (s *remedySearch) lift(a attempt, f Finding) {
	if own := s.exception(Allow); s.want && KeyOf(f.Statement) == KeyOf(own) {
		s.add(a, leastPhase, true, Put(own))
	}
	if o, single := f.Statement.(Override); single && o.Effect == Forbid {
		o.Effect = Deny
		s.add(a, leastPhase, false, Put(o))
	}
	s.add(a, leastPhase, false, Remove(f.Statement))
	s.leave(a, leastPhase, f)
}

// leave ends a membership on the way to a statement.
func (s *remedySearch) leave(a attempt, p phase, f Finding) {
	for _, m := range f.memberships() {
		s.add(a, p, false, Remove(m))
	}
}

// resume resumes who is suspended and, where that is a group, also tries whatever else opens.
func (s *remedySearch) resume(a attempt, d Decision, next *Snapshot) {
	for _, f := range d.deciding {
		if _, off := f.Statement.(Suspension); off {
			s.add(a, leastPhase, false, Remove(f.Statement))
			return
		}
	}
	s.open(a, d, next)
}

// open adds what may allow: the single exception, what stands against it gone, what is there mended, and new access.
func (s *remedySearch) open(a attempt, d Decision, next *Snapshot) {
	if !a.opened {
		s.add(a, leastPhase, true, Put(s.exception(Allow)))
	}
	if len(d.deciding) > 0 {
		s.lift(a, d.deciding[0])
	}
	if a.opened {
		return
	}
	for _, f := range d.losing {
		s.mend(a, f, next)
	}
	s.grants(a, next)
	s.groups(a, next)
}

// exception is an override of the subject for just what was asked.
func (s *remedySearch) exception(e Effect) Override {
	return Override{
		Subject: s.request.Subject, Effect: e, Pattern: Pattern(s.request.Permission.String()), Scope: s.request.Scope,
		Window: s.window(),
	}
}

// window is that of what is added.
func (s *remedySearch) window() Window { return Window{NotAfter: s.options.Until} }

// mend makes a statement count that would have allowed.
func (s *remedySearch) mend(a attempt, f Finding, next *Snapshot) {
	if f.Effect != Allow {
		return
	}
	switch f.Fate {
	case StoppedByPrivacy:
		if g, granted := f.Statement.(Grant); granted {
			g.Pierce = true
			s.add(a, mendPhase, false, Put(g))
		}
		s.add(a, mendPhase, false, Remove(PrivateScope{f.Where}))
	case StoppedBySuspension:
		for _, group := range f.Path {
			if off := (Suspension{group}); next.policy.lookup(KeyOf(off)) != nil {
				s.add(a, mendPhase, false, Remove(off))
			}
		}
	case StoppedByWindow:
		s.add(a, mendPhase, false, Put(again(f.Statement, s.window())))
	case StoppedByCondition, StoppedByUnknown:
		if KeyOf(f.Statement).when == "" {
			return // it is a rule of the role that has the condition
		}
		s.add(a, mendPhase, false, Put(again(unconditional(f.Statement), s.window())))
	case NotActivated:
		s.activate(a, f)
	case LostToReplace:
		if g, granted := f.By.(Grant); granted {
			s.add(a, mendPhase, false, Remove(g))
			g.Replace = false
			s.add(a, mendPhase, false, Put(g))
		}
	}
}

// again returns a grant or an override with another window.
func again(one Statement, w Window) Statement {
	switch one := one.(type) {
	case Grant:
		one.Window = w
		return one
	case Override:
		one.Window = w
		return one
	}
	return one
}

// unconditional returns a grant or an override without its condition.
func unconditional(one Statement) Statement {
	switch one := one.(type) {
	case Grant:
		one.When = ""
		return one
	case Override:
		one.When = ""
		return one
	}
	return one
}

func (s *remedySearch) activate(a attempt, f Finding) {
	g, granted := f.Statement.(Grant)
	if !granted || s.options.Until.IsZero() || s.options.Meta.Reason == "" {
		return
	}
	s.add(a, mendPhase, true, Activate(Activation{
		Subject: s.request.Subject, Role: g.Role, Scope: s.request.Scope, Until: s.options.Until, Reason: s.options.Meta.Reason,
	}))
}

// grants adds a grant of each role that has something to say, where none is yet.
func (s *remedySearch) grants(a attempt, next *Snapshot) {
	number := next.policy.catalog.index.find(s.request.Permission)
	for _, name := range next.policy.roles.names() {
		g := Grant{Subject: s.request.Subject, Role: name, Scope: s.request.Scope, Window: s.window()}
		if next.policy.roles.find(name).say[number] != 0 && next.policy.lookup(KeyOf(g)) == nil {
			s.add(a, accessPhase, true, Put(g))
		}
	}
}

// groups adds joining each group that has the permission by a statement of its own.
func (s *remedySearch) groups(a attempt, next *Snapshot) {
	audience, err := next.Audience(s.request.Permission, s.request.Scope, func(Subject) Facts { return s.request.Facts })
	if err != nil {
		return // the facts were accepted before, so there is none
	}
	for _, group := range slices.Collect(audience.Holders(Subject{})) {
		if group.IsGroup() && !group.isEveryone() && group != s.request.Subject {
			s.add(a, accessPhase, true, Put(Membership{Member: s.request.Subject, Group: group, Window: s.window()}))
		}
	}
}
