package rolecalltest

import (
	"fmt"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/rolecall-go/rolecall"
)

// A Matrix is the questions of every subject, permission and scope that it names.
type Matrix struct {
	Subjects    []rolecall.Subject
	Permissions []rolecall.Permission
	Scopes      []rolecall.Scope
	// Facts returns the facts for a subject at a scope. Nil says that no condition holds.
	Facts func(rolecall.Subject, rolecall.Scope) rolecall.Facts
}

// Check compares the answers with a golden file, a table with a line for each subject and scope and a column for each
// permission; a cell says allow, or - for denied, or error. A change of policy shows as a change of the table, for
// somebody to review.
func (m Matrix) Check(tb testing.TB, d Decider, file string) {
	tb.Helper()
	if len(m.Subjects) == 0 || len(m.Permissions) == 0 || len(m.Scopes) == 0 {
		tb.Fatal("a matrix names subjects, permissions and scopes; this one leaves some out")
	}
	golden(tb, file, m.table(tb, d))
}

func (m Matrix) table(tb testing.TB, d Decider) string {
	tb.Helper()
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	line := []string{"subject", "scope"}
	for _, p := range m.Permissions {
		line = append(line, p.String())
	}
	fmt.Fprintln(w, strings.Join(line, "\t"))
	for _, s := range m.Subjects {
		for _, t := range m.Scopes {
			line = append(line[:0], s.String(), t.String())
			for _, p := range m.Permissions {
				line = append(line, m.cell(tb, d, s, p, t))
			}
			fmt.Fprintln(w, strings.Join(line, "\t"))
		}
	}
	if err := w.Flush(); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

func (m Matrix) cell(tb testing.TB, d Decider, s rolecall.Subject, p rolecall.Permission, t rolecall.Scope) string {
	tb.Helper()
	r := rolecall.Request{Subject: s, Permission: p, Scope: t}
	if m.Facts != nil {
		r.Facts = m.Facts(s, t)
	}
	got, err := ask(d, r)
	switch {
	case err != nil:
		tb.Errorf("%s %s at %s: %v", s, p, t, err)
		return "error"
	case got.Allowed():
		return "allow"
	}
	return "-"
}
