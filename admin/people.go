package admin

import (
	"context"
	"maps"
	"slices"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/internal/statements"
)

// An Arrival is somebody new and everything to begin with.
type Arrival struct {
	Subject rolecall.Subject
	// Roles are grants to the newcomer; their Subject is filled in. Here belongs a host's default role.
	Roles []rolecall.Grant
	// Groups are joined.
	Groups []rolecall.Subject
	// Window bounds everything that has no window of its own. Whatever a guest is given has an end.
	Window rolecall.Window
}

// Onboard begins with somebody new, in one change. Somebody of whom the policy says something already is not new, and is
// refused (rolecall.ErrInvalid): an id that is used again starts with nothing, so forget the old one first.
// It takes what each of its grants and memberships takes, and where it has none rolecall.grant.create on the whole instance.
func (e *Editor) Onboard(ctx context.Context, a Arrival) (rolecall.Revision, error) {
	return e.apply(ctx, func(s *rolecall.Snapshot) ([]rolecall.Edit, error) {
		if a.Subject.Kind() == rolecall.KindGuest && a.endless() {
			return nil, wrong(rolecall.ErrInvalid, a.Subject.String(), "whatever a guest is given has an end: set Window.NotAfter, and that of each role with a window of its own")
		}
		edits := a.edits()
		if err := e.judged(s, e.meta(), edits); err != nil {
			return nil, err
		}
		if len(edits) == 0 { // which the rules let anybody do
			if err := e.permitted(s, rolecall.GrantCreate); err != nil {
				return nil, err
			}
		}
		if err := someone(s, a.Subject); err != nil {
			return nil, err
		}
		if len(s.About(a.Subject)) > 0 {
			return nil, wrong(rolecall.ErrInvalid, a.Subject.String(), "the policy says something of this subject already; forget it first")
		}
		return edits, nil
	})
}

func (a Arrival) edits() []rolecall.Edit {
	var edits []rolecall.Edit
	for _, group := range a.Groups {
		edits = append(edits, rolecall.Put(rolecall.Membership{Member: a.Subject, Group: group, Window: a.Window}))
	}
	for _, g := range a.Roles {
		g.Subject, g.Window = a.Subject, a.window(g)
		edits = append(edits, rolecall.Put(g))
	}
	return edits
}

// window returns the grant's own window, or else that of everything.
func (a Arrival) window(g rolecall.Grant) rolecall.Window {
	if g.Window.IsZero() {
		return a.Window
	}
	return g.Window
}

// endless says whether anything is given without an end.
func (a Arrival) endless() bool {
	return len(a.Groups) > 0 && a.Window.NotAfter.IsZero() ||
		slices.ContainsFunc(a.Roles, func(g rolecall.Grant) bool { return a.window(g).NotAfter.IsZero() })
}

// A Departure is somebody who leaves.
type Departure struct {
	Subject rolecall.Subject
	// Heir takes over what the subject administered; the zero Subject is nobody.
	Heir rolecall.Subject
	// Forget removes everything about the subject, rather than suspending it.
	Forget bool
}

// Offboard ends with somebody, in one change: what they administered is handed over, then they are suspended or
// forgotten. As always it is refused where it would leave nobody in charge.
//
// It takes rolecall.subject.suspend, or .forget, and where there is an heir what HandOver takes for somebody else.
//
// Whom to suspend the policy need not know, since tokens may vouch for anybody; who is to be forgotten and of whom it says
// nothing was misspelt, or is forgotten already (rolecall.ErrUnknown).
func (e *Editor) Offboard(ctx context.Context, d Departure) (rolecall.Revision, error) {
	return e.apply(ctx, func(s *rolecall.Snapshot) ([]rolecall.Edit, error) {
		end, takes := rolecall.Put(rolecall.Suspension{Subject: d.Subject}), rolecall.SubjectSuspend
		if d.Forget {
			end, takes = rolecall.ForgetSubject(d.Subject), rolecall.SubjectForget
		}
		if err := e.permitted(s, takes); err != nil {
			return nil, err
		}
		if err := e.permitted(s, rolecall.GrantCreate); err != nil && !d.Heir.IsZero() {
			return nil, err
		}
		if d.Forget {
			if err := named(s, d.Subject); err != nil {
				return nil, err
			}
		}
		if d.Heir.IsZero() {
			return []rolecall.Edit{end}, nil
		}
		edits, err := handOver(s, d.Subject, d.Heir)
		return append(edits, end), err
	})
}

// HandOver gives to another subject what one administers: each grant of a role that allows some rolecall.* permission,
// each override that does, and each membership in a group that has such grants or overrides. What is handed over keeps
// its scope, condition and marks; the longer of two windows stands. One of whom the policy says nothing was misspelt
// (rolecall.ErrUnknown); one who administers nothing hands over nothing.
//
// It takes what each of these statements takes where it stands; what somebody else administers takes rolecall.grant.create
// on the whole instance as well, since a refusal would tell who manages what.
func (e *Editor) HandOver(ctx context.Context, from, to rolecall.Subject) (rolecall.Revision, error) {
	return e.apply(ctx, func(s *rolecall.Snapshot) ([]rolecall.Edit, error) {
		if from != e.actor {
			if err := e.permitted(s, rolecall.GrantCreate); err != nil {
				return nil, err
			}
		}
		if err := named(s, from); err != nil {
			return nil, err
		}
		return handOver(s, from, to)
	})
}

// named refuses who is nobody, and one of whom the policy says nothing.
func named(s *rolecall.Snapshot, who rolecall.Subject) error {
	if err := someone(s, who); err != nil {
		return err
	}
	if len(s.About(who)) == 0 {
		return wrong(rolecall.ErrUnknown, who.String(), "the policy says nothing of this subject")
	}
	return nil
}

