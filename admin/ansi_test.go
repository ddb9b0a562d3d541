package admin_test

import (
	"context"
	"maps"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/admin"
)

const ansiPolicy = `role junior
  allow task.view
role senior
  inherits junior
  allow budget.view
constraint pay static 2 of artist accountant
constraint hats dynamic 2 of artist viewer
grant user:ivy senior at /
grant user:ivy viewer at /project:beta
member user:left of group:finance until 2026-01-01
`

func pair(name string, kind rolecall.ConstraintKind, limit int, roles ...rolecall.RoleName) rolecall.Constraint {
	return rolecall.Constraint{Name: name, Kind: kind, Limit: limit, Roles: roles}
}

// An ansiBench is a bench with root as the administrator of the standard.
type ansiBench struct {
	bench
	ctx  context.Context
	root *admin.Editor
}

func (b ansiBench) refused(want rolecall.Code) func(rolecall.Revision, error) {
	return func(_ rolecall.Revision, err error) {
		b.t.Helper()
		wantErr(b.t, "the edit", err, want)
	}
}

func equal[S ~[]E, E comparable](t *testing.T, got S, want ...E) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func (b ansiBench) session(roles ...rolecall.RoleName) admin.Session {
	return must[admin.Session](b.t)(admin.OpenSession(b.snapshot(), ivy, roles...))
}

func permissions(names ...string) []rolecall.Permission {
	var list []rolecall.Permission
	for _, name := range names {
		list = append(list, rolecall.NewPermission(name))
	}
	return list
}

