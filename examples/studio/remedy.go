package main

import (
	"cmp"
	"slices"

	"github.com/rolecall-go/rolecall"
)

// A remedy is one change that would allow what is denied, and how much else it would open.
type remedy struct {
	form        string // what kind of change it is
	edit        rolecall.Edit
	permissions int // that the subject would gain there
	others      int // other people who would gain what was asked for
}

func (r remedy) String() string {
	if r.edit.Op == rolecall.OpRemove {
		return "remove " + r.edit.Statement.String()
	}
	return r.edit.Statement.String()
}

// A question is a request that was denied.
type question struct {
	who        rolecall.Subject
	permission rolecall.Permission
	at         rolecall.Scope
}

// remedies returns the single changes that would allow what is denied, the one that opens least first, and of each form
// the one that opens least. Each was tried: it is judged on the snapshot like any change, and the snapshot that would
// follow is asked the question again.
func remedies(s *rolecall.Snapshot, q question) ([]remedy, error) {
	before, err := opened(s, q)
	if err != nil {
		return nil, err
	}
	var working []remedy
	for _, r := range candidates(s, q) {
		proposal, err := s.Propose(rolecall.Change{Meta: rolecall.Meta{Reason: "try"}, Edits: []rolecall.Edit{r.edit}})
		if err != nil {
			continue // not a change that this policy accepts
		}
		next := proposal.Next().At(s.Now())
		if next.Check(q.who, q.permission, q.at) != nil {
			continue
		}
		after, err := opened(next, q)
		if err != nil {
			return nil, err
		}
		r.permissions, r.others = after.permissions-before.permissions, after.people-before.people-1
		working = append(working, r)
	}
	slices.SortStableFunc(working, func(a, b remedy) int {
		return cmp.Or(cmp.Compare(a.others, b.others), cmp.Compare(a.permissions, b.permissions))
	})
	return firstOfForm(working), nil
}

func firstOfForm(sorted []remedy) []remedy {
	seen := map[string]bool{}
	return slices.DeleteFunc(sorted, func(r remedy) bool {
		again := seen[r.form]
		seen[r.form] = true
		return again
	})
}

// candidates lists what might help, from least privilege up.
func candidates(s *rolecall.Snapshot, q question) []remedy {
	tries := []remedy{{form: "one permission", edit: rolecall.Put(rolecall.Override{
		Subject: q.who, Effect: rolecall.Allow, Pattern: rolecall.Pattern(q.permission.String()), Scope: q.at,
	})}}
	for role := range s.Roles() {
		tries = append(tries, remedy{form: "a role", edit: rolecall.Put(rolecall.Grant{
			Subject: q.who, Role: role.Name, Scope: q.at,
		})})
	}
	for group := range s.Subjects() {
		if group.IsGroup() && s.Check(group, q.permission, q.at) == nil {
			tries = append(tries, remedy{form: "a group", edit: rolecall.Put(rolecall.Membership{Member: q.who, Group: group})})
		}
	}
	for scope := range q.at.Ancestors() {
		if _, private := s.Find(rolecall.KeyOf(rolecall.PrivateScope{Scope: scope})); private {
			tries = append(tries, remedy{form: "opening it", edit: rolecall.Remove(rolecall.PrivateScope{Scope: scope})})
		}
	}
	return tries
}

// An opening is how open a place is to a subject and to others.
type opening struct{ permissions, people int }

func opened(s *rolecall.Snapshot, q question) (opening, error) {
	may, err := everyday(s, q.who, q.at, nil)
	if err != nil {
		return opening{}, err
	}
	people, _, err := s.Who(q.permission, q.at, nil)
	return opening{len(may), len(people)}, err
}
