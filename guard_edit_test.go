package rolecall_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rolecall-go/rolecall"
)

// Each kind of edit takes its permissions at its place (docs/administration.md): with them it passes, without one of them, or
// with one of them elsewhere only, it is not permitted.

// A taking is a permission that an edit takes, and where.
type taking struct {
	permission rolecall.Permission
	scope      rolecall.Scope
}

func (x taking) String() string { return x.permission.String() + " at " + x.scope.String() }

var (
	standingGrant    = until(grant(ben, "worker", project), 3)
	standingOverride = override(ben, rolecall.Deny, "task.view", project)
	standingMember   = memberUntil(member(ben, crowds), 3)
	standingPair     = rolecall.Constraint{Name: "pair", Kind: rolecall.Static, Limit: 2, Roles: []rolecall.RoleName{"worker", "spare"}}
)

// The world of the table: guest holds everything but permissions to manage, and is given some of these.
var tableWorld = world{}.add(basicRoles...).add(
	role("everything", rule(rolecall.Allow, "", "*")), piercing(grant(guest, "everything", global)),
	role("spare", rule(rolecall.Allow, "", "task.view")), role("idle"),
	standingGrant, standingOverride, standingMember, standingPair, suspend(bot), private(other), eligible(grant(ben, "idle", project)),
)

var editTable = []struct {
	name  string
	edit  rolecall.Edit
	takes []taking
}{
	{"create a role", rolecall.Put(role("r0")), []taking{{rolecall.RoleCreate, global}}},
	{"change a role", rolecall.Put(role("spare")), []taking{{rolecall.RoleUpdate, global}}},
	{"delete a role", rolecall.Remove(role("gagged")), []taking{{rolecall.RoleDelete, global}}},
	{"add a member", rolecall.Put(member(ben, layout)), []taking{{rolecall.MemberAdd, global}}},
	{"add a group to a group", rolecall.Put(member(crowds, layout)), []taking{{rolecall.MemberAdd, global}}},
	{"add a member as it is", rolecall.Put(standingMember), []taking{{rolecall.MemberAdd, global}}},
	{"change a membership", rolecall.Put(memberUntil(standingMember, 2)), []taking{{rolecall.MemberAdd, global}, {rolecall.MemberRemove, global}}},
	{"remove a member", rolecall.Remove(standingMember), []taking{{rolecall.MemberRemove, global}}},
	{"grant", rolecall.Put(grant(ben, "worker", shot)), []taking{{rolecall.GrantCreate, shot}}},
	{"grant on the instance", rolecall.Put(grant(ben, "worker", global)), []taking{{rolecall.GrantCreate, global}}},
	{"make eligible", rolecall.Put(eligible(grant(ben, "spare", shot))), []taking{{rolecall.GrantCreate, shot}}},
	{"change a grant", rolecall.Put(until(grant(ben, "worker", project), 2)), []taking{{rolecall.GrantCreate, project}, {rolecall.GrantDelete, project}}},
	{"revoke", rolecall.Remove(standingGrant), []taking{{rolecall.GrantDelete, project}}},
	{"override", rolecall.Put(override(ben, rolecall.Allow, "task.view", shot)), []taking{{rolecall.OverrideCreate, shot}}},
	{"change an override", rolecall.Put(override(ben, rolecall.Allow, "task.view", project)), []taking{{rolecall.OverrideCreate, project}, {rolecall.OverrideDelete, project}}},
	{"remove an override", rolecall.Remove(standingOverride), []taking{{rolecall.OverrideDelete, project}}},
	{"suspend", rolecall.Put(suspend(ben)), []taking{{rolecall.SubjectSuspend, global}}},
	{"resume", rolecall.Remove(suspend(bot)), []taking{{rolecall.SubjectSuspend, global}}},
	{"make private", rolecall.Put(private(project)), []taking{{rolecall.ScopePrivate, project}}},
	{"open", rolecall.Remove(private(other)), []taking{{rolecall.ScopePrivate, other}}},
	{"constrain", rolecall.Put(rolecall.Constraint{Name: "new", Kind: rolecall.Dynamic, Limit: 2, Roles: []rolecall.RoleName{"spare", "gagged"}}), []taking{{rolecall.ConstraintUpdate, global}}},
	{"change a constraint", rolecall.Put(rolecall.Constraint{Name: "pair", Kind: rolecall.Dynamic, Limit: 2, Roles: standingPair.Roles}), []taking{{rolecall.ConstraintUpdate, global}}},
	{"remove a constraint", rolecall.Remove(standingPair), []taking{{rolecall.ConstraintUpdate, global}}},
	{"forget a subject", rolecall.ForgetSubject(ben), []taking{{rolecall.SubjectForget, global}}},
	{"forget a scope", rolecall.ForgetScope(project), []taking{{rolecall.ScopeForget, project}}},
	{"activate for another", activation(ben, "idle", project, 1), []taking{{rolecall.GrantActivate, project}}},
	{"activate for another inside", activation(ben, "idle", shot, 1), []taking{{rolecall.GrantActivate, shot}}},
}

// holding gives guest these permissions, each where it says.
func (w world) holding(takes []taking) world {
	for _, t := range takes {
		w = w.put(override(guest, rolecall.Allow, rolecall.Pattern(t.permission.String()), t.scope))
	}
	return w
}

func proposeBy(t *testing.T, w world, actor rolecall.Subject, edits ...rolecall.Edit) error {
	t.Helper()
	_, err := w.snapshot(t).Propose(rolecall.Change{Meta: rolecall.Meta{Actor: actor, Time: day(0)}, Edits: edits})
	return err
}

