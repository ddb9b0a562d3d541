package foreign

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/rolecall-go/rolecall"
)

// The example tables of casbin. Each is translated twice: once with its roles as groups that hold grants at scopes,
// once as roles that inherit from each other, with the objects in the names of the permissions. The files hold no
// decisions, so every question that can be put to a table is answered by casbin's documented matcher and effect as well:
//
//	m = g(r.sub, p.sub, r.dom) && r.dom == p.dom && (r.obj == p.obj || g2(r.obj, p.obj)) && r.act == p.act
//	e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
func TestCasbinTables(t *testing.T) {
	for _, file := range []string{
		"rbac_policy.csv", "rbac_with_deny_policy.csv", "rbac_with_domains_policy.csv",
		"rbac_with_hierarchy_policy.csv", "rbac_with_resource_roles_policy.csv",
	} {
		t.Run(file, func(t *testing.T) {
			table := readCasbin(t, "casbin/"+file)
			groups, roles := table.asGroups().snapshot(t), table.asRoles().snapshot(t)
			allowed := 0
			for q := range table.questions() {
				want := table.allows(q)
				if want {
					allowed++
				}
				expect(t, groups, want, rolecall.Request{
					Subject: table.member(q.sub, q.dom), Permission: rolecall.NewPermission("object." + q.act), Scope: table.place(q.dom, q.obj),
				})
				if !table.isRole(q.sub) {
					expect(t, roles, want, rolecall.Request{
						Subject: rolecall.User(q.sub), Permission: table.permission(q.obj, q.act), Scope: domain(q.dom),
					})
				}
			}
			if allowed == 0 {
				t.Errorf("%s: nothing is allowed, want something to compare", file)
			}
		})
	}
}

func TestCasbinRoleCycleIsRefused(t *testing.T) {
	table := readCasbin(t, "casbin/rbac_with_cycle_policy.csv")
	for _, tc := range []struct {
		name string
		w    *world
	}{{"as groups", table.asGroups()}, {"as roles", table.asRoles()}} {
		s, err := tc.w.build()
		if s != nil || !errors.Is(err, rolecall.ErrCycle) {
			t.Errorf("%s: NewSnapshot returned a snapshot: %v, error: %v; want none and ErrCycle", tc.name, s != nil, err)
		}
	}
}

type (
	casbinRule struct {
		question
		deny bool
	}
	// A casbinLink is a g row: sub has the role in that domain.
	casbinLink struct{ sub, role, dom string }

	// A casbinTable is a policy file. The domain is empty where the table has none.
	casbinTable struct {
		rules []casbinRule
		links []casbinLink
		inner map[string]string // an object → the resource group it is in
	}

	question struct{ sub, dom, obj, act string }
)

// effect is ours: nothing overrides a casbin deny.
func (r casbinRule) effect() rolecall.Effect {
	if r.deny {
		return rolecall.Forbid
	}
	return rolecall.Allow
}

// readCasbin reads a table. Its rules have domains where its links do.
func readCasbin(t *testing.T, file string) *casbinTable {
	table := &casbinTable{inner: map[string]string{}}
	rows := readTable(t, file)
	domains := slices.ContainsFunc(rows, func(row []string) bool { return row[0] == "g" && len(row) == 4 })
	for _, row := range rows {
		switch {
		case row[0] == "g2" && len(row) == 3:
			table.inner[row[1]] = row[2]
		case row[0] == "g" && len(row) == 4:
			table.links = append(table.links, casbinLink{row[1], row[2], row[3]})
		case row[0] == "g" && len(row) == 3:
			table.links = append(table.links, casbinLink{row[1], row[2], ""})
		case row[0] == "p" && len(row) == 5 && domains:
			table.rules = append(table.rules, casbinRule{question{row[1], row[2], row[3], row[4]}, false})
		case row[0] == "p" && len(row) == 5:
			table.rules = append(table.rules, casbinRule{question{row[1], "", row[2], row[3]}, row[4] == "deny"})
		case row[0] == "p" && len(row) == 4:
			table.rules = append(table.rules, casbinRule{question{row[1], "", row[2], row[3]}, false})
		default:
			t.Fatalf("%s: cannot read %q", file, row)
		}
	}
	return table
}

// allows answers a question as casbin documents it.
func (c *casbinTable) allows(q question) bool {
	allowed := false
	for _, r := range c.rules {
		if r.dom != q.dom || r.act != q.act || r.obj != q.obj && c.inner[q.obj] != r.obj || !c.has(q.sub, r.sub, q.dom, nil) {
			continue
		}
		if r.deny {
			return false
		}
		allowed = true
	}
	return allowed
}

// has says whether sub is role or has it through links of the domain.
func (c *casbinTable) has(sub, role, dom string, seen []string) bool {
	if sub == role {
		return true
	}
	return !slices.Contains(seen, sub) && slices.ContainsFunc(c.links, func(l casbinLink) bool {
		return l.sub == sub && l.dom == dom && c.has(l.role, role, dom, append(seen, sub))
	})
}

