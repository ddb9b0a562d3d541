package main

import (
	"errors"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/review"
)

func reviewCommand() *cobra.Command {
	q := reviewQuestion{output: output{forms: []string{"table", "json", "csv", "html"}}}
	cmd := &cobra.Command{
		Use:   "review SCOPE|SUBJECT|ROLE -f FILE",
		Short: "Review a place, a person or a role: who has what, through what, until when",
		Long: `Review a place, a subject or a role: a row for each grant or override that reaches somebody, with the groups on the way,
what it gives and takes there, and until when. Statements without effect are told with the reason. Rows are in order of
subject, scope and statement.

` + instantHelp + ` What facts decide is told with its rule.

Exit codes: 0 reviewed; 2 called wrongly; 3 the file or a name is wrong.`,
		Example: "  rolecall review /project:alpha -o html -f studio.rolecall > alpha.html",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := q.report(args[0])
			if err != nil {
				return bad(err)
			}
			return q.print(cmd.OutOrStdout(), q.inForm(r), true)
		},
	}
	q.source.flags(cmd)
	q.output.flags(cmd)
	q.history.flags(cmd)
	cmd.Flags().BoolVar(&q.granted, "granted", false, "list groups by their names, without expanding them")
	cmd.Flags().StringVar(&q.usage, "usage", "", "a JSON file of what was used, to tell when each row was last")
	return cmd
}

type reviewQuestion struct {
	source
	output
	history
	granted bool
	usage   string
}

func (q *reviewQuestion) report(of string) (*review.Report, error) {
	f, snapshot, err := q.load()
	if err != nil {
		return nil, err
	}
	var errs []error
	now := q.instant(f, &errs)
	o := &review.Options{AsGranted: q.granted}
	if q.usage != "" {
		o.LastUsed = parse(&errs, readUsage, q.usage).LastUsed
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if snapshot, o.Provenance, err = q.history.tell(snapshot.At(now)); err != nil {
		return nil, err
	}
	switch {
	case strings.HasPrefix(of, "/"):
		t, err := rolecall.ParseScope(of)
		if err != nil {
			return nil, err
		}
		return review.OfScope(snapshot, t, o)
	case strings.Contains(of, ":") || of == rolecall.Everyone().String():
		who, err := rolecall.ParseSubject(of)
		if err != nil {
			return nil, err
		}
		return review.OfSubject(snapshot, who, o)
	}
	return review.OfRole(snapshot, rolecall.RoleName(of), o)
}

// inForm returns the answer that prints the report as -o says.
func (q *reviewQuestion) inForm(r *review.Report) answer {
	switch q.form {
	case "csv":
		return written(r.WriteCSV)
	case "html":
		return written(r.WriteHTML)
	}
	return reviewed{Report: r, usage: q.usage != "", history: q.log != ""}
}

// A written is what writes itself in a form of its own.
type written func(w io.Writer) error

func (f written) text(w io.Writer) error { return f(w) }

// A reviewed is a report as a table, with the use and the history where those are told.
type reviewed struct {
	*review.Report
	usage, history bool
}

func (r reviewed) text(w io.Writer) error {
	if len(r.Rows) == 0 {
		return nil
	}
	heads := []string{"SUBJECT", "THROUGH", "WHAT", "SCOPE", "STATE", "UNTIL", "GIVES", "TAKES"}
	if r.usage {
		heads = append(heads, "LAST USED")
	}
	if r.history {
		heads = append(heads, "SINCE", "BY", "WHY")
	}
	t := newTable(w, heads...)
	for _, row := range r.Rows {
		cells := []string{
			row.Subject.String(), row.Through(), whatOf(row), row.Scope.String(), row.State.String(),
			timeOrNone(row.Window.NotAfter), items(row.Gives), items(row.Takes),
		}
		if r.usage {
			cells = append(cells, useOf(row))
		}
		if r.history {
			cells = append(cells, originOf(row)...)
		}
		t.row(cells...)
	}
	return t.end()
}

// whatOf returns what the row is about, with all that tells it apart from others about the same.
func whatOf(row review.Row) string {
	what, when := row.What(), rolecall.Condition("")
	switch one := row.Statement.(type) {
	case rolecall.Grant:
		when = one.When
		for _, mark := range []struct {
			set  bool
			word string
		}{{one.Replace, "replace"}, {one.Pierce, "pierce"}, {one.Eligible, "eligible"}} {
			if mark.set {
				what += " " + mark.word
			}
		}
	case rolecall.Override:
		when = one.When
	}
	if when != "" {
		what += " when " + string(when)
	}
	return what
}

// useOf returns when the row was last used; nothing where it gives nothing that could be.
func useOf(row review.Row) string {
	switch {
	case !row.LastUsed.IsZero():
		return rolecall.FormatTime(row.LastUsed)
	case row.UseKnown:
		return "never"
	case len(row.Gives) > 0:
		return "not known"
	}
	return ""
}

// originOf returns since when, by whom and why.
func originOf(row review.Row) []string {
	if row.Given == nil {
		return []string{timeOrNone(row.Since), "", ""}
	}
	by := "the host"
	if !row.Given.Actor.IsZero() {
		by = row.Given.Actor.String()
	}
	if !row.Given.OnBehalf.IsZero() {
		by += " for " + row.Given.OnBehalf.String()
	}
	return []string{timeOrNone(row.Since), by, row.Given.Reason}
}

func timeOrNone(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return rolecall.FormatTime(t)
}

func items(list []review.Item) string {
	words := make([]string, len(list))
	for i, item := range list {
		words[i] = item.String()
	}
	return strings.Join(words, ", ")
}