func TestEachEditTakesItsPermissions(t *testing.T) {
	for _, row := range editTable {
		t.Run(row.name, func(t *testing.T) {
			if err := proposeBy(t, tableWorld.holding(row.takes), guest, row.edit); err != nil {
				t.Errorf("Propose(%s) by who holds %v: got %v, want no error", row.edit, row.takes, err)
			}
			for i, one := range row.takes {
				others := slices.Delete(slices.Clone(row.takes), i, i+1)
				for _, held := range [][]taking{others, append(others, one.elsewhere())} {
					if err := proposeBy(t, tableWorld.holding(held), guest, row.edit); !errors.Is(err, rolecall.ErrNotPermitted) {
						t.Errorf("Propose(%s) by who holds %v: got %v, want not-permitted", row.edit, held, err)
					}
				}
			}
		})
	}
}

// elsewhere is the same permission where it does not count: inside of Global, or beside the place.
func (x taking) elsewhere() taking {
	if x.scope == global {
		return taking{x.permission, project}
	}
	return taking{x.permission, x.scope.In("shot", "deeper")}
}

// Every other permission to manage together does not replace the one that an edit takes.
func TestNoOtherPermissionWillDo(t *testing.T) {
	var all []taking
	for p := range worldCatalog.Matching("rolecall.*") {
		all = append(all, taking{p, global})
	}
	for _, row := range editTable {
		if err := proposeBy(t, tableWorld.holding(all), guest, row.edit); err != nil {
			t.Errorf("Propose(%s) by who holds every permission to manage: got %v, want no error", row.edit, err)
		}
		for _, one := range row.takes {
			others := slices.DeleteFunc(slices.Clone(all), func(x taking) bool { return x.permission == one.permission })
			err := proposeBy(t, tableWorld.holding(others), guest, row.edit)
			if !errors.Is(err, rolecall.ErrNotPermitted) || !strings.Contains(err.Error(), "takes "+one.permission.String()+" at") {
				t.Errorf("Propose(%s) by who holds everything but %s: got %v, want not-permitted that says so", row.edit, one.permission, err)
			}
		}
	}
}

// A permission to manage counts with no condition holding, by now, and not while its holder is suspended. Whoever acts
// for somebody needs what both may do.
func TestPermissionsToManageAreUnconditional(t *testing.T) {
	allow := override(guest, rolecall.Allow, "rolecall.grant.create", project)
	later, ended := allow, allow
	later.NotBefore, ended.NotAfter = day(1), day(0)
	edit := rolecall.Put(grant(ben, "worker", shot))
	for _, row := range []struct {
		name     string
		world    world
		onBehalf rolecall.Subject
		want     error
	}{
		{"without a condition", tableWorld.put(allow), rolecall.Subject{}, nil},
		{"under a condition", tableWorld.put(overrideWhen(allow, "assigned")), rolecall.Subject{}, rolecall.ErrNotPermitted},
		{"from tomorrow on", tableWorld.put(later), rolecall.Subject{}, rolecall.ErrNotPermitted},
		{"until now", tableWorld.put(ended), rolecall.Subject{}, rolecall.ErrNotPermitted},
		{"suspended", tableWorld.put(allow, suspend(guest)), rolecall.Subject{}, rolecall.ErrNotPermitted},
		{"in a private place", tableWorld.put(allow, private(shot), piercing(grant(guest, "everything", shot))), rolecall.Subject{}, nil},
		{"for who may not", tableWorld.put(allow), ann, rolecall.ErrNotPermitted},
		{"for who may not give it", tableWorld.put(allow, grant(ann, "manager", global), override(ann, rolecall.Deny, "task.view", project)), ann, rolecall.ErrEscalation},
		{"for who may as well", tableWorld.put(allow, grant(ann, "manager", global)), ann, nil},
	} {
		_, err := row.world.snapshot(t).Propose(rolecall.Change{
			Meta: rolecall.Meta{Actor: guest, OnBehalf: row.onBehalf, Time: day(0)}, Edits: []rolecall.Edit{edit},
		})
		if !errors.Is(err, row.want) {
			t.Errorf("%s: Propose(%s): got %v, want %v", row.name, edit, err, row.want)
		}
	}
}

