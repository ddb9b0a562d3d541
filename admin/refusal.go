package admin

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rolecall-go/rolecall"
)

// A Refusal is an edit that the rules refuse. errors.Is finds the code of each problem.
type Refusal struct {
	// Problems is everything that is wrong with the change.
	Problems rolecall.Problems
	// Lacks is, for an escalation, what the actor would have had to hold, a place each.
	Lacks []Lack
	// Able lists, for an escalation, some subjects who could make this very change, in order; none where there is nobody,
	// or where finding out would take long.
	Able []rolecall.Subject
	// Uses lists, for something in use, what still names it.
	Uses []rolecall.Statement
}

// Error tells what is wrong, one problem a line, and who could do it. It names subjects, roles and places, so it is for
// administrators and for the log; whoever else asked is told the code.
func (r *Refusal) Error() string {
	var b strings.Builder
	for _, p := range r.Problems {
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		if p.Code == rolecall.ErrEscalation && len(r.Lacks) > 0 {
			fmt.Fprintf(&b, "%s would give what they may not do: %s (%s)", p.Word, join(r.Lacks, "; "), p.Code)
			continue
		}
		b.WriteString(p.Error())
	}
	if len(r.Able) > 0 {
		fmt.Fprintf(&b, "\nthis could be done by %s", join(r.Able, ", "))
	}
	return b.String()
}

func join[S fmt.Stringer](list []S, separator string) string {
	texts := make([]string, len(list))
	for i, s := range list {
		texts[i] = s.String()
	}
	return strings.Join(texts, separator)
}

// Unwrap returns the problems.
func (r *Refusal) Unwrap() error { return r.Problems }

// A Lack is what an actor lacks at one place and everywhere inside.
type Lack struct {
	Scope       rolecall.Scope
	Permissions []rolecall.Permission // declared ones, in order
	// Later says that a pattern with a star is in play, so that permissions declared later are missing as well.
	Later bool
}

// String lists the permissions and the place, for example: budget.update, budget.view at /project:alpha.
func (l Lack) String() string {
	text := join(l.Permissions, ", ")
	switch {
	case l.Later && text == "":
		text = "what is declared later"
	case l.Later:
		text += " and what is declared later"
	}
	return text + " at " + l.Scope.String()
}

// A VetoError is a change that the rules allow and a hook of the host does not.
type VetoError struct{ Cause error }

// Error tells the hook's reason.
func (v *VetoError) Error() string { return "vetoed: " + v.Cause.Error() }

// Unwrap returns the hook's reason.
func (v *VetoError) Unwrap() error { return v.Cause }

// problem is an error of one problem.
func problem(code rolecall.Code, place, word, detail string) error {
	return rolecall.Problems{{Code: code, Place: place, Word: word, Detail: detail}}
}

// wrong is what is wrong with something that a change names.
func wrong(code rolecall.Code, word, detail string) error {
	return problem(code, "change", word, detail)
}

// fault is what is wrong with a statement.
func fault(code rolecall.Code, s rolecall.Statement, word, detail string) error {
	return rolecall.Problems{{Code: code, Place: rolecall.KeyOf(s).String(), Word: word, Detail: detail, Statement: s}}
}

// refuse makes a Refusal of an error that holds problems; other errors stay as they are.
func refuse(s *rolecall.Snapshot, c rolecall.Change, err error) error {
	var veto *VetoError
	if errors.As(err, &veto) {
		return veto
	}
	problems := rolecall.ProblemsOf(err)
	if problems == nil {
		return err
	}
	r := &Refusal{Problems: problems}
	for _, p := range problems {
		if p.Code == rolecall.ErrInUse && p.Statement != nil {
			r.Uses = append(r.Uses, p.Statement)
		}
	}
	if s != nil && errors.Is(err, rolecall.ErrEscalation) {
		r.Lacks = lacks(s.Catalog(), problems)
		r.Able = able(s, c, problems)
	}
	return r
}

// lacks gathers what is missing place by place.
func lacks(c *rolecall.Catalog, problems []*rolecall.Problem) []Lack {
	declared := slices.Collect(c.Permissions())
	byScope := map[rolecall.Scope]*Lack{}
	for _, p := range problems {
		for _, m := range p.Missing {
			l := byScope[m.Scope]
			if l == nil {
				l = &Lack{Scope: m.Scope}
				byScope[m.Scope] = l
			}
			switch {
			case !slices.Contains(declared, m.Permission):
				l.Later = true
			case !slices.Contains(l.Permissions, m.Permission):
				l.Permissions = append(l.Permissions, m.Permission)
			}
		}
	}
	var list []Lack
	for _, l := range byScope {
		slices.SortFunc(l.Permissions, rolecall.Permission.Compare)
		list = append(list, *l)
	}
	slices.SortFunc(list, func(a, b Lack) int { return a.Scope.Compare(b.Scope) })
	return list
}

// Bounds on the search for somebody who could make a change.
const (
	mostAble  = 8
	mostTries = 32
)

// able finds subjects who could make the change: of those who hold what is missing, or may escalate, at the first place
// where something is missing, the ones whom the rules let.
func able(s *rolecall.Snapshot, c rolecall.Change, problems []*rolecall.Problem) []rolecall.Subject {
	var list []rolecall.Subject
	for _, who := range candidates(s, problems) {
		c.Meta, c.Narrow = rolecall.Meta{Actor: who}, rolecall.Narrowing{}
		if _, err := s.Propose(c); err == nil {
			list = append(list, who)
		}
		if len(list) == mostAble {
			break
		}
	}
	return list
}

func candidates(s *rolecall.Snapshot, problems []*rolecall.Problem) []rolecall.Subject {
	i := slices.IndexFunc(problems, func(p *rolecall.Problem) bool { return len(p.Missing) > 0 })
	if i < 0 {
		return nil
	}
	var list []rolecall.Subject
	m := problems[i].Missing[0]
	for _, p := range []rolecall.Permission{rolecall.Escalate, m.Permission} {
		named, _, err := s.Who(p, m.Scope, nil) // an undeclared permission has no holders
		if err == nil {
			list = append(list, named...)
		}
	}
	slices.SortFunc(list, rolecall.Subject.Compare)
	list = slices.Compact(list)
	return list[:min(len(list), mostTries)]
}
