package rolecall_test

import (
	"errors"
	"testing"

	"github.com/rolecall-go/rolecall"
)

// Members of a group are looked at once where nothing tells them apart. Here something does, and who is looked at first
// gains something else than the other.
func TestMembersAreToldApart(t *testing.T) {
	pair := world{}.add(basicRoles...).add(member(ann, layout), member(ben, layout))
	gives := rolecall.Put(grant(layout, "worker", shot))
	for _, row := range []struct {
		name  string
		world world
		edits []rolecall.Edit
	}{
		{"suspended", pair.add(suspend(ben)), []rolecall.Edit{gives}},
		{"an exception", pair.add(override(ben, rolecall.Deny, "task.view", shot)), []rolecall.Edit{gives}},
		{"a grant", pair.add(grant(ben, "worker", global)), []rolecall.Edit{gives}},
		{"no longer a member", world{}.add(basicRoles...).add(member(ann, layout), memberUntil(member(ben, layout), 0)), []rolecall.Edit{gives}},
		{"in another group, too", pair.add(member(ben, crowds), override(crowds, rolecall.Deny, "task.view", shot), member(layout, animation)), []rolecall.Edit{gives}},
		{"leaves", pair, []rolecall.Edit{gives, rolecall.Remove(member(ben, layout))}},
	} {
		p, err := row.world.snapshot(t).At(day(0)).Plan(rolecall.Change{Edits: row.edits})
		if err != nil {
			t.Errorf("%s: Plan(%v): %v", row.name, row.edits, err)
			continue
		}
		if first, second := p.Gains(ann, seeTask, shot, nil), p.Gains(ben, seeTask, shot, nil); !first || second {
			t.Errorf("%s: Plan(%v): Gains(%s) = %t, Gains(%s) = %t, want true, false; policy:\n%s", row.name, row.edits, ann, first, ben, second, row.world)
		}
	}
}

// Of two members the first gains nothing by the change.
func TestTheGuardTellsMembersApart(t *testing.T) {
	amy := rolecall.User("amy")
	base := world{}.add(basicRoles...).add(grant(ann, "manager", global), override(ann, rolecall.Allow, "rolecall.*", shot),
		grant(layout, "secret", global), member(amy, crowds), member(ben, crowds))
	for _, row := range []struct {
		name  string
		world world
		edits []rolecall.Edit
	}{
		{"resumed", base.add(grant(crowds, "secret", global), suspend(ben)), []rolecall.Edit{rolecall.Put(grant(crowds, "secret", shot)), rolecall.Remove(suspend(ben))}},
		{"moves", base.add(override(crowds, rolecall.Forbid, "task.update", global)),
			[]rolecall.Edit{rolecall.Put(grant(crowds, "secret", shot)), rolecall.Remove(member(ben, crowds)), rolecall.Put(member(ben, layout))}},
	} {
		if err := proposeBy(t, row.world, ann, row.edits[0]); err != nil {
			t.Errorf("ann, %s: Propose(%s): %v, want no error", row.name, row.edits[0], err)
		}
		if err := proposeBy(t, row.world, ann, row.edits...); !errors.Is(err, rolecall.ErrEscalation) {
			t.Errorf("ann, %s: Propose(%v): got %v, want %v", row.name, row.edits, err, rolecall.ErrEscalation)
		}
	}
}