// Nobody is left in charge when no subject but a group may rolecall.grant.create at Global with no condition holding.
func TestLastAdministrator(t *testing.T) {
	boss := role("boss", rule(rolecall.Allow, "", "*", "rolecall.*", "rolecall.escalate"))
	alone := world{}.add(basicRoles...).add(boss, grant(ann, "boss", global))
	inGroup := world{}.add(basicRoles...).add(boss, grant(layout, "boss", global), member(ann, layout))
	second := rolecall.Put(grant(ben, "boss", global))
	for _, row := range []struct {
		name  string
		world world
		edits []rolecall.Edit
		want  error
	}{
		{"revokes the only grant", alone, []rolecall.Edit{rolecall.Remove(grant(ann, "boss", global))}, rolecall.ErrLastAdmin},
		{"ends it now", alone, []rolecall.Edit{rolecall.Put(until(grant(ann, "boss", global), 0))}, rolecall.ErrLastAdmin},
		{"hands it over", alone, []rolecall.Edit{second, rolecall.Remove(grant(ann, "boss", global))}, nil},
		{"hands it over, in the other order", alone, []rolecall.Edit{rolecall.Remove(grant(ann, "boss", global)), second}, nil},
		{"hands it to a group without members", alone, []rolecall.Edit{rolecall.Put(grant(layout, "boss", global)), rolecall.Remove(grant(ann, "boss", global))}, rolecall.ErrLastAdmin},
		{"hands it to a group with a member", alone.put(member(ben, layout)), []rolecall.Edit{rolecall.Put(grant(layout, "boss", global)), rolecall.Remove(grant(ann, "boss", global))}, nil},
		{"hands it to a suspended user", alone.put(suspend(ben)), []rolecall.Edit{second, rolecall.Remove(grant(ann, "boss", global))}, rolecall.ErrLastAdmin},
		{"hands it over under a condition", alone, []rolecall.Edit{rolecall.Put(grantWhen(grant(ben, "boss", global), "assigned")), rolecall.Remove(grant(ann, "boss", global))}, rolecall.ErrLastAdmin},
		{"hands it over as eligible", alone, []rolecall.Edit{rolecall.Put(eligible(grant(ben, "boss", global))), rolecall.Remove(grant(ann, "boss", global))}, rolecall.ErrLastAdmin},
		{"hands it over on a project", alone, []rolecall.Edit{rolecall.Put(grant(ben, "boss", project)), rolecall.Remove(grant(ann, "boss", global))}, rolecall.ErrLastAdmin},
		{"hands it to everyone", alone, []rolecall.Edit{rolecall.Put(grant(everyone, "boss", global)), rolecall.Remove(grant(ann, "boss", global))}, nil},
		{"suspends itself", alone, []rolecall.Edit{rolecall.Put(suspend(ann))}, rolecall.ErrLastAdmin},
		{"forgets itself", alone, []rolecall.Edit{rolecall.ForgetSubject(ann)}, rolecall.ErrLastAdmin},
		{"forgets the instance", alone, []rolecall.Edit{rolecall.ForgetScope(global)}, rolecall.ErrLastAdmin},
		{"empties the role", alone, []rolecall.Edit{rolecall.Put(role("boss"))}, rolecall.ErrLastAdmin},
		{"denies itself", alone, []rolecall.Edit{rolecall.Put(override(ann, rolecall.Deny, "rolecall.*", global))}, rolecall.ErrLastAdmin},
		{"forbids everyone", alone, []rolecall.Edit{rolecall.Put(override(everyone, rolecall.Forbid, "rolecall.grant.create", global))}, rolecall.ErrLastAdmin},
		{"denies everyone, which is farther", alone, []rolecall.Edit{rolecall.Put(override(everyone, rolecall.Deny, "rolecall.grant.create", global))}, nil},
		{"replaces itself", alone, []rolecall.Edit{rolecall.Put(replacing(grant(ann, "worker", global)))}, nil},
		{"leaves the group of administrators", inGroup, []rolecall.Edit{rolecall.Remove(member(ann, layout))}, rolecall.ErrLastAdmin},
		{"suspends the group of administrators", inGroup, []rolecall.Edit{rolecall.Put(suspend(layout))}, rolecall.ErrLastAdmin},
		{"replaces what its group gives", inGroup, []rolecall.Edit{rolecall.Put(replacing(grant(ann, "worker", global)))}, rolecall.ErrLastAdmin},
		{"the other one is in a group in the group", inGroup.add(member(crowds, layout), member(ben, crowds)), []rolecall.Edit{rolecall.Remove(member(ann, layout))}, nil},
		{"the other one has it by an exception", alone.put(override(ben, rolecall.Allow, "rolecall.grant.create", global)), []rolecall.Edit{rolecall.Remove(grant(ann, "boss", global))}, nil},
		{"the other one has it in a project only", alone.put(grant(ben, "boss", project)), []rolecall.Edit{rolecall.Remove(grant(ann, "boss", global))}, rolecall.ErrLastAdmin},
		{"the other one has it under a condition", alone.put(grantWhen(grant(ben, "boss", global), "own")), []rolecall.Edit{rolecall.Remove(grant(ann, "boss", global))}, rolecall.ErrLastAdmin},
		{"the other one is suspended", alone.put(grant(ben, "boss", global), suspend(ben)), []rolecall.Edit{rolecall.Remove(grant(ann, "boss", global))}, rolecall.ErrLastAdmin},
		{"everyone has it", alone.put(grant(everyone, "boss", global)), []rolecall.Edit{rolecall.Remove(grant(ann, "boss", global))}, nil},
		{"does something else", alone, []rolecall.Edit{rolecall.Put(private(project))}, nil},
		{"the other one stands behind others", alone.put(grant(ben, "worker", global), grant(bot, "boss", global)), []rolecall.Edit{rolecall.Remove(grant(ann, "boss", global))}, nil},
		{"the other one is in a group behind others", alone.put(grant(crowds, "worker", global), grant(layout, "boss", global), member(ben, layout)), []rolecall.Edit{rolecall.Remove(grant(ann, "boss", global))}, nil},
		{"one of two goes", alone.put(grant(bot, "boss", global)), []rolecall.Edit{rolecall.Remove(grant(ann, "boss", global))}, nil},
	} {
		if err := proposeBy(t, row.world, ann, row.edits...); !errors.Is(err, row.want) {
			t.Errorf("ann %s: got %v, want %v", row.name, err, row.want)
		}
		host := rolecall.Change{Meta: rolecall.Meta{Time: day(0)}, Edits: row.edits}
		if _, err := row.world.snapshot(t).Propose(host); err != nil {
			t.Errorf("the host, where ann %s: got %v, want no error", row.name, err)
		}
	}
	revoke := rolecall.Remove(grant(ann, "boss", global))
	if err := proposeBy(t, alone.put(grant(layout, "boss", global)), layout, revoke); !errors.Is(err, rolecall.ErrLastAdmin) {
		t.Errorf("Propose(%s by a group without members): got %v, want %s", revoke, err, rolecall.ErrLastAdmin)
	}
}

