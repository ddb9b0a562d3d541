// Package peers measures what a user might pick instead of Rolecall, on the same studios with the same questions.
//
//	make bench-peers
package peers

import (
	"context"
	"fmt"
	"slices"
	"strings"

	casbin "github.com/casbin/casbin/v3"
	"github.com/casbin/casbin/v3/model"
	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/bench"
)

// A Peer is an engine with a studio in it. Check answers one prepared question.
type Peer struct {
	Name  string
	Check func(q *Asked) bool
}

// Asked is a question in the forms that engines take, made ready beforehand.
type Asked struct {
	*bench.Question
	Who  string   // the subject
	May  string   // the permission
	Path []string // the scopes from Global down to the target

	cedar []cedar.Request
	opa   ast.Value
}

// Studio is a plain studio as every engine is given it: what roles allow is worked out, patterns and inheritance
// included, and so are the groups of each subject where an engine has no groups of its own.
type Studio struct {
	Permissions map[string][]string            // role → permissions
	Grants      map[string]map[string][]string // scope → holder → roles
	Members     map[string][]string            // member → groups it is directly in
	Holders     map[string][]string            // user → itself, its groups and everyone
}

// NewStudio reads a plain studio.
func NewStudio(s *bench.Studio) *Studio {
	st := &Studio{map[string][]string{}, map[string]map[string][]string{}, map[string][]string{}, map[string][]string{}}
	roles := map[rolecall.RoleName]rolecall.Role{}
	for one := range s.Statements() {
		switch one := one.(type) {
		case rolecall.Role:
			roles[one.Name] = one
		case rolecall.Membership:
			st.Members[one.Member.String()] = append(st.Members[one.Member.String()], one.Group.String())
		case rolecall.Grant:
			at := one.Scope.String()
			if st.Grants[at] == nil {
				st.Grants[at] = map[string][]string{}
			}
			st.Grants[at][one.Subject.String()] = append(st.Grants[at][one.Subject.String()], string(one.Role))
		}
	}
	for name := range roles {
		for _, p := range s.Permissions {
			if allows(roles, name, p) {
				st.Permissions[string(name)] = append(st.Permissions[string(name)], p.String())
			}
		}
	}
	for n := range s.Users {
		user := s.User(n).String()
		list := []string{user}
		for i := 0; i < len(list); i++ {
			for _, g := range st.Members[list[i]] {
				if !slices.Contains(list, g) {
					list = append(list, g)
				}
			}
		}
		st.Holders[user] = append(list, "everyone")
	}
	return st
}

func allows(roles map[rolecall.RoleName]rolecall.Role, name rolecall.RoleName, p rolecall.Permission) bool {
	for _, rule := range roles[name].Rules {
		for _, pattern := range rule.Patterns {
			if pattern.AllowMatches(p) {
				return true
			}
		}
	}
	return slices.ContainsFunc(roles[name].Inherits, func(above rolecall.RoleName) bool { return allows(roles, above, p) })
}

// Prepare puts a question in every form.
func Prepare(q *bench.Question) *Asked {
	a := &Asked{Question: q, Who: q.Subject.String(), May: q.Permission.String(), Path: []string{"/"}}
	text := q.Scope.String()
	for i := 1; i < len(text); i++ {
		if text[i] == '/' {
			a.Path = append(a.Path, text[:i])
		}
	}
	a.Path = append(a.Path, text)
	path := make([]*ast.Term, len(a.Path))
	for i, at := range a.Path {
		a.cedar = append(a.cedar, cedar.Request{
			Principal: cedar.NewEntityUID("Subject", types.String(a.Who)),
			Action:    cedar.NewEntityUID("Action", types.String(a.May)),
			Resource:  cedar.NewEntityUID("Scope", types.String(at)),
		})
		path[i] = ast.StringTerm(at)
	}
	a.opa = ast.NewObject([2]*ast.Term{ast.StringTerm("user"), ast.StringTerm(a.Who)},
		[2]*ast.Term{ast.StringTerm("permission"), ast.StringTerm(a.May)}, [2]*ast.Term{ast.StringTerm("path"), ast.ArrayTerm(path...)})
	return a
}

