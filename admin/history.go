package admin

import (
	"iter"
	"slices"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/internal/statements"
	"github.com/rolecall-go/rolecall/internal/visible"
)

// A Question selects changes of the history. Each part that is not zero narrows the selection.
type Question struct {
	By         rolecall.Subject  // made by this actor, or on its behalf
	About      rolecall.Subject  // to a statement about this subject
	Role       rolecall.RoleName // to this role, or to a grant of it
	At         rolecall.Scope    // to a statement at this scope, or inside it
	From       time.Time         // not before this instant
	Until      time.Time         // before this instant
	BreakGlass bool              // by break-glass activations
}

// An Alteration is what one change did to one statement.
type Alteration struct {
	Revision rolecall.Revision
	rolecall.Meta
	rolecall.Delta
}

// String tells who did what to which statement.
func (a Alteration) String() string {
	verb, what := "changed", a.After
	switch {
	case a.Before == nil:
		verb = "added"
	case a.After == nil:
		verb, what = "removed", a.Before
	}
	who := "the host"
	if !a.Actor.IsZero() {
		who = a.Actor.String()
	}
	if !a.OnBehalf.IsZero() {
		who += " for " + a.OnBehalf.String()
	}
	text := rolecall.FormatTime(a.Time) + " " + who + " " + verb + ": " + what.String()
	if a.Reason != "" {
		text += " (" + visible.Text(a.Reason, "") + ")"
	}
	return text
}

// Changes yields what a question selects from a history, for example from Store.Changes, oldest first. An error of the
// history ends it.
func Changes(history iter.Seq2[rolecall.Entry, error], q Question) iter.Seq2[Alteration, error] {
	return func(yield func(Alteration, error) bool) {
		for e, err := range history {
			if err != nil {
				yield(Alteration{}, err)
				return
			}
			if !q.selects(e) {
				continue
			}
			for _, d := range e.Deltas {
				if q.concerns(d) && !yield(Alteration{e.Revision, e.Meta, d}, nil) {
					return
				}
			}
		}
	}
}

func (q Question) selects(e rolecall.Entry) bool {
	return (q.By.IsZero() || e.Actor == q.By || e.OnBehalf == q.By) &&
		(q.From.IsZero() || !e.Time.Before(q.From)) &&
		(q.Until.IsZero() || e.Time.Before(q.Until)) &&
		(!q.BreakGlass || IsBreakGlass(e))
}

func (q Question) concerns(d rolecall.Delta) bool {
	one := d.After
	if one == nil {
		one = d.Before
	}
	if !q.About.IsZero() && !slices.Contains(statements.Subjects(one), q.About) {
		return false
	}
	if q.Role != "" && roleOf(one) != q.Role {
		return false
	}
	return q.At.IsZero() || !statements.Scope(one).IsZero() && q.At.Contains(statements.Scope(one))
}

func roleOf(one rolecall.Statement) rolecall.RoleName {
	switch one := one.(type) {
	case rolecall.Role:
		return one.Name
	case rolecall.Grant:
		return one.Role
	}
	return ""
}
