package bench

import (
	"math/rand/v2"

	"github.com/rolecall-go/rolecall"
)

// PlanOp plans grants of one role to random users, or to random groups, at random projects.
func PlanOp(s *Studio, snapshot *rolecall.Snapshot, groups bool) Op {
	r := rand.New(rand.NewPCG(s.Seed, 11))
	return func(n int) {
		for range n {
			g := rolecall.Grant{Subject: s.User(r.IntN(s.Users)), Role: Fresh, Scope: s.Project(r.IntN(s.Projects))}
			if groups {
				g.Subject = s.Group(r.IntN(s.Groups))
			}
			if must(snapshot.Plan(rolecall.Change{Edits: []rolecall.Edit{rolecall.Put(g)}})).Empty() {
				panic("a grant that nobody has gives nothing")
			}
		}
	}
}

// RemedyOp asks what would turn the answer to one question after the other.
func RemedyOp(snapshot *rolecall.Snapshot, questions []Question) Op {
	i := 0
	return func(n int) {
		for range n {
			q := &questions[i]
			list, _, err := snapshot.Remedies(rolecall.Request{Subject: q.Subject, Permission: q.Permission, Scope: q.Scope, Facts: q.Facts()}, nil)
			if err != nil || len(list) == 0 {
				panic("the answer to a question cannot be turned")
			}
			if i++; i == len(questions) {
				i = 0
			}
		}
	}
}