// A policy in which nobody is in charge to begin with can be changed by those who may.
func TestNobodyInChargeBefore(t *testing.T) {
	w := world{}.add(basicRoles...).add(grant(ann, "manager", project))
	if err := proposeBy(t, w, ann, rolecall.Put(grant(ben, "worker", shot))); err != nil {
		t.Errorf("Propose by a project's manager where nobody manages the instance: got %v, want no error", err)
	}
}

// What an actor has is what it has there and then, not what is allowed to it somewhere: what a Replace, a denial, a
// suspended group or privacy takes away, it cannot give. Nor does somebody have already what they are kept from.
func TestWhatIsTakenAwayIsNotGiven(t *testing.T) {
	base := world{}.add(basicRoles...).add(grant(ann, "manager", global), override(ann, rolecall.Allow, "rolecall.*", shot))
	give := rolecall.Put(grant(ben, "secret", shot))
	holds := base.add(grant(ann, "secret", global))
	looks := piercing(grant(ann, "worker", global))
	listedRole := role("listed", rule(rolecall.Allow, "", "task.view", "task.update", "task.status.update"))
	listed := base.add(listedRole, grant(ann, "listed", global))
	closer := role("closer", rule(rolecall.Allow, "", "rolecall.scope.private"))
	wide, starry := role("wide", rule(rolecall.Allow, "", "task.*")), role("starry", rule(rolecall.Allow, "", "shot.*"))
	never, moody, owner := role("never", rule(rolecall.Forbid, "", "task.update")), role("moody", rule(rolecall.Deny, "own", "task.update")), role("owner", rule(rolecall.Allow, "own", "task.update"))
	for _, row := range []struct {
		name  string
		world world
		edit  rolecall.Edit
		want  error
	}{
		{"holds it", holds, give, nil},
		{"replaced by itself", holds.add(replacing(grant(ann, "worker", project))), give, rolecall.ErrEscalation},
		{"replaced inside", holds.add(replacing(grant(ann, "worker", shot.In("task", "t")))), give, rolecall.ErrEscalation},
		{"denied", holds.add(override(ann, rolecall.Deny, "task.update", project)), give, rolecall.ErrEscalation},
		{"denied by a role", holds.add(grant(ann, "gagged", shot)), give, rolecall.ErrEscalation},
		{"denied under a condition", holds.add(overrideWhen(override(ann, rolecall.Deny, "task.update", project), "own")), give, rolecall.ErrEscalation},
		{"through a suspended group", base.add(grant(layout, "secret", global), member(ann, layout), suspend(layout)), give, rolecall.ErrEscalation},
		{"through a group", base.add(grant(layout, "secret", global), member(ann, layout)), give, nil},
		{"through a group for a while", base.add(grant(layout, "secret", global), memberUntil(member(ann, layout), 1)), give, rolecall.ErrEscalation},
		{"from outside a private place", holds.add(private(shot)), give, rolecall.ErrEscalation},
		{"into a private place", base.add(piercing(grant(ann, "secret", global)), private(shot)), give, nil},
		{"holds it by an exception", base.add(override(ann, rolecall.Allow, "task.*", project)), give, nil},
		{"holds it by an exception under a condition", base.add(overrideWhen(override(ann, rolecall.Allow, "task.*", project), "own")), give, rolecall.ErrEscalation},
		{"holds it by an exception for a while", base.add(overrideUntil(override(ann, rolecall.Allow, "task.*", project), 1)), give, rolecall.ErrEscalation},
		{"holds it under the same condition", base.add(grantWhen(grant(ann, "secret", global), "own")), rolecall.Put(grantWhen(grant(ben, "secret", shot), "own")), nil},
		{"holds it under another condition", base.add(grantWhen(grant(ann, "secret", global), "own")), rolecall.Put(grantWhen(grant(ben, "secret", shot), "assigned")), rolecall.ErrEscalation},
		{"holds it as long", base.add(until(grant(ann, "secret", global), 2)), rolecall.Put(until(grant(ben, "secret", shot), 2)), nil},
		{"denied to everyone nearby", holds.add(override(everyone, rolecall.Deny, "task.update", project)), give, rolecall.ErrEscalation},
		{"pierces what lies deep inside", holds.add(private(shot.In("task", "t").In("task", "t"))), rolecall.Put(piercing(grant(ben, "secret", project))), rolecall.ErrEscalation},
		{"pierces what lies elsewhere", holds.add(private(sibling)), rolecall.Put(piercing(grant(ben, "secret", project))), nil},
		{"gives one of two that a group has", base.add(grant(layout, "secret", project), grant(layout, "worker", project)), rolecall.Put(member(ben, layout)), rolecall.ErrEscalation},
		{"gives the other of two that a group has", base.add(grant(layout, "worker", project), grant(layout, "secret", project)), rolecall.Put(member(ben, layout)), rolecall.ErrEscalation},
		{"makes everyone eligible for what some are denied", base.add(grant(everyone, "secret", global), override(ann, rolecall.Deny, "task.update", global), override(ben, rolecall.Deny, "task.update", global)),
			rolecall.Put(eligible(grant(everyone, "secret", global))), rolecall.ErrEscalation},
		{"makes a group eligible for what a member is denied", base.add(grant(layout, "secret", global), member(ben, layout), override(ben, rolecall.Deny, "task.update", global)),
			rolecall.Put(eligible(grant(layout, "secret", global))), rolecall.ErrEscalation},
		{"makes a group eligible for what a group in it is denied", base.add(grant(layout, "secret", global), member(crowds, layout), override(crowds, rolecall.Deny, "task.update", global)),
			rolecall.Put(eligible(grant(layout, "secret", global))), rolecall.ErrEscalation},
		{"lifts what kept somebody from what their group has inside", base.add(grant(layout, "secret", other), member(ben, layout), override(ben, rolecall.Deny, "task.update", sibling)),
			rolecall.Remove(override(ben, rolecall.Deny, "task.update", sibling)), rolecall.ErrEscalation},
		{"lifts what kept somebody from what everyone has inside", base.add(grant(everyone, "secret", other), override(ben, rolecall.Deny, "task.update", sibling), override(ann, rolecall.Deny, "task.update", sibling)),
			rolecall.Remove(override(ben, rolecall.Deny, "task.update", sibling)), rolecall.ErrEscalation},
		{"lifts from a group what it has there but not inside", holds.add(override(ann, rolecall.Deny, "task.update", shot), override(layout, rolecall.Deny, "task.update", project)),
			rolecall.Remove(override(layout, rolecall.Deny, "task.update", project)), rolecall.ErrEscalation},
		{"denied inside, where it may escalate", holds.add(override(ann, rolecall.Deny, "task.update", shot), override(ann, rolecall.Allow, "rolecall.escalate", shot)), rolecall.Put(grant(ben, "secret", project)), nil},
		{"overrides what a group is denied there, having it there but not inside", holds.add(override(ann, rolecall.Deny, "task.update", shot), role("gag", rule(rolecall.Deny, "", "task.update")), grant(layout, "gag", project), override(everyone, rolecall.Deny, "task.update", shot)),
			rolecall.Put(override(layout, rolecall.Allow, "task.update", project)), rolecall.ErrEscalation},
		{"overrides further in what a group is denied, having it there but not further", holds.add(override(ann, rolecall.Deny, "task.update", shot), override(layout, rolecall.Deny, "task.update", global), override(everyone, rolecall.Deny, "task.update", shot)),
			rolecall.Put(override(layout, rolecall.Allow, "task.update", project)), rolecall.ErrEscalation},
		{"denies a group nearer what it is denied", base.add(override(layout, rolecall.Deny, "task.update", global)), rolecall.Put(override(layout, rolecall.Deny, "task.update", project)), nil},
		{"takes from a group one of two denials of which the nearer one is left", base.add(override(layout, rolecall.Deny, "task.update", project), override(layout, rolecall.Deny, "task.*", project)), rolecall.Remove(override(layout, rolecall.Deny, "task.update", project)), nil},
		{"denies in a role what was denied, more strictly", base.add(role("gag", rule(rolecall.Deny, "", "task.*")), grant(layout, "gag", project)), rolecall.Put(role("gag", rule(rolecall.Forbid, "", "task.*"))), nil},
		{"forbidden by a role", holds.add(never, grant(ann, "never", shot)), give, rolecall.ErrEscalation},
		{"lifts what a role forbade a group", base.add(never, grant(layout, "never", shot)), rolecall.Remove(grant(layout, "never", shot)), rolecall.ErrEscalation},
		{"lifts what a role forbade somebody", base.add(never, grant(ben, "never", shot), grant(ben, "secret", global)), rolecall.Remove(grant(ben, "never", shot)), rolecall.ErrEscalation},
		{"denied by a role under a condition", holds.add(moody, grant(ann, "moody", shot)), give, rolecall.ErrEscalation},
		{"lifts what a role denied somebody under a condition", base.add(moody, grant(ben, "moody", shot), grant(ben, "secret", global)), rolecall.Remove(grant(ben, "moody", shot)), rolecall.ErrEscalation},
		{"gives a role that allows under a condition", base.add(owner), rolecall.Put(grant(ben, "owner", shot)), rolecall.ErrEscalation},
		{"gives a role that allows under a condition, having it", base.add(owner, grant(ann, "owner", global)), rolecall.Put(grant(ben, "owner", shot)), nil},
		{"through a suspended group, by an exception", base.add(override(layout, rolecall.Allow, "task.update", global), member(ann, layout), suspend(layout)), give, rolecall.ErrEscalation},
		{"through a group for a while, by an exception", base.add(override(layout, rolecall.Allow, "task.update", global), memberUntil(member(ann, layout), 1)), give, rolecall.ErrEscalation},
		{"pierces what lies inside", holds.add(private(shot)), rolecall.Put(piercing(grant(ben, "secret", project))), rolecall.ErrEscalation},
		{"pierces what lies right inside", holds.add(private(other)), rolecall.Put(piercing(grant(ben, "secret", sibling))), rolecall.ErrEscalation},
		{"pierces where it manages", base.add(closer, until(grant(ann, "closer", global), 2), private(other)), rolecall.Put(until(piercing(grant(ben, "closer", sibling)), 2)), nil},
		{"pierces from the top", holds.add(private(sibling)), rolecall.Put(piercing(grant(ben, "secret", global))), rolecall.ErrEscalation},
		{"pierces from the top, having it", base.add(piercing(grant(ann, "secret", global)), private(sibling)), rolecall.Put(piercing(grant(ben, "secret", global))), nil},
		{"gives later what it has now", base.add(until(grant(ann, "secret", global), 1)), rolecall.Put(from(grant(ben, "secret", shot), 2)), rolecall.ErrEscalation},
		{"makes a group eligible for what somebody in a group in it is denied", base.add(grant(layout, "secret", global), member(crowds, layout), member(ben, crowds), override(ben, rolecall.Deny, "task.update", global)),
			rolecall.Put(eligible(grant(layout, "secret", global))), rolecall.ErrEscalation},
		{"has a star", base.add(wide, grant(ann, "wide", global)), rolecall.Put(grant(ben, "wide", shot)), nil},
		{"has a wider star", base.add(wide, override(ann, rolecall.Allow, "*", global)), rolecall.Put(grant(ben, "wide", shot)), nil},
		{"has another star", listed.add(wide, override(ann, rolecall.Allow, "*.update", global)), rolecall.Put(grant(ben, "wide", shot)), rolecall.ErrEscalation},
		{"denied some of what is declared later", base.add(wide, grant(ann, "wide", global), override(ann, rolecall.Deny, "task.*.approve", project)), rolecall.Put(grant(ben, "wide", shot)), rolecall.ErrEscalation},
		{"denied by a role some of what is declared later", base.add(wide, grant(ann, "wide", global), role("timid", rule(rolecall.Deny, "", "task.*.approve")), grant(ann, "timid", project)), rolecall.Put(grant(ben, "wide", shot)), rolecall.ErrEscalation},
		{"excepted from some of what is declared later", base.add(wide, role("careful", rule(rolecall.Allow, "", "task.*"), rule(rolecall.Except, "", "task.*.approve")), grant(ann, "careful", global)),
			rolecall.Put(grant(ben, "wide", shot)), rolecall.ErrEscalation},
		{"excepted from what is given to who is excepted", base.add(role("careful", rule(rolecall.Allow, "", "task.*"), rule(rolecall.Except, "", "task.*.approve")), grant(ann, "careful", global)),
			rolecall.Put(grant(ben, "careful", shot)), nil},
		{"has the star under a condition", listed.add(wide, role("sometimes", rule(rolecall.Allow, "own", "task.*")), grant(ann, "sometimes", global)), rolecall.Put(grant(ben, "wide", shot)), rolecall.ErrEscalation},
		{"lacks the second of two kinds of what is declared later", base.add(role("updates", rule(rolecall.Allow, "", "*.update")), grant(ann, "updates", global), override(ann, rolecall.Deny, "shot.*.update", global)),
			rolecall.Put(grant(ben, "updates", shot)), rolecall.ErrEscalation},
		{"lets go of a Replace, and of what is declared later", listed.add(wide, grant(ben, "wide", global), replacing(grant(ben, "worker", shot))), rolecall.Remove(replacing(grant(ben, "worker", shot))), rolecall.ErrEscalation},
		{"widens a role by inheriting what is declared later", listed.add(wide, grant(ben, "listed", shot)), rolecall.Put(rolecall.Role{Name: "listed", Inherits: []rolecall.RoleName{"wide"}, Rules: listedRole.Rules}), rolecall.ErrEscalation},
		{"widens a role that has a star by another one", listed.add(starry, grant(ann, "starry", global), grant(ben, "starry", shot)), rolecall.Put(role("starry", rule(rolecall.Allow, "", "shot.*", "task.*"))), rolecall.ErrEscalation},
		{"softens a role that gags a group", base.add(grant(layout, "gagged", shot)), rolecall.Put(role("gagged")), rolecall.ErrEscalation},
		{"softens a role that gags a group through another one", base.add(rolecall.Role{Name: "mute", Inherits: []rolecall.RoleName{"gagged"}}, grant(layout, "mute", shot)), rolecall.Put(role("gagged")), rolecall.ErrEscalation},
		{"softens a role that gags somebody who has nothing", base.add(grant(ben, "gagged", shot)), rolecall.Put(role("gagged")), nil},
		{"softens a role that gags nobody", base.add(grant(layout, "worker", shot)), rolecall.Put(role("gagged")), nil},
		{"softens a role that gags somebody who has it otherwise", base.add(grant(ben, "gagged", shot), grant(ben, "secret", global)), rolecall.Put(role("gagged")), rolecall.ErrEscalation},
		{"widens a role by what is declared later", listed.add(grant(ben, "listed", shot)), rolecall.Put(role("listed", rule(rolecall.Allow, "", "task.*"))), rolecall.ErrEscalation},
		{"widens a role by what is declared later, having it", listed.add(grant(ben, "listed", shot), override(ann, rolecall.Allow, "task.*", global)), rolecall.Put(role("listed", rule(rolecall.Allow, "", "task.*"))), nil},
		{"widens a role that another one inherits", base.add(rolecall.Role{Name: "heir", Inherits: []rolecall.RoleName{"worker"}}, grant(ben, "heir", shot)), rolecall.Put(role("worker", rule(rolecall.Allow, "", "task.view", "task.update"))), rolecall.ErrEscalation},
		{"widens a role that is only made eligible", base.add(eligible(grant(ben, "worker", shot))), rolecall.Put(role("worker", rule(rolecall.Allow, "", "task.view", "task.update"))), rolecall.ErrEscalation},
		{"lets in by an exception of the group", base.add(override(layout, rolecall.Allow, "task.update", shot)), rolecall.Put(member(ben, layout)), rolecall.ErrEscalation},
		{"lets out of a group that is gagged by an exception", base.add(override(layout, rolecall.Deny, "task.update", shot), member(ben, layout), grant(ben, "secret", global)), rolecall.Remove(member(ben, layout)), rolecall.ErrEscalation},
		{"lets out of a group that is gagged by a role", base.add(grant(layout, "gagged", shot), member(ben, layout), grant(ben, "secret", global)), rolecall.Remove(member(ben, layout)), rolecall.ErrEscalation},
		{"lets out of a group that replaces", base.add(replacing(grant(layout, "worker", shot)), grant(everyone, "secret", global), override(ann, rolecall.Deny, "task.update", shot), member(ben, layout)), rolecall.Remove(member(ben, layout)), rolecall.ErrEscalation},
		{"lets out of a group that is gagged, who has nothing", base.add(override(layout, rolecall.Deny, "task.update", shot), member(ben, layout)), rolecall.Remove(member(ben, layout)), nil},
		{"makes a group nearer than another one that is gagged", base.add(grant(crowds, "secret", shot), override(layout, rolecall.Deny, "task.update", shot), member(ben, crowds), member(ben, layout), override(ann, rolecall.Deny, "task.update", shot)),
			rolecall.Put(member(crowds, layout)), rolecall.ErrEscalation},
		{"makes a group that replaces no longer nearer", base.add(replacing(grant(crowds, "worker", shot)), grant(layout, "secret", shot), member(ben, crowds), member(ben, layout), member(crowds, layout)),
			rolecall.Remove(member(crowds, layout)), rolecall.ErrEscalation},
		{"opens a place to what is said above it", base.add(grant(ben, "secret", project), private(shot), looks), rolecall.Remove(private(shot)), rolecall.ErrEscalation},
		{"opens a place to what a group has above it", base.add(grant(layout, "secret", project), private(shot), looks), rolecall.Remove(private(shot)), rolecall.ErrEscalation},
		{"opens a place to an exception above it", base.add(override(ben, rolecall.Allow, "task.update", project), private(shot), looks), rolecall.Remove(private(shot)), rolecall.ErrEscalation},
		{"opens a place, having what is inside", base.add(grant(ben, "secret", project), private(shot), looks, piercing(grant(ann, "secret", global))), rolecall.Remove(private(shot)), nil},
		{"opens a place to who had it anyway", base.add(piercing(grant(ben, "secret", project)), private(shot), looks), rolecall.Remove(private(shot)), nil},
		{"opens a place to what is said inside", base.add(grant(ben, "secret", shot), private(shot), looks), rolecall.Remove(private(shot)), nil},
		{"lifts from a group what is declared later, too", listed.add(grant(layout, "gagged", shot)), rolecall.Remove(grant(layout, "gagged", shot)), rolecall.ErrEscalation},
		{"lifts an exception from a group, what is declared later, too", listed.add(override(layout, rolecall.Deny, "task.*", shot)), rolecall.Remove(override(layout, rolecall.Deny, "task.*", shot)), rolecall.ErrEscalation},
		{"lifts from a group what it has, later too", listed.add(override(ann, rolecall.Allow, "task.*", project), grant(layout, "gagged", shot)), rolecall.Remove(grant(layout, "gagged", shot)), nil},
		{"takes a group out of one that is gagged", base.add(override(layout, rolecall.Deny, "task.update", shot), member(crowds, layout)), rolecall.Remove(member(crowds, layout)), rolecall.ErrEscalation},
		{"takes a group out of one that is gagged, having it", holds.add(override(layout, rolecall.Deny, "task.update", shot), member(crowds, layout)), rolecall.Remove(member(crowds, layout)), nil},
		{"takes a group out of one of two ways to be gagged", base.add(override(animation, rolecall.Deny, "task.update", shot), member(crowds, layout), member(layout, animation), member(crowds, animation)), rolecall.Remove(member(crowds, animation)), nil},
		{"resumes who has it as everyone has", base.add(grant(everyone, "secret", global), override(ann, rolecall.Deny, "task.update", shot), suspend(ben)), rolecall.Remove(suspend(ben)), rolecall.ErrEscalation},
		{"resumes who has what everyone has", base.add(grant(everyone, "secret", global), suspend(ben)), rolecall.Remove(suspend(ben)), nil},
		{"resumes who has it", base.add(grant(ben, "secret", global), suspend(ben)), rolecall.Remove(suspend(ben)), rolecall.ErrEscalation},
		{"resumes a group that has it", base.add(grant(layout, "secret", global), suspend(layout)), rolecall.Remove(suspend(layout)), rolecall.ErrEscalation},
		{"makes not replaced who has it", base.add(grant(ben, "secret", global), replacing(grant(ben, "worker", shot))), rolecall.Put(grant(ben, "worker", shot)), rolecall.ErrEscalation},
		{"lengthens", base.add(until(grant(ben, "secret", shot), 1)), rolecall.Put(until(grant(ben, "secret", shot), 2)), rolecall.ErrEscalation},
		{"shortens", base.add(until(grant(ben, "secret", shot), 2)), rolecall.Put(until(grant(ben, "secret", shot), 1)), nil},
		{"pierces", base.add(grant(ben, "secret", project), private(shot), override(ann, rolecall.Allow, "rolecall.*", project)), rolecall.Put(piercing(grant(ben, "secret", project))), rolecall.ErrEscalation},
	} {
		if err := proposeBy(t, row.world, ann, row.edit); !errors.Is(err, row.want) {
			t.Errorf("ann, %s: Propose(%s): got %v, want %v", row.name, row.edit, err, row.want)
		}
	}
}

