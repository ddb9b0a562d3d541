package main

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rolecall-go/rolecall"
)

func whoCanCommand() *cobra.Command {
	var q audienceQuestion
	cmd := &cobra.Command{
		Use:   "who-can PERMISSION SCOPE -f FILE",
		Short: "List who may do something somewhere, and through what",
		Long: `List who may do something somewhere: every subject but groups that the policy names, and everyone if a subject that it
names nowhere may, each with the memberships, the grant or override and the rule that decide. With --granted list instead
who has it as granted, groups and everyone by their names; some members of a group may be denied all the same.

` + questionHelp + `

Subjects are in order of kind and id, with everyone last; --after goes on after one of them.

Exit codes: 0 somebody may; 1 nobody may; 2 called wrongly; 3 the file or a name in the question is wrong.`,
		Example: "  rolecall who-can task.update /project:alpha --given assigned -f studio.rolecall",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := q.check(); err != nil {
				return err
			}
			a, err := q.ask(args)
			if err != nil {
				return bad(err)
			}
			if q.output.form == "table" {
				defer tellMore(cmd.ErrOrStderr(), a.next())
			}
			return q.print(cmd.OutOrStdout(), a, len(a.Subjects) > 0)
		},
	}
	q.source.flags(cmd)
	q.conditions.flags(cmd)
	q.page.flags(cmd)
	q.output.flags(cmd)
	cmd.Flags().BoolVar(&q.granted, "granted", false, "list who has it as granted, without expanding groups")
	return cmd
}

type audienceQuestion struct {
	source
	conditions
	page
	output
	granted bool
}

// An audience is the answer of who-can.
type audience struct {
	Permission rolecall.Permission `json:"permission"`
	Scope      rolecall.Scope      `json:"scope"`
	Now        time.Time           `json:"now"`
	Everyone   bool                `json:"everyone"`
	Subjects   []listener          `json:"subjects"`
	Next       rolecall.Subject    `json:"next,omitzero"`
}

// A listener is one of an audience.
type listener struct {
	Subject  rolecall.Subject   `json:"subject"`
	Deciding []rolecall.Finding `json:"deciding"`
}

func (q *audienceQuestion) ask(args []string) (*audience, error) {
	f, snapshot, err := q.load()
	if err != nil {
		return nil, err
	}
	var errs []error
	a := &audience{
		Permission: parse(&errs, rolecall.ParsePermission, args[0]),
		Scope:      parse(&errs, rolecall.ParseScope, args[1]),
		Now:        q.instant(f, &errs).UTC(),
	}
	facts := q.facts(f, &errs)
	after := optional(&errs, rolecall.ParseSubject, q.after)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	found, err := snapshot.At(a.Now).Audience(a.Permission, a.Scope, func(rolecall.Subject) rolecall.Facts { return facts })
	if err != nil {
		return nil, err
	}
	return a, a.fill(q, found, after)
}

func (a *audience) fill(q *audienceQuestion, found *rolecall.Audience, after rolecall.Subject) error {
	a.Everyone, a.Subjects = found.Everyone(), []listener{}
	subjects, more := cut(&q.page, everybody(found, q.granted, after))
	for _, who := range subjects {
		d, err := found.Decide(who)
		if err != nil {
			return err
		}
		a.Subjects = append(a.Subjects, listener{who, d.Deciding()})
	}
	if more {
		a.Next = subjects[len(subjects)-1]
	}
	return nil
}

// everybody yields who may, and everyone after them.
func everybody(found *rolecall.Audience, granted bool, after rolecall.Subject) iter.Seq[rolecall.Subject] {
	if granted {
		return found.Holders(after)
	}
	return func(yield func(rolecall.Subject) bool) {
		for who := range found.Subjects(after) {
			if !yield(who) {
				return
			}
		}
		if found.Everyone() && after != rolecall.Everyone() {
			yield(rolecall.Everyone())
		}
	}
}

func (a *audience) next() string {
	if a.Next.IsZero() {
		return ""
	}
	return a.Next.String()
}

func (a *audience) text(w io.Writer) error {
	if len(a.Subjects) == 0 {
		return nil
	}
	t := newTable(w, "SUBJECT", "THROUGH", "STATEMENT", "RULE")
	for _, who := range a.Subjects {
		for _, f := range who.Deciding {
			t.row(who.Subject.String(), through(f), firstLine(f.Statement), ruleOf(f))
		}
	}
	return t.end()
}

// through names the groups on the way from the subject to whose statement it is.
func through(f rolecall.Finding) string {
	var names []string
	for _, g := range f.Path[1:] {
		names = append(names, g.String())
	}
	return strings.Join(names, " in ")
}

func ruleOf(f rolecall.Finding) string {
	if f.Rule == nil {
		return ""
	}
	return fmt.Sprintf("%s: %s", f.Role, f.Rule)
}

func firstLine(s rolecall.Statement) string {
	first, _, _ := strings.Cut(s.String(), "\n")
	return first
}
