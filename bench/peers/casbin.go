package peers

import (
	casbin "github.com/casbin/casbin/v3"
	"github.com/casbin/casbin/v3/model"
)

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
func Casbin(st *Studio, limit *Limit) (Peer, error) {
	m, err := model.NewModelFromString(casbinModel)
	if err != nil {
		return Peer{}, err
	}
	e, err := casbin.NewEnforcer(m)
	if err != nil {
		return Peer{}, err
	}
	return askCasbin(e), fillCasbin(st, e, limit)
}

// CachedCasbin is Casbin that keeps its answers.
func CachedCasbin(st *Studio, limit *Limit) (Peer, error) {
	m, err := model.NewModelFromString(casbinModel)
	if err != nil {
		return Peer{}, err
	}
	e, err := casbin.NewCachedEnforcer(m)
	if err != nil {
		return Peer{}, err
	}
	return askCasbin(e), fillCasbin(st, e.Enforcer, limit)
}

func askCasbin(e enforcer) Peer {
	return Peer{Check: func(q *Asked) bool {
		for _, at := range q.Path {
			if yes, err := e.Enforce(q.Who, q.May, at); yes && err == nil {
				return true
			}
		}
		return false
	}}
}

// casbinChunk is how many links are added at a time.
const casbinChunk = 100_000

func fillCasbin(st *Studio, e *casbin.Enforcer, limit *Limit) error {
	var rules, can, links [][]string
	for role, list := range st.Permissions {
		rules = append(rules, []string{role})
		for _, p := range list {
			can = append(can, []string{role, p})
		}
	}
	if _, err := e.AddPolicies(rules); err != nil {
		return err
	}
	if _, err := e.AddNamedGroupingPolicies("g2", can); err != nil {
		return err
	}
	done, all := 0, st.count()+len(st.Holders)
	add := func(pair []string) error {
		if links = append(links, pair); len(links) < casbinChunk {
			return nil
		}
		_, err := e.AddGroupingPolicies(links)
		done, links = done+len(links), nil
		if err != nil {
			return err
		}
		return limit.Reached(done, all)
	}
	for l := range st.links {
		if l.role != "" {
			l.where = l.role + "@" + l.where
		}
		if err := add([]string{l.who, l.where}); err != nil {
			return err
		}
	}
	for user := range st.Holders {
		if err := add([]string{user, "everyone"}); err != nil {
			return err
		}
	}
	_, err := e.AddGroupingPolicies(links)
	return err
}