// A refusal names what is missing at the outermost places, a few of it in its text.
func TestMissingIsCompact(t *testing.T) {
	w := world{}.add(basicRoles...).add(role("pair", rule(rolecall.Allow, "", "task.update", "shot.view")), grant(animation, "pair", project), grant(animation, "pair", sibling), grant(studio, "secret", shot))
	w = w.add(grant(ann, "people", global), grant(layout, "secret", project), grant(layout, "secret", shot), grant(layout, "secret", sibling), grant(crowds, "manager", project))
	const pair = "shot.view at /project:p, shot.view at /project:p2, task.update at /project:p, task.update at /project:p2"
	for _, row := range []struct {
		edits []rolecall.Edit
		want  string
	}{
		{[]rolecall.Edit{rolecall.Put(member(ben, animation))}, pair},
		{[]rolecall.Edit{rolecall.Put(member(ben, animation)), rolecall.Put(member(bot, studio))}, pair},
		{[]rolecall.Edit{rolecall.Put(member(bot, animation)), rolecall.Put(member(ben, studio))}, pair},
		{[]rolecall.Edit{rolecall.Put(member(ben, layout))}, "task.update at /project:p, task.update at /project:p2"},
		{[]rolecall.Edit{rolecall.Put(member(ben, crowds))}, "rolecall.grant.activate at /project:p, rolecall.grant.create at /project:p, rolecall.grant.delete at /project:p, rolecall.override.create at /project:p, " +
			"rolecall.override.delete at /project:p, rolecall.role.create at /project:p, rolecall.role.delete at /project:p, rolecall.role.update at /project:p, and more"},
	} {
		err := proposeBy(t, w, ann, row.edits...)
		if err == nil || !strings.Contains(err.Error(), "may not do: "+row.want+`: "user:ann"`) {
			t.Errorf("Propose(%v): got %v, want it to say %q", row.edits, err, row.want)
		}
	}
}