// ansi has an example of each function of ANSI INCITS 359-2012.
var ansi = map[string]func(ansiBench){
	// Core RBAC
	"AddUser": func(b ansiBench) {
		b.ok(b.root.Onboard(b.ctx, admin.Arrival{Subject: cleo, Roles: []rolecall.Grant{{Role: "viewer", Scope: alpha}}}))
		b.refused(rolecall.ErrInvalid)(b.root.Onboard(b.ctx, admin.Arrival{Subject: cleo}))
	},
	"DeleteUser": func(b ansiBench) {
		b.ok(b.root.ForgetSubject(b.ctx, ivy))
		b.mustNotHave("user:ivy")
	},
	"AddRole": func(b ansiBench) {
		b.ok(b.root.CreateRole(b.ctx, rolecall.Role{Name: "new"}))
		b.refused(rolecall.ErrInvalid)(b.root.CreateRole(b.ctx, rolecall.Role{Name: "new"}))
	},
	"DeleteRole": func(b ansiBench) {
		b.refused(rolecall.ErrInUse)(b.root.DeleteRole(b.ctx, "senior"))
		b.ok(b.root.DeleteRoleAndUses(b.ctx, "senior"))
		b.mustNotHave("senior")
	},
	"AssignUser":   func(b ansiBench) { b.ok(b.root.Grant(b.ctx, grantOf(cleo, "junior", alpha))) },
	"DeassignUser": func(b ansiBench) { b.ok(b.root.Revoke(b.ctx, grantOf(ivy, "senior", rolecall.Global()))) },
	"GrantPermission": func(b ansiBench) {
		b.ok(b.root.AddRule(b.ctx, "junior", rolecall.Rule{Effect: rolecall.Allow, Patterns: []rolecall.Pattern{"task.update"}}))
		equal(b.t, must[[]rolecall.Permission](b.t)(admin.RolePermissions(b.snapshot(), "junior")), permissions("task.update", "task.view")...)
	},
	"RevokePermission": func(b ansiBench) {
		b.ok(b.root.RemoveRule(b.ctx, "junior", rolecall.Rule{Effect: rolecall.Allow, Patterns: []rolecall.Pattern{"task.view"}}))
		equal(b.t, must[[]rolecall.Permission](b.t)(admin.RolePermissions(b.snapshot(), "junior")))
	},
	"CreateSession": func(b ansiBench) {
		equal(b.t, b.session("senior").Roles, "senior")
		_, err := admin.OpenSession(b.snapshot(), ivy, "accountant")
		wantErr(b.t, "OpenSession with a role that is not assigned", err, rolecall.ErrHolder)
	},
	"DeleteSession": func(b ansiBench) {
		_, err := b.session("senior").Lasting(b.snapshot().Now()).View(b.snapshot())
		wantErr(b.t, "View of a session that was ended", err, admin.ErrSessionEnded)
	},
	"AddActiveRole": func(b ansiBench) {
		x := must[admin.Session](b.t)(b.session("senior").Activate(b.snapshot(), "viewer"))
		equal(b.t, x.Roles, "senior", "viewer")
	},
	"DropActiveRole": func(b ansiBench) { equal(b.t, b.session("senior", "viewer").Deactivate("viewer").Roles, "senior") },
	"CheckAccess": func(b ansiBench) {
		v := must[*rolecall.View](b.t)(b.session("junior").View(b.snapshot()))
		wantErr(b.t, "Check(budget.view) with junior active", v.Check(budgetView, alpha), rolecall.ErrDenied)
		if err := v.Check(taskView, alpha); err != nil {
			b.t.Errorf("Check(task.view) with junior active: got %v, want nil", err)
		}
	},
	"AssignedUsers": func(b ansiBench) {
		users, everyone := admin.AssignedUsers(b.snapshot(), "accountant")
		equal(b.t, users, rolecall.User("fin"))
		junior, _ := admin.AssignedUsers(b.snapshot(), "junior")
		if equal(b.t, junior); everyone {
			b.t.Error("everyone is said to hold accountant")
		}
	},
	"AssignedRoles": func(b ansiBench) { equal(b.t, admin.AssignedRoles(b.snapshot(), ivy), "senior", "viewer") },
	"RolePermissions": func(b ansiBench) {
		equal(b.t, must[[]rolecall.Permission](b.t)(admin.RolePermissions(b.snapshot(), "senior")), permissions("budget.view", "task.view")...)
		equal(b.t, must[[]rolecall.Permission](b.t)(admin.RolePermissions(b.snapshot(), "artist", "assigned")), permissions("task.update", "task.view")...)
	},
	"UserPermissions": func(b ansiBench) {
		equal(b.t, must[[]rolecall.Permission](b.t)(admin.UserPermissions(b.snapshot(), ivy, alpha)), permissions("budget.view", "task.view")...)
	},
	"SessionRoles": func(b ansiBench) {
		equal(b.t, must[[]rolecall.RoleName](b.t)(admin.SessionRoles(b.snapshot(), b.session("viewer", "senior"))), "senior", "viewer")
		key := must[admin.Session](b.t)(admin.APIKey(b.snapshot(), rolecall.Service("key"), ivy, "*.view"))
		equal(b.t, must[[]rolecall.RoleName](b.t)(admin.SessionRoles(b.snapshot(), key)), "junior", "senior", "viewer")
		_, err := admin.SessionRoles(b.snapshot(), key.Lasting(b.snapshot().Now()))
		wantErr(b.t, "SessionRoles of a session that was ended", err, admin.ErrSessionEnded)
	},
	"SessionPermissions": func(b ansiBench) {
		equal(b.t, must[[]rolecall.Permission](b.t)(admin.SessionPermissions(b.snapshot(), b.session("junior"), alpha)), permissions("task.view")...)
	},
	"RoleOperationsOnObject": func(b ansiBench) {
		equal(b.t, must[[]rolecall.Permission](b.t)(admin.RoleOperationsOnObject(b.snapshot(), "senior", "task.*")), permissions("task.view")...)
		_, err := admin.RoleOperationsOnObject(b.snapshot(), "senior", "Task")
		wantErr(b.t, "RoleOperationsOnObject of what is no pattern", err, rolecall.ErrInvalid)
	},
	"UserOperationsOnObject": func(b ansiBench) {
		equal(b.t, must[[]rolecall.Permission](b.t)(admin.UserOperationsOnObject(b.snapshot(), ivy, "budget.*", shot)), permissions("budget.view")...)
	},

	// Hierarchical RBAC
	"AddInheritance": func(b ansiBench) {
		b.ok(b.root.Inherit(b.ctx, "junior", "viewer"))
		b.refused(rolecall.ErrCycle)(b.root.Inherit(b.ctx, "viewer", "senior"))
	},
	"DeleteInheritance": func(b ansiBench) {
		b.ok(b.root.Disinherit(b.ctx, "senior", "junior"))
		equal(b.t, admin.AuthorizedRoles(b.snapshot(), ivy), "senior", "viewer")
	},
	"AddAscendant": func(b ansiBench) {
		b.ok(b.root.CreateRole(b.ctx, rolecall.Role{Name: "boss", Inherits: []rolecall.RoleName{"senior"}}))
	},
	"AddDescendant": func(b ansiBench) {
		junior, _ := b.snapshot().Role("junior")
		junior.Inherits = append(junior.Inherits, "trainee")
		b.ok(b.root.Do(b.ctx, rolecall.Put(rolecall.Role{Name: "trainee"}), rolecall.Put(junior)))
		equal(b.t, admin.AuthorizedRoles(b.snapshot(), ivy), "junior", "senior", "trainee", "viewer")
	},
	"AuthorizedUsers": func(b ansiBench) {
		users, _ := admin.AuthorizedUsers(b.snapshot(), "junior")
		equal(b.t, users, ivy)
	},
	"AuthorizedRoles": func(b ansiBench) { equal(b.t, admin.AuthorizedRoles(b.snapshot(), ivy), "junior", "senior", "viewer") },

	// Static separation of duty
	"CreateSsdSet": func(b ansiBench) {
		b.ok(b.root.Constrain(b.ctx, pair("new", rolecall.Static, 2, "junior", "accountant")))
		b.refused(rolecall.ErrSeparation)(b.root.Grant(b.ctx, grantOf(ivy, "accountant", beta)))
		b.refused(rolecall.ErrSeparation)(b.root.Constrain(b.ctx, pair("other", rolecall.Static, 2, "junior", "viewer")))
	},
	"AddSsdRoleMember": func(b ansiBench) {
		b.ok(b.root.Constrain(b.ctx, pair("pay", rolecall.Static, 2, "artist", "accountant", "senior")))
		b.refused(rolecall.ErrSeparation)(b.root.Grant(b.ctx, grantOf(ivy, "artist", beta)))
	},
	"DeleteSsdRoleMember": func(b ansiBench) {
		b.refused(rolecall.ErrInvalid)(b.root.Constrain(b.ctx, pair("pay", rolecall.Static, 2, "artist")))
		b.ok(b.root.Constrain(b.ctx, pair("pay", rolecall.Static, 2, "artist", "accountant", "junior")))
		b.ok(b.root.Constrain(b.ctx, pair("pay", rolecall.Static, 2, "artist", "accountant")))
	},
	"DeleteSsdSet": func(b ansiBench) {
		b.ok(b.root.RemoveConstraint(b.ctx, "pay"))
		b.ok(b.root.Grant(b.ctx, grantOf(rolecall.User("fin"), "artist", beta)))
	},
	"SetSsdSetCardinality": func(b ansiBench) {
		b.ok(b.root.Constrain(b.ctx, pair("three", rolecall.Static, 3, "senior", "viewer", "artist")))
		b.refused(rolecall.ErrSeparation)(b.root.Constrain(b.ctx, pair("three", rolecall.Static, 2, "senior", "viewer", "artist")))
	},
	"SsdRoleSets": func(b ansiBench) { equal(b.t, admin.SsdRoleSets(b.snapshot()), "pay") },
	"SsdRoleSetRoles": func(b ansiBench) {
		equal(b.t, must[[]rolecall.RoleName](b.t)(admin.SsdRoleSetRoles(b.snapshot(), "pay")), "accountant", "artist")
		_, err := admin.SsdRoleSetRoles(b.snapshot(), "hats")
		wantErr(b.t, "SsdRoleSetRoles of a dynamic one", err, rolecall.ErrUnknown)
	},
	"SsdRoleSetCardinality": func(b ansiBench) {
		equal(b.t, []int{must[int](b.t)(admin.SsdRoleSetCardinality(b.snapshot(), "pay"))}, 2)
	},

	// Dynamic separation of duty
	"CreateDsdSet": func(b ansiBench) {
		b.ok(b.root.Constrain(b.ctx, pair("new", rolecall.Dynamic, 2, "junior", "viewer")))
		_, err := admin.OpenSession(b.snapshot(), ivy, "senior", "viewer")
		wantErr(b.t, "OpenSession with both roles", err, rolecall.ErrSeparation)
	},
	"AddDsdRoleMember": func(b ansiBench) {
		b.ok(b.root.Constrain(b.ctx, pair("hats", rolecall.Dynamic, 2, "artist", "viewer", "junior")))
		_, err := b.session("senior").Activate(b.snapshot(), "viewer")
		wantErr(b.t, "Activate of the second role", err, rolecall.ErrSeparation)
	},
	"DeleteDsdRoleMember": func(b ansiBench) {
		b.ok(b.root.Constrain(b.ctx, pair("hats", rolecall.Dynamic, 2, "artist", "junior")))
		equal(b.t, b.session("senior", "viewer").Roles, "senior", "viewer")
	},
	"DeleteDsdSet": func(b ansiBench) {
		b.ok(b.root.RemoveConstraint(b.ctx, "hats"))
		b.refused(rolecall.ErrUnknown)(b.root.RemoveConstraint(b.ctx, "hats"))
	},
	"SetDsdSetCardinality": func(b ansiBench) {
		b.ok(b.root.Constrain(b.ctx, pair("hats", rolecall.Dynamic, 3, "artist", "viewer", "junior")))
		equal(b.t, b.session("junior", "viewer").Roles, "junior", "viewer")
		b.refused(rolecall.ErrInvalid)(b.root.Constrain(b.ctx, pair("hats", rolecall.Dynamic, 4, "artist", "viewer", "junior")))
	},
	"DsdRoleSets": func(b ansiBench) { equal(b.t, admin.DsdRoleSets(b.snapshot()), "hats") },
	"DsdRoleSetRoles": func(b ansiBench) {
		equal(b.t, must[[]rolecall.RoleName](b.t)(admin.DsdRoleSetRoles(b.snapshot(), "hats")), "artist", "viewer")
	},
	"DsdRoleSetCardinality": func(b ansiBench) {
		equal(b.t, []int{must[int](b.t)(admin.DsdRoleSetCardinality(b.snapshot(), "hats"))}, 2)
		_, err := admin.DsdRoleSetCardinality(b.snapshot(), "no such set")
		wantErr(b.t, "DsdRoleSetCardinality of none", err, rolecall.ErrUnknown)
	},
}