func handOver(s *rolecall.Snapshot, from, to rolecall.Subject) ([]rolecall.Edit, error) {
	if from == to {
		return nil, wrong(rolecall.ErrInvalid, to.String(), "who takes over is somebody else")
	}
	if err := someone(s, to); err != nil {
		return nil, err
	}
	charge := newCharge(s)
	var edits []rolecall.Edit
	for _, one := range s.About(from) {
		if !charge.comesBy(one) {
			continue
		}
		switch moved := one.(type) {
		case rolecall.Grant:
			moved.Subject = to
			one = moved
		case rolecall.Override:
			moved.Subject = to
			one = moved
		case rolecall.Membership:
			if moved.Member != from || moved.Group == to {
				continue
			}
			moved.Member = to
			one = moved
		}
		edits = append(edits, rolecall.Put(statements.During(wider(s, one), one)))
	}
	return edits, nil
}

// wider returns the window of a statement, stretched over that of the one which stands under its key.
func wider(s *rolecall.Snapshot, one rolecall.Statement) rolecall.Window {
	w := statements.Window(one)
	standing, there := s.Find(rolecall.KeyOf(one))
	if !there {
		return w
	}
	other := statements.Window(standing)
	if other.NotBefore.IsZero() || !w.NotBefore.IsZero() && other.NotBefore.Before(w.NotBefore) {
		w.NotBefore = other.NotBefore
	}
	if other.NotAfter.IsZero() || !w.NotAfter.IsZero() && other.NotAfter.After(w.NotAfter) {
		w.NotAfter = other.NotAfter
	}
	return w
}

// A charge tells what lets its subject manage something. It looks at each role and each group once.
type charge struct {
	policy *rolecall.Snapshot
	roles  map[rolecall.RoleName]bool
	groups map[rolecall.Subject]bool
}

func newCharge(s *rolecall.Snapshot) charge {
	return charge{s, map[rolecall.RoleName]bool{}, map[rolecall.Subject]bool{}}
}

// comesBy says whether a statement lets its subject manage something.
func (c charge) comesBy(one rolecall.Statement) bool {
	switch one := one.(type) {
	case rolecall.Grant:
		return c.ofRole(one.Role)
	case rolecall.Override:
		return one.Effect == rolecall.Allow && manages(c.policy.Catalog(), one.Pattern)
	case rolecall.Membership:
		return c.ofGroup(one.Group)
	}
	return false
}

// ofRole says whether a role manages, or one that it inherits from.
func (c charge) ofRole(name rolecall.RoleName) bool {
	known, seen := c.roles[name]
	if seen {
		return known
	}
	r, _ := c.policy.Role(name)
	c.roles[name] = slices.ContainsFunc(r.Rules, func(rule rolecall.Rule) bool {
		return rule.Effect == rolecall.Allow && slices.ContainsFunc(rule.Patterns, func(p rolecall.Pattern) bool { return manages(c.policy.Catalog(), p) })
	}) || slices.ContainsFunc(r.Inherits, c.ofRole)
	return c.roles[name]
}

// ofGroup says whether a group manages, or one that it is in, whatever the windows.
func (c charge) ofGroup(group rolecall.Subject) bool {
	known, seen := c.groups[group]
	if seen {
		return known
	}
	c.groups[group] = slices.ContainsFunc(c.policy.About(group), func(one rolecall.Statement) bool {
		m, isMembership := one.(rolecall.Membership)
		return (!isMembership || m.Member == group) && c.comesBy(one)
	})
	return c.groups[group]
}

// manages says whether an allow of the pattern covers something of administration.
func manages(c *rolecall.Catalog, p rolecall.Pattern) bool {
	for one := range c.Matching(p) {
		if one.IsBuiltin() && p.AllowMatches(one) {
			return true
		}
	}
	return false
}

// A GroupMap says which group each group of an identity provider stands for.
type GroupMap map[string]rolecall.Subject

// Vouched returns the groups that stand for those named in a token, without repetitions, for ViewOptions.Groups or
// Request.Groups. Names that the map does not have stand for nothing.
func (m GroupMap) Vouched(named []string) []rolecall.Subject {
	var list []rolecall.Subject
	for _, name := range named {
		if group, mapped := m[name]; mapped && !slices.Contains(list, group) {
			list = append(list, group)
		}
	}
	slices.SortFunc(list, rolecall.Subject.Compare)
	return list
}

// SyncGroups makes somebody a direct member of exactly those groups of the map that are named, in one change. Other
// memberships are left alone. A membership that has a window keeps it. It finds nothing to do where that is so already.
func (e *Editor) SyncGroups(ctx context.Context, who rolecall.Subject, m GroupMap, named []string) (rolecall.Revision, error) {
	return e.apply(ctx, func(s *rolecall.Snapshot) ([]rolecall.Edit, error) {
		for _, takes := range []rolecall.Permission{rolecall.MemberAdd, rolecall.MemberRemove} {
			if err := e.permitted(s, takes); err != nil {
				return nil, err
			}
		}
		if err := someone(s, who); err != nil {
			return nil, err
		}
		wanted, mapped := m.Vouched(named), slices.SortedFunc(maps.Values(m), rolecall.Subject.Compare)
		var edits []rolecall.Edit
		for _, group := range slices.Compact(mapped) {
			membership := rolecall.Membership{Member: who, Group: group}
			_, is := s.Find(rolecall.KeyOf(membership))
			switch want := slices.Contains(wanted, group); {
			case want && !is:
				edits = append(edits, rolecall.Put(membership))
			case is && !want:
				edits = append(edits, rolecall.Remove(membership))
			}
		}
		return edits, nil
	})
}