// Many patterns are told apart as few are.
func TestManyStars(t *testing.T) {
	var all []rolecall.Pattern
	for _, kind := range strings.Split("abcdefghijklmnopqrstuvwxyz", "") {
		all = append(all, rolecall.Pattern(kind+".*.x"))
	}
	all[0] = "a.*"
	w := world{}.add(basicRoles...).add(grant(ann, "manager", global), role("all", rule(rolecall.Allow, "", all...)), overrideWhen(override(ann, rolecall.Deny, "zz.*", global), "own"))
	for _, missing := range []int{0, 16, 25} {
		some := slices.Delete(slices.Clone(all), missing, missing+1)
		if err := proposeBy(t, w.add(role("some", rule(rolecall.Allow, "", some...)), grant(ann, "some", global)), ann, rolecall.Put(grant(ben, "all", shot))); !errors.Is(err, rolecall.ErrEscalation) {
			t.Errorf("Propose by who lacks %s: got %v, want escalation", all[missing], err)
		}
	}
	if err := proposeBy(t, w.add(grant(ann, "all", global)), ann, rolecall.Put(grant(ben, "all", shot))); err != nil {
		t.Errorf("Propose by who lacks none of %d patterns: got %v, want no error", len(all), err)
	}
}

// Where the answers to conditions are too many to try, it cannot be told that nobody climbs.
func TestManyConditionsOfAChange(t *testing.T) {
	for many, want := range map[int]error{8: nil, 9: rolecall.ErrEscalation} {
		d := worldCatalog.Declarations()
		statements := append(slices.Clone(basicRoles), grant(ann, "manager", global))
		var edits []rolecall.Edit
		for n := range many {
			c := rolecall.Condition(fmt.Sprint("c", n))
			d.Conditions = append(d.Conditions, rolecall.ConditionDecl{Condition: c})
			statements = append(statements, grantWhen(grant(ann, "secret", project), c))
			edits = append(edits, rolecall.Put(grantWhen(grant(ben, "secret", shot), c)))
		}
		c, err := rolecall.NewCatalog(d)
		if err != nil {
			t.Fatal(err)
		}
		_, err = snapshotOf(t, c, statements...).Propose(rolecall.Change{Meta: rolecall.Meta{Actor: ann}, Edits: edits})
		if !errors.Is(err, want) || err != nil && !strings.Contains(err.Error(), "too many conditions") {
			t.Errorf("Propose(%d grants under conditions that the actor has, too): %v, want %v", many, err, want)
		}
	}
}

