package rolecall_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rolecall-go/rolecall"
)

// A change of which some edit or its meta data is faulty is refused, and the problem says where.
func TestProposeRefuses(t *testing.T) {
	s := world{}.add(basicRoles...).add(eligible(grant(ben, "secret", project))).snapshot(t).At(day(0))
	activate := func(until int, reason string) rolecall.Edit {
		e := activation(ben, "secret", shot, until)
		e.Activation.Reason = reason
		return e
	}
	endless := activate(1, "to look")
	endless.Activation.Until = endless.Activation.Until.AddDate(-3000, 0, 0)
	for _, c := range []struct {
		name string
		meta rolecall.Meta
		edit rolecall.Edit
		code error
		want string
	}{
		{"of an activation, for example", rolecall.Meta{}, activate(1, "to look"), nil, ""},
		{"on behalf of somebody, by nobody", rolecall.Meta{OnBehalf: ann}, activate(1, "to look"), rolecall.ErrInvalid, "has an actor"},
		{"by an actor of no kind", rolecall.Meta{Actor: rolecall.NewSubject("robot", "x")}, activate(1, "to look"), rolecall.ErrUnknown, "robot"},
		{"for a reason that cannot be written", rolecall.Meta{Reason: "a\x00b"}, activate(1, "to look"), rolecall.ErrInvalid, ""},
		{"to do nothing", rolecall.Meta{}, rolecall.Edit{}, rolecall.ErrInvalid, "edit 1"},
		{"to put nothing", rolecall.Meta{}, rolecall.Edit{Op: rolecall.OpPut}, rolecall.ErrInvalid, "edit 1"},
		{"to remove nothing", rolecall.Meta{}, rolecall.Edit{Op: rolecall.OpRemove}, rolecall.ErrInvalid, "edit 1"},
		{"to remove what is not there", rolecall.Meta{}, rolecall.Remove(suspend(ben)), rolecall.ErrUnknown, "suspend user:ben"},
		{"to forget nobody", rolecall.Meta{}, rolecall.ForgetSubject(rolecall.Subject{}), rolecall.ErrInvalid, "edit 1"},
		{"to forget what is no place", rolecall.Meta{}, rolecall.ForgetScope(rolecall.In("projekt", "p")), rolecall.ErrUnknown, "edit 1"},
		{"to activate until now", rolecall.Meta{}, activate(0, "to look"), rolecall.ErrInvalid, "an end in the future"},
		{"to activate until long ago", rolecall.Meta{}, endless, rolecall.ErrInvalid, "an end in the future"},
		{"to activate for ever, long ago", rolecall.Meta{Time: time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)}, rolecall.Activate(rolecall.Activation{Subject: ben, Role: "secret", Scope: shot, Reason: "to look"}), rolecall.ErrInvalid, "an end in the future"},
		{"to activate for no reason", rolecall.Meta{}, activate(1, " \t"), rolecall.ErrInvalid, "has a reason"},
		{"to activate for a reason that cannot be written", rolecall.Meta{}, activate(1, "a\x00b"), rolecall.ErrInvalid, ""},
	} {
		p, err := s.Propose(rolecall.Change{Meta: c.meta, Edits: []rolecall.Edit{c.edit}})
		if !errors.Is(err, c.code) || (err == nil) != (p != nil) || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("Propose(a change %s): %v, want %v that says %q", c.name, err, c.code, c.want)
		}
	}
	if _, err := (world{}).snapshot(t).Propose(rolecall.Change{}); !errors.Is(err, rolecall.ErrInvalid) {
		t.Errorf("Propose without an instant: %v, want %s", err, rolecall.ErrInvalid)
	}
}

// What a store tells is refused where it is not what comes next.
func TestApplyRefuses(t *testing.T) {
	s := world{}.add(basicRoles...).add(grant(ann, "worker", project)).snapshot(t)
	gone, given := grant(ann, "worker", project), grant(ben, "worker", project)
	for _, c := range []struct {
		name     string
		revision rolecall.Revision
		delta    rolecall.Delta
		want     error
	}{
		{"the next one", 1, rolecall.Delta{After: given}, nil},
		{"one that is there", 0, rolecall.Delta{After: given}, rolecall.ErrInvalid},
		{"one after a gap", 2, rolecall.Delta{After: given}, rolecall.ErrInvalid},
		{"an empty delta", 1, rolecall.Delta{}, rolecall.ErrInvalid},
		{"a statement that stands already", 1, rolecall.Delta{After: gone}, rolecall.ErrInvalid},
		{"a statement that does not stand", 1, rolecall.Delta{Before: given}, rolecall.ErrInvalid},
		{"a statement that stands otherwise", 1, rolecall.Delta{Before: piercing(gone)}, rolecall.ErrInvalid},
		{"a grant of a role that is not there", 1, rolecall.Delta{After: grant(ben, "ghost", project)}, rolecall.ErrUnknown},
	} {
		next, err := s.Apply(rolecall.Entry{Revision: c.revision, Deltas: []rolecall.Delta{c.delta}})
		if !errors.Is(err, c.want) || (err == nil) != (next != nil) {
			t.Errorf("Apply(%s): %v, want %v", c.name, err, c.want)
		}
	}
	if _, err := new(rolecall.Snapshot).Apply(rolecall.Entry{Revision: 1}); !errors.Is(err, rolecall.ErrInvalid) {
		t.Errorf("Apply to the zero snapshot: %v, want %s", err, rolecall.ErrInvalid)
	}
}