// Rolecall is the library itself.
func Rolecall(s *bench.Studio) (Peer, error) {
	snapshot, err := s.Snapshot()
	return Peer{"rolecall", func(q *Asked) bool { return snapshot.Check(q.Subject, q.Permission, q.Scope) == nil }}, err
}

// Maps is what one writes in an afternoon: maps of slices of roles, and a set of permissions a role.
func Maps(st *Studio) Peer {
	permissions := map[string]map[string]bool{}
	for role, list := range st.Permissions {
		permissions[role] = map[string]bool{}
		for _, p := range list {
			permissions[role][p] = true
		}
	}
	return Peer{"maps of slices", func(q *Asked) bool {
		for _, at := range q.Path {
			here := st.Grants[at]
			if here == nil {
				continue
			}
			for _, h := range st.Holders[q.Who] {
				for _, role := range here[h] {
					if permissions[role][q.May] {
						return true
					}
				}
			}
		}
		return false
	}}
}

const casbinModel = `
[request_definition]
r = sub, act, scope
[policy_definition]
p = role
[role_definition]
g = _, _
g2 = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g2(p.role, r.act) && g(r.sub, p.role + "@" + r.scope)
`

// enforcer is what Casbin's enforcers have in common here.
type enforcer interface {
	Enforce(rvals ...any) (bool, error)
}

// Casbin has one policy rule a role; a grant links its holder to role@scope. It is asked once for each scope on the path.
func Casbin(st *Studio, cached bool) (Peer, error) {
	m, err := model.NewModelFromString(casbinModel)
	if err != nil {
		return Peer{}, err
	}
	var e enforcer
	var plain *casbin.Enforcer
	name := "casbin"
	if cached {
		name = "casbin, cached"
		c, err := casbin.NewCachedEnforcer(m)
		if err != nil {
			return Peer{}, err
		}
		e, plain = c, c.Enforcer
	} else {
		if plain, err = casbin.NewEnforcer(m); err != nil {
			return Peer{}, err
		}
		e = plain
	}
	if err := fillCasbin(st, plain); err != nil {
		return Peer{}, err
	}
	return Peer{name, func(q *Asked) bool {
		for _, at := range q.Path {
			if yes, err := e.Enforce(q.Who, q.May, at); yes && err == nil {
				return true
			}
		}
		return false
	}}, nil
}

func fillCasbin(st *Studio, e *casbin.Enforcer) error {
	var rules, can, links [][]string
	for role, list := range st.Permissions {
		rules = append(rules, []string{role})
		for _, p := range list {
			can = append(can, []string{role, p})
		}
	}
	for at, holders := range st.Grants {
		for h, roles := range holders {
			for _, role := range roles {
				links = append(links, []string{h, role + "@" + at})
			}
		}
	}
	for member, groups := range st.Members {
		for _, g := range groups {
			links = append(links, []string{member, g})
		}
	}
	for user := range st.Holders {
		links = append(links, []string{user, "everyone"})
	}
	if _, err := e.AddPolicies(rules); err != nil {
		return err
	}
	if _, err := e.AddNamedGroupingPolicies("g2", can); err != nil {
		return err
	}
	_, err := e.AddGroupingPolicies(links)
	return err
}