// TestManyWaysDown: 60 floors of two groups, each in both of the floor below. There are more ways down than could be gone
// one by one, and few subjects.
func TestManyWaysDown(t *testing.T) {
	group := func(floor, n int) rolecall.Subject { return rolecall.Group(fmt.Sprint(floor, "-", n)) }
	w := world{}.add(basicRoles...).add(role("boss", rule(rolecall.Allow, "", "rolecall.grant.*")), grant(ann, "people", global), grant(group(0, 0), "boss", global))
	for floor := range 60 {
		for n := range 4 {
			w = w.add(member(group(floor+1, n/2), group(floor, n%2)))
		}
	}
	alone := w.add(member(ben, group(60, 1)))
	for _, row := range []struct {
		name  string
		world world
		actor rolecall.Subject
		edit  rolecall.Edit
		want  error
	}{
		{"gives everybody in them what the actor has not", alone, ben, rolecall.Put(grant(group(0, 0), "worker", global)), rolecall.ErrEscalation},
		{"takes the last member", alone, ann, rolecall.Remove(member(ben, group(60, 1))), rolecall.ErrLastAdmin},
		{"takes the last member but one", alone.add(member(bot, group(60, 0))), ann, rolecall.Remove(member(ben, group(60, 1))), nil},
	} {
		if err := proposeBy(t, row.world, row.actor, row.edit); !errors.Is(err, row.want) {
			t.Errorf("%s: got %v, want %v", row.name, err, row.want)
		}
	}
}