// questions yields every combination of the table's names, and a stranger.
func (c *casbinTable) questions() func(func(question) bool) {
	subs, doms, objs, acts := set{"stranger": true}, set{}, set{}, set{}
	for _, r := range c.rules {
		subs[r.sub], doms[r.dom], objs[r.obj], acts[r.act] = true, true, true, true
	}
	for _, l := range c.links {
		subs[l.sub], subs[l.role] = true, true
	}
	for inner, outer := range c.inner {
		objs[inner], objs[outer] = true, true
	}
	return func(yield func(question) bool) {
		for sub := range subs {
			for dom := range doms {
				for obj := range objs {
					for act := range acts {
						if !yield(question{sub, dom, obj, act}) {
							return
						}
					}
				}
			}
		}
	}
}

type set map[string]bool

// isRole says whether a name is the role of some link; every other subject is a user.
func (c *casbinTable) isRole(name string) bool {
	return slices.ContainsFunc(c.links, func(l casbinLink) bool { return l.role == name })
}

func domain(name string) rolecall.Scope {
	if name == "" {
		return rolecall.Global()
	}
	return rolecall.In("domain", name)
}

// asGroups makes a casbin role a group and each rule a grant at the object.
func (c *casbinTable) asGroups() *world {
	w := c.newWorld()
	for _, r := range c.rules {
		p, who, where := w.permission("object."+r.act), c.member(r.sub, r.dom), c.place(r.dom, r.obj)
		if r.deny {
			w.say(rolecall.Override{Subject: who, Effect: r.effect(), Pattern: rolecall.Pattern(p.String()), Scope: where})
			continue
		}
		w.say(
			rolecall.Role{Name: rolecall.RoleName(r.act), Rules: []rolecall.Rule{allow(rolecall.Pattern(p.String()))}},
			rolecall.Grant{Subject: who, Role: rolecall.RoleName(r.act), Scope: where},
		)
	}
	for _, l := range c.links {
		w.say(rolecall.Membership{Member: c.member(l.sub, l.dom), Group: c.member(l.role, l.dom)})
	}
	return w
}

// member is a user, or the group of those who have a role in a domain.
func (c *casbinTable) member(name, dom string) rolecall.Subject {
	if c.isRole(name) {
		return rolecall.Group(name + "@" + dom)
	}
	return rolecall.User(name)
}

// place is the scope of an object, inside its resource group where it has one.
func (c *casbinTable) place(dom, obj string) rolecall.Scope {
	if outer, ok := c.inner[obj]; ok {
		return c.place(dom, outer).In("object", obj)
	}
	return domain(dom).In("object", obj)
}

// asRoles makes a casbin role a role and each object a part of the permission's name.
func (c *casbinTable) asRoles() *world {
	w := c.newWorld()
	roles := map[string]*rolecall.Role{}
	roleOf := func(name, dom string) *rolecall.Role {
		key := roleName(name, dom)
		if roles[key] == nil {
			roles[key] = &rolecall.Role{Name: rolecall.RoleName(key)}
		}
		return roles[key]
	}
	for q := range c.questions() {
		w.permission(c.permission(q.obj, q.act).String())
	}
	for _, r := range c.rules {
		for _, pattern := range c.patterns(r) {
			if c.isRole(r.sub) {
				role := roleOf(r.sub, r.dom)
				role.Rules = append(role.Rules, rolecall.Rule{Effect: r.effect(), Patterns: []rolecall.Pattern{pattern}})
				continue
			}
			w.say(rolecall.Override{Subject: rolecall.User(r.sub), Effect: r.effect(), Pattern: pattern, Scope: domain(r.dom)})
		}
	}
	for _, l := range c.links {
		held := roleOf(l.role, l.dom)
		if c.isRole(l.sub) {
			role := roleOf(l.sub, l.dom)
			role.Inherits = append(role.Inherits, held.Name)
			continue
		}
		w.say(rolecall.Grant{Subject: rolecall.User(l.sub), Role: held.Name, Scope: domain(l.dom)})
	}
	for _, role := range roles {
		w.say(*role)
	}
	return w
}

func roleName(name, dom string) string { return strings.Trim(dom+"."+name, ".") }

// permission is the action on the object, whose name starts with the resource group's where there is one.
func (c *casbinTable) permission(obj, act string) rolecall.Permission {
	return rolecall.NewPermission(c.path(obj) + "." + act)
}

func (c *casbinTable) path(obj string) string {
	if outer, ok := c.inner[obj]; ok {
		return c.path(outer) + "." + obj
	}
	return obj
}

// patterns covers the action on the object of a rule and on what is inside it.
func (c *casbinTable) patterns(r casbinRule) []rolecall.Pattern {
	p := []rolecall.Pattern{rolecall.Pattern(c.permission(r.obj, r.act).String())}
	for _, outer := range c.inner {
		if outer == r.obj {
			return append(p, rolecall.Pattern(c.path(r.obj)+".*."+r.act))
		}
	}
	return p
}

func (c *casbinTable) newWorld() *world {
	w := &world{}
	w.scopeKind("domain")
	w.scopeKind("object")
	return w
}