// Of several eligible grants the nearest is taken up: the subject's own before those of its groups, of these one without a
// condition first, and then the one furthest in.
func TestActivationTakesTheNearest(t *testing.T) {
	own := eligible(grant(ben, "secret", project))
	outer, conditional := eligible(grant(ben, "secret", global)), grantWhen(own, "own")
	team := eligible(grant(layout, "secret", shot))
	all := eligible(grant(everyone, "secret", shot))
	for _, c := range []struct {
		name     string
		eligible []rolecall.Statement
		want     string
	}{
		{"the one furthest in", []rolecall.Statement{outer, piercing(own)}, " pierce until"},
		{"its own before that of a group", []rolecall.Statement{piercing(outer), team}, " pierce until"},
		{"that of a group before that of everyone", []rolecall.Statement{piercing(team), all}, " pierce until"},
		{"one without a condition", []rolecall.Statement{piercing(outer), conditional}, " pierce until"},
		{"its own under a condition before that of a group", []rolecall.Statement{conditional, team}, " when own until"},
		{"one of a group, without a condition", []rolecall.Statement{grantWhen(team, "own"), piercing(eligible(grant(layout, "secret", global)))}, " pierce until"},
	} {
		s := world{}.add(basicRoles...).add(member(ben, layout)).add(c.eligible...).snapshot(t).At(day(0))
		p, err := s.Propose(rolecall.Change{Edits: []rolecall.Edit{activation(ben, "secret", shot, 1)}})
		if err != nil {
			t.Errorf("%s: %v, want no error", c.name, err)
			continue
		}
		if got, want := p.Entry().Deltas[0].After.String(), "grant user:ben secret at /project:p/shot:s"+c.want+" 2026-03-02"; got != want {
			t.Errorf("%s: activated as %s, want %s", c.name, got, want)
		}
	}
}

// An eligible grant is taken up where it is valid from now until then, and only moves the end of what stands already, never
// to an earlier instant.
func TestActivationLasts(t *testing.T) {
	stands := eligible(grant(ben, "secret", project))
	later := stands
	later.NotBefore = day(1)
	soon := from(until(grant(ben, "secret", shot), 1), -1)
	for _, c := range []struct {
		name  string
		world []rolecall.Statement
		want  string // what stands then, nothing where it is refused
	}{
		{"for ever", []rolecall.Statement{stands}, "grant user:ben secret at /project:p/shot:s until 2026-03-03"},
		{"beside another role", []rolecall.Statement{eligible(grant(ben, "gagged", project)), stands, eligible(grant(ben, "worker", project))}, "grant user:ben secret at /project:p/shot:s until 2026-03-03"},
		{"as long as asked", []rolecall.Statement{until(stands, 2)}, "grant user:ben secret at /project:p/shot:s until 2026-03-03"},
		{"not as long", []rolecall.Statement{until(stands, 1)}, ""},
		{"not yet", []rolecall.Statement{later}, ""},
		{"as a member for a shorter time", []rolecall.Statement{eligible(grant(layout, "secret", project)), memberUntil(member(ben, layout), 1)}, ""},
		{"of another role", []rolecall.Statement{eligible(grant(ben, "worker", project))}, ""},
		{"what is no eligible grant", []rolecall.Statement{grant(ben, "secret", project)}, ""},
		{"what ends sooner", []rolecall.Statement{stands, piercing(soon)}, "grant user:ben secret at /project:p/shot:s pierce from 2026-02-28 until 2026-03-03"},
		{"what ends then", []rolecall.Statement{stands, until(soon, 2)}, "grant user:ben secret at /project:p/shot:s from 2026-02-28 until 2026-03-03"},
		{"what ends later", []rolecall.Statement{stands, until(soon, 3)}, "grant user:ben secret at /project:p/shot:s from 2026-02-28 until 2026-03-04"},
		{"what never ends", []rolecall.Statement{stands, grant(ben, "secret", shot)}, "grant user:ben secret at /project:p/shot:s"},
	} {
		s := world{}.add(basicRoles...).add(c.world...).snapshot(t).At(day(0))
		p, err := s.Propose(rolecall.Change{Edits: []rolecall.Edit{activation(ben, "secret", shot, 2)}})
		if c.want == "" {
			if !errors.Is(err, rolecall.ErrNotEligible) {
				t.Errorf("eligible %s: %v, want %s", c.name, err, rolecall.ErrNotEligible)
			}
			continue
		}
		if err != nil {
			t.Errorf("eligible %s: %v, want no error", c.name, err)
			continue
		}
		if got, _ := p.Next().Find(rolecall.KeyOf(grant(ben, "secret", shot))); got == nil || got.String() != c.want {
			t.Errorf("eligible %s: then stands %v, want %s", c.name, got, c.want)
		}
	}
}
