package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/review"
)

func lintCommand() *cobra.Command {
	q := lintQuestion{output: output{forms: []string{"table", "json", "edits"}}}
	cmd := &cobra.Command{
		Use:   "lint -f FILE",
		Short: "Look for what is unused, needless, too wide or fragile in a policy",
		Long: `Look for what is unused, needless, too wide or fragile in a policy, and propose a change for each finding: the most severe
first, then by code, statement and subject. docs/lint.md tells of every code. -o edits prints the proposed changes, ready for
plan; choose among them, since some may get in each other's way.

` + instantHelp + `

Exit codes: 0 nothing found; 1 something found; 2 called wrongly; 3 a file or a name is wrong.`,
		Example: "  rolecall lint -f studio.rolecall --least warning --off global-grant",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a, err := q.look()
			if err != nil {
				return bad(err)
			}
			if q.form == "edits" {
				return q.print(cmd.OutOrStdout(), proposals{a}, len(a.Findings) == 0)
			}
			return q.print(cmd.OutOrStdout(), a, len(a.Findings) == 0)
		},
	}
	q.source.flags(cmd)
	q.output.flags(cmd)
	q.history.flags(cmd)
	f := cmd.Flags()
	f.StringSliceVar(&q.off, "off", nil, "codes not to look for, separated by commas")
	f.StringVar(&q.least, "least", "note", "the least severity to tell: note, warning or serious")
	f.StringSliceVar(&q.external, "external", nil, "the kinds of subject that are outsiders, separated by commas (default: guest)")
	f.DurationVar(&q.term, "term", 0, "how long from now the end is that is proposed for an outsider (default: 90 days)")
	f.StringVar(&q.deputy, "deputy", "", "who is proposed as the second holder of what one alone has (default: a colleague)")
	f.StringVar(&q.usage, "usage", "", "a JSON file of what was used, for what nobody uses")
	f.DurationVar(&q.dormant, "dormant", 0, "how long somebody uses nothing before being dormant (default: 90 days)")
	return cmd
}

type lintQuestion struct {
	source
	output
	history
	off, external        []string
	least, deputy, usage string
	term, dormant        time.Duration
}

// A lintAnswer is the answer of lint.
type lintAnswer struct {
	Now      time.Time `json:"now"`
	Findings []finding `json:"findings"`
}

// A finding is a diagnostic and the line that it is about, 0 where it is about none.
type finding struct {
	review.Diagnostic
	line int
}

// MarshalJSON writes the diagnostic, with its line where there is one.
func (f finding) MarshalJSON() ([]byte, error) {
	text, err := f.Diagnostic.MarshalJSON()
	if err != nil || f.line == 0 {
		return text, err
	}
	return append([]byte(`{"line":`+strconv.Itoa(f.line)+","), text[1:]...), nil
}

func (q *lintQuestion) look() (*lintAnswer, error) {
	f, snapshot, err := q.load()
	if err != nil {
		return nil, err
	}
	var errs []error
	o, now := q.options(&errs), q.instant(f, &errs)
	least := parse(&errs, severityOf, q.least)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if snapshot, o.Provenance, err = q.history.tell(snapshot.At(now)); err != nil {
		return nil, err
	}
	found, err := review.Lint(snapshot, o)
	if err != nil {
		return nil, err
	}
	a := &lintAnswer{Now: now.UTC(), Findings: []finding{}}
	lines := f.Lines()
	for _, d := range found {
		if d.Severity >= least {
			a.Findings = append(a.Findings, finding{d, lineOf(d, lines)})
		}
	}
	return a, nil
}

func lineOf(d review.Diagnostic, lines map[rolecall.StatementKey]int) int {
	if len(d.Statements) == 0 {
		return 0
	}
	return lines[rolecall.KeyOf(d.Statements[0])]
}

func (q *lintQuestion) options(errs *[]error) *review.LintOptions {
	o := &review.LintOptions{Off: as[review.LintCode](q.off), Term: q.term, Dormant: q.dormant}
	if q.external != nil {
		o.External = as[rolecall.SubjectKind](q.external)
	}
	o.Deputy = optional(errs, rolecall.ParseSubject, q.deputy)
	o.Usage = optional(errs, readUsage, q.usage)
	return o
}

func readUsage(name string) (*review.Usage, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	u := &review.Usage{}
	if err := json.Unmarshal(text, u); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return u, nil
}

func severityOf(word string) (review.Severity, error) {
	for _, s := range []review.Severity{review.Note, review.Warning, review.Serious} {
		if s.String() == word {
			return s, nil
		}
	}
	return 0, &rolecall.Problem{Code: rolecall.ErrUnknown, Word: word, Detail: "a severity is note, warning or serious"}
}

func (a *lintAnswer) text(w io.Writer) error {
	if len(a.Findings) == 0 {
		return nil
	}
	t := newTable(w, "LINE", "SEVERITY", "CODE", "FINDING", "PROPOSAL")
	for _, f := range a.Findings {
		line := ""
		if f.line > 0 {
			line = strconv.Itoa(f.line)
		}
		t.row(line, f.Severity.String(), string(f.Code), f.Message, f.Fix.Message)
	}
	return t.end()
}

// Proposals are the changes that an answer of lint proposes, as plan reads them.
type proposals struct{ *lintAnswer }

func (p proposals) text(w io.Writer) error {
	for _, f := range p.Findings {
		if len(f.Fix.Edits) == 0 {
			continue
		}
		fmt.Fprintf(w, "# %s: %s: %s\n", f.Severity, visibly(f.Message), visibly(f.Fix.Message))
		for _, e := range f.Fix.Edits {
			fmt.Fprintln(w, e)
		}
	}
	return nil
}
