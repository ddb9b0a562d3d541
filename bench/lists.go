package bench

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/review"
)

// Questions whose answers are lists. Where answers differ in length it is one part of them that is measured: what that
// takes is the same at every size as far as the cost follows the answer.

// VerifyLists asks about the subjects, permissions and places of some questions in every way in which a list is an answer,
// and returns an error where one does not agree with the right answer.
func VerifyLists(snapshot *rolecall.Snapshot, questions []Question) error {
	for i := range questions {
		q := &questions[i]
		view := must(snapshot.For(q.Subject, nil))
		named, everyone, err := snapshot.Who(q.Permission, q.Scope, q.Facts())
		if err != nil {
			return err
		}
		rules := map[rolecall.Permission]rolecall.ScopeRule{}
		for p, rule := range must(view.Rules(q.Scope)) {
			rules[p] = rule
		}
		_, known := slices.BinarySearchFunc(named, q.Subject, rolecall.Subject.Compare)
		for what, got := range map[string]bool{
			"who may":         known || everyone,
			"what may be":     slices.Contains(must(view.Permissions(q.Scope, q.Facts())), q.Permission),
			"by which rule":   rules[q.Permission].Holds(q.Facts()),
			"whom it reaches": must(snapshot.Reach(q.Permission, q.Scope, q.Facts())).Allows(q.Subject),
			"where":           must(view.Scopes(q.Scope.Kind(), q.Permission)).Contains(q.Scope, q.Facts()),
		} {
			if got != q.Allowed {
				return fmt.Errorf("%s: %s %s at %s: %t, want %t: %w", what, q.Subject, q.Permission, q.Scope, got, q.Allowed, errWrongAnswer)
			}
		}
	}
	return nil
}

// A Listing is some questions whose answers have parts: subjects, rows, connections.
type Listing struct {
	Name, Part string
	Questions  int                     // a round asks each once
	Ask        func(n int) (parts int) // the question of that number
}

// Op asks one question after the other.
func (l Listing) Op() Op {
	i := 0
	return func(n int) {
		for range n {
			l.Ask(i)
			i = (i + 1) % l.Questions
		}
	}
}

// Parts returns how many parts an answer has on average.
func (l Listing) Parts() float64 {
	parts := 0
	for i := range l.Questions {
		parts += l.Ask(i)
	}
	return float64(parts) / float64(l.Questions)
}

// Compare is the figure of one part of an answer.
func (l Listing) Compare(rounds int, unit Op, m int) Figure {
	f, parts := Compare(rounds, l.Op(), l.Questions, unit, m), l.Parts()
	return Figure{NS: f.NS / parts, Bytes: f.Bytes / parts, Allocs: f.Allocs / parts, Ratio: f.Ratio / parts, Unit: f.Unit}
}

// Listings returns what is measured part by part. Reviews of the people on a project are left out of the large studio,
// where hundreds of groups have something on the whole instance and so nearly everybody does on each project.
func (s *Studio) Listings(snapshot *rolecall.Snapshot) []Listing {
	projects, users := s.draw(11, s.Projects), s.draw(12, s.Users)
	scope := func(n int) rolecall.Scope { return s.Project(projects(n)) }
	connections := make([]rolecall.Subject, listeners)
	for i := range connections {
		connections[i] = s.User(users(i))
	}
	list := []Listing{
		{"who may see a project", "a subject", 4, func(n int) int {
			named, _, err := snapshot.Who(ListedPermission(), scope(n), nil)
			if err != nil {
				panic(err)
			}
			return len(named)
		}},
		{"which connections may see an event", "a connection", 40, func(n int) int {
			return fanOut(snapshot, scope(n).In("shot", "sh0010"), connections)
		}},
		{"review of a person", "a row", 40, func(n int) int { return len(must(review.OfSubject(snapshot, s.User(users(n)), nil)).Rows) }},
		{"review of a project, as granted", "a row", 8, func(n int) int {
			return len(must(review.OfScope(snapshot, scope(n), &review.Options{AsGranted: true})).Rows)
		}},
	}
	if s.Size != Large() {
		list = append(list, Listing{"review of a project, people", "a row", 4, func(n int) int {
			return len(must(review.OfScope(snapshot, scope(n), nil)).Rows)
		}})
	}
	return list
}

// draw returns random numbers below n, each by its place.
func (s *Studio) draw(stream uint64, n int) func(i int) int {
	r, list := rand.New(rand.NewPCG(s.Seed, stream)), make([]int, listeners)
	for i := range list {
		list[i] = r.IntN(n)
	}
	return func(i int) int { return list[i] }
}

// listeners is how many connections hear of one event.
const listeners = 1_000

// fanOut asks of one event which connections may see it.
func fanOut(snapshot *rolecall.Snapshot, t rolecall.Scope, connections []rolecall.Subject) int {
	reach := must(snapshot.Reach(rolecall.NewPermission("version.view"), t, nil))
	may := uint32(0)
	for _, who := range connections {
		if reach.Allows(who) {
			may++
		}
	}
	keep(may)
	return len(connections)
}

// PermissionsOp asks what the subjects of questions may do at their places: one list an operation, the binding included.
func PermissionsOp(snapshot *rolecall.Snapshot, questions []Question) Op {
	i := 0
	return func(n int) {
		for range n {
			q := &questions[i]
			may := must(must(snapshot.For(q.Subject, nil)).Permissions(q.Scope, nil))
			keep(uint32(len(may)))
			if i++; i == len(questions) {
				i = 0
			}
		}
	}
}

// RulesOp is PermissionsOp with the rule of each permission.
func RulesOp(snapshot *rolecall.Snapshot, questions []Question) Op {
	i := 0
	return func(n int) {
		for range n {
			q, may := &questions[i], uint32(0)
			for range must(must(snapshot.For(q.Subject, nil)).Rules(q.Scope)) {
				may++
			}
			keep(may)
			if i++; i == len(questions) {
				i = 0
			}
		}
	}
}

// PlanWideOp plans grants of a role with more than a hundred permissions, each to one user on one project.
func PlanWideOp(s *Studio, snapshot *rolecall.Snapshot) Op {
	projects, users, i := s.draw(11, s.Projects), s.draw(12, s.Users), 0
	return func(n int) {
		for range n {
			put := rolecall.Put(rolecall.Grant{Subject: s.User(users(i)), Role: "supervisor", Scope: s.Project(projects(i))})
			must(snapshot.Plan(rolecall.Change{Edits: []rolecall.Edit{put}}))
			i = (i + 1) % listeners
		}
	}
}
