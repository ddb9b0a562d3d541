package peers

import (
	"fmt"
	"strings"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
)

// Cedar has a policy a role; a scope has an attribute a role with the set of those who hold it there. It is asked once
// for each scope on the path, with the entities of the whole studio at hand.
func Cedar(st *Studio, limit *Limit) (Peer, error) {
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
	if err := limit.Reached(1, 2); err != nil {
		return Peer{}, err
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
	return Peer{Check: func(q *Asked) bool {
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

func (a *Asked) prepareCedar() {
	for _, at := range a.Path {
		a.cedar = append(a.cedar, cedar.Request{
			Principal: cedar.NewEntityUID("Subject", types.String(a.Who)),
			Action:    cedar.NewEntityUID("Action", types.String(a.May)),
			Resource:  cedar.NewEntityUID("Scope", types.String(at)),
		})
	}
}