func TestANSI(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(ansi)) {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, ansiPolicy)
			ansi[name](ansiBench{b, t.Context(), b.as(root, nil)})
		})
	}
}

// The table in the documentation names the functions that are tested here, each once, and no other one.
func TestANSITable(t *testing.T) {
	page := must[[]byte](t)(os.ReadFile("../docs/separation-of-duty.md"))
	var named []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([A-Z][A-Za-z]+)` \\|").FindAllSubmatch(page, -1) {
		named = append(named, string(m[1]))
	}
	slices.Sort(named)
	if want := slices.Sorted(maps.Keys(ansi)); !slices.Equal(named, want) {
		t.Errorf("docs/separation-of-duty.md names\n%v\nwant\n%v", named, want)
	}
}

// What cannot be answered is an error, and no empty list.
func TestANSIErrors(t *testing.T) {
	s := newBench(t, ansiPolicy).snapshot()
	never := s.At(time.Time{})
	x := must[admin.Session](t)(admin.OpenSession(s, ivy, "senior"))
	err := func(_ any, err error) error { return err }
	mars, planet := rolecall.NewSubject("martian", "m"), rolecall.In("planet", "mars")
	for name, c := range map[string]struct{ got, want error }{
		"RolePermissions of no role":                 {err(admin.RolePermissions(s, "nobody")), rolecall.ErrUnknown},
		"RolePermissions under an unknown condition": {err(admin.RolePermissions(s, "senior", "moonlight")), rolecall.ErrUnknown},
		"RolePermissions at no instant":              {err(admin.RolePermissions(never, "senior")), rolecall.ErrInvalid},
		"UserPermissions of an unknown kind":         {err(admin.UserPermissions(s, mars, alpha)), rolecall.ErrUnknown},
		"UserPermissions of nobody":                  {err(admin.UserPermissions(s, rolecall.Subject{}, alpha)), rolecall.ErrInvalid},
		"UserPermissions at an unknown kind":         {err(admin.UserPermissions(s, ivy, planet)), rolecall.ErrUnknown},
		"UserPermissions at no place":                {err(admin.UserPermissions(s, ivy, rolecall.Scope{})), rolecall.ErrInvalid},
		"UserPermissions under an unknown condition": {err(admin.UserPermissions(s, ivy, alpha, "moonlight")), rolecall.ErrUnknown},
		"UserPermissions at no instant":              {err(admin.UserPermissions(never, ivy, alpha)), rolecall.ErrInvalid},
		"SessionRoles after the end":                 {err(admin.SessionRoles(s, x.Lasting(s.Now()))), admin.ErrSessionEnded},
		"SessionPermissions after the end":           {err(admin.SessionPermissions(s, x.Lasting(s.Now()), alpha)), admin.ErrSessionEnded},
		"SessionPermissions at an unknown kind":      {err(admin.SessionPermissions(s, x, planet)), rolecall.ErrUnknown},
		"RoleOperationsOnObject of no pattern":       {err(admin.RoleOperationsOnObject(s, "senior", "Task")), rolecall.ErrInvalid},
		"RoleOperationsOnObject of no role":          {err(admin.RoleOperationsOnObject(s, "nobody", "task.*")), rolecall.ErrUnknown},
		"UserOperationsOnObject of no pattern":       {err(admin.UserOperationsOnObject(s, ivy, "task.", alpha)), rolecall.ErrInvalid},
		"UserOperationsOnObject at no place":         {err(admin.UserOperationsOnObject(s, ivy, "task.*", rolecall.Scope{})), rolecall.ErrInvalid},
		"SsdRoleSetRoles of none":                    {err(admin.SsdRoleSetRoles(s, "nothing")), rolecall.ErrUnknown},
		"SsdRoleSetCardinality of a dynamic one":     {err(admin.SsdRoleSetCardinality(s, "hats")), rolecall.ErrUnknown},
		"DsdRoleSetRoles of a static one":            {err(admin.DsdRoleSetRoles(s, "pay")), rolecall.ErrUnknown},
		"DsdRoleSetCardinality of a role":            {err(admin.DsdRoleSetCardinality(s, "senior")), rolecall.ErrUnknown},
	} {
		wantErr(t, name, c.got, c.want)
	}
}
