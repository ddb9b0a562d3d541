package bench

import (
	"fmt"
	"math/rand/v2"

	"github.com/rolecall-go/rolecall"
)

// Changes by somebody who is permitted, so that the guard against escalation has its part in them.

const steward = rolecall.RoleName("steward") // held by the actor of the measured changes

// Steward is the actor: it manages the whole instance and may do there whatever it gives, but not escalate.
func Steward() rolecall.Subject { return rolecall.User("steward") }

// Administered returns the policy with a steward.
func Administered(snapshot *rolecall.Snapshot) *rolecall.Snapshot {
	role := rolecall.Role{Name: steward, Rules: []rolecall.Rule{allow("* rolecall.*")}}
	grant := rolecall.Grant{Subject: Steward(), Role: steward, Scope: rolecall.Global(), Pierce: true}
	p := must(snapshot.Propose(rolecall.Change{Edits: []rolecall.Edit{rolecall.Put(role), rolecall.Put(grant)}}))
	return p.Next().At(snapshot.Now())
}

// ProposeOp judges edits as changes by an actor, one after the other, each on the same policy. Nothing is committed.
func ProposeOp(snapshot *rolecall.Snapshot, actor rolecall.Subject, edits []rolecall.Edit) Op {
	i := 0
	return func(n int) {
		for range n {
			must(snapshot.Propose(rolecall.Change{Meta: rolecall.Meta{Actor: actor}, Edits: edits[i : i+1]}))
			if i++; i == len(edits) {
				i = 0
			}
		}
	}
}

// An Errand is a kind of edit to measure.
type Errand struct {
	Name  string
	Edits []rolecall.Edit
	Bar   float64 // milliseconds, 0 for none
}

// errands is how many edits of a kind are measured in turn.
const errands = 500

// Errands makes edits of each kind, of random users, groups and projects.
func Errands(s *Studio) []Errand {
	r := rand.New(rand.NewPCG(s.Seed, 8))
	each := func(name string, bar float64, edit func() rolecall.Edit) Errand {
		e := Errand{Name: name, Bar: bar}
		for range errands {
			e.Edits = append(e.Edits, edit())
		}
		return e
	}
	granted := func(n int) []rolecall.Grant {
		var grants []rolecall.Grant
		for _, st := range s.OfUser(n) {
			if g, ok := st.(rolecall.Grant); ok {
				grants = append(grants, g)
			}
		}
		return grants
	}
	return []Errand{
		each("add a user to a group", 1, func() rolecall.Edit {
			return rolecall.Put(rolecall.Membership{Member: s.User(r.IntN(s.Users)), Group: s.Group(r.IntN(s.Groups))})
		}),
		each("grant a role at a project", 1, func() rolecall.Edit {
			return rolecall.Put(rolecall.Grant{Subject: s.User(r.IntN(s.Users)), Role: s.granted[r.IntN(len(s.granted))], Scope: s.Project(r.IntN(s.Projects))})
		}),
		each("revoke", 1, func() rolecall.Edit {
			for {
				if grants := granted(r.IntN(s.Users)); len(grants) > 0 {
					return rolecall.Remove(grants[r.IntN(len(grants))])
				}
			}
		}),
		each(fmt.Sprintf("edit a role held by %d", min(EditedBy, s.Users)), 0, func() rolecall.Edit {
			wide := rolecall.Role{Name: Edited, Rules: []rolecall.Rule{allow("playlist.publish " + probeEdit().String())}}
			return rolecall.Put(wide)
		}),
	}
}