// Cedar has a policy a role; a scope has an attribute a role with the set of those who hold it there. It is asked once
// for each scope on the path, with the entities of the whole studio at hand.
func Cedar(st *Studio) (Peer, error) {
	var text strings.Builder
	entities := types.EntityMap{}
	may := map[string][]types.EntityUID{}
	for role, list := range st.Permissions {
		fmt.Fprintf(&text, "permit(principal, action in Action::%q, resource) when { resource has %q && principal in resource[%q] };\n", "role "+role, role, role)
		for _, p := range list {
			may[p] = append(may[p], cedar.NewEntityUID("Action", types.String("role "+role)))
		}
	}
	policies, err := cedar.NewPolicySetFromBytes("studio", []byte(text.String()))
	if err != nil {
		return Peer{}, err
	}
	for p, roles := range may {
		uid := cedar.NewEntityUID("Action", types.String(p))
		entities[uid] = types.Entity{UID: uid, Parents: types.NewEntityUIDSet(roles...)}
	}
	for who, holders := range st.Holders {
		uid := cedar.NewEntityUID("Subject", types.String(who))
		var parents []types.EntityUID
		for _, h := range holders[1:] {
			parents = append(parents, cedar.NewEntityUID("Subject", types.String(h)))
		}
		entities[uid] = types.Entity{UID: uid, Parents: types.NewEntityUIDSet(parents...)}
	}
	for at, holders := range st.Grants {
		byRole := map[string][]types.Value{}
		for h, roles := range holders {
			for _, role := range roles {
				byRole[role] = append(byRole[role], cedar.NewEntityUID("Subject", types.String(h)))
			}
		}
		attributes := types.RecordMap{}
		for role, list := range byRole {
			attributes[types.String(role)] = types.NewSet(list...)
		}
		uid := cedar.NewEntityUID("Scope", types.String(at))
		entities[uid] = types.Entity{UID: uid, Attributes: types.NewRecord(attributes)}
	}
	return Peer{"cedar-go", func(q *Asked) bool {
		for _, r := range q.cedar {
			if _, known := entities[r.Resource]; !known {
				continue
			}
			if decision, _ := cedar.Authorize(policies, entities, r); decision == cedar.Allow {
				return true
			}
		}
		return false
	}}, nil
}

const opaModule = `package studio
default allow := false
allow if {
	some at in input.path
	some holder in data.holders[input.user]
	some role in data.grants[at][holder]
	data.roles[role][input.permission]
}`

// OPA has the whole studio as data, the groups of each user worked out; its query is prepared and its input parsed.
func OPA(st *Studio) (Peer, error) {
	ctx := context.Background()
	roles := map[string]any{}
	for role, list := range st.Permissions {
		can := map[string]any{}
		for _, p := range list {
			can[p] = true
		}
		roles[role] = can
	}
	grants, holders := map[string]any{}, map[string]any{}
	for at, byHolder := range st.Grants {
		here := map[string]any{}
		for h, list := range byHolder {
			here[h] = anys(list)
		}
		grants[at] = here
	}
	for user, list := range st.Holders {
		holders[user] = anys(list)
	}
	store := inmem.NewFromObjectWithOpts(map[string]any{"roles": roles, "grants": grants, "holders": holders}, inmem.OptReturnASTValuesOnRead(true))
	query, err := rego.New(rego.Query("data.studio.allow"), rego.Module("studio.rego", opaModule), rego.Store(store)).PrepareForEval(ctx)
	if err != nil {
		return Peer{}, err
	}
	return Peer{"opa rego", func(q *Asked) bool {
		result, err := query.Eval(ctx, rego.EvalParsedInput(q.opa))
		return err == nil && result.Allowed()
	}}, nil
}

func anys(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

// All makes every peer of a studio, Rolecall first.
func All(s *bench.Studio) ([]Peer, error) {
	st := NewStudio(s)
	own, err := Rolecall(s)
	if err != nil {
		return nil, err
	}
	peers := []Peer{own, Maps(st)}
	for _, make := range []func() (Peer, error){
		func() (Peer, error) { return Casbin(st, false) },
		func() (Peer, error) { return Casbin(st, true) },
		func() (Peer, error) { return Cedar(st) },
		func() (Peer, error) { return OPA(st) },
	} {
		p, err := make()
		if err != nil {
			return nil, err
		}
		peers = append(peers, p)
	}
	return peers, nil
}
