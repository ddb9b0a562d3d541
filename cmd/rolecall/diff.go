package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/policy"
	"github.com/rolecall-go/rolecall/review"
)

func diffCommand() *cobra.Command {
	var q diffQuestion
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Tell two policies apart: what they say, and who may do more or less",
		Long: `Tell two policies apart: the declarations and statements that differ, however they are spelled and arranged, and who would
gain and who would lose what where, exactly and for all facts, as plan tells it. A permission that only one of them declares
counts as not allowed by the other.

Windows are judged at the instant of --now, otherwise at the clock line of NEW, otherwise at the present. Steps in the files
are not run.

Exit codes: 0 no difference; 1 differences; 2 called wrongly; 3 a file is wrong.`,
		Example: "  rolecall diff studio.rolecall proposed.rolecall",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if q.statements && q.effects {
				return errors.New("--statements and --effects do not go together")
			}
			a, err := q.compare(args[0], args[1])
			if err != nil {
				return bad(err)
			}
			return q.print(cmd.OutOrStdout(), a, a.same())
		},
	}
	q.source.instantFlag(cmd)
	q.output.flags(cmd)
	cmd.Flags().BoolVar(&q.statements, "statements", false, "only what the policies say")
	cmd.Flags().BoolVar(&q.effects, "effects", false, "only who may do more or less")
	return cmd
}

type diffQuestion struct {
	source
	output
	statements, effects bool
}

// Differences are the answer of diff.
type differences struct {
	Now          time.Time          `json:"now"`
	Declarations *lineDelta         `json:"declarations,omitzero"`
	Statements   []rolecall.Delta   `json:"statements,omitzero"`
	Gained       []effect           `json:"gained,omitzero"`
	Lost         []effect           `json:"lost,omitzero"`
	Apart        []rolecall.Subject `json:"apart,omitzero"`
}

type lineDelta struct {
	Removed []string `json:"removed"`
	Added   []string `json:"added"`
}

func (q *diffQuestion) compare(oldName, newName string) (*differences, error) {
	oldFile, before, oldErr := readPolicy(oldName)
	newFile, after, newErr := readPolicy(newName)
	if err := errors.Join(oldErr, newErr); err != nil {
		return nil, err
	}
	var errs []error
	now := q.instant(newFile, &errs)
	if errs != nil {
		return nil, errors.Join(errs...)
	}
	c, err := review.Compare(before.At(now), after.At(now))
	if err != nil {
		return nil, err
	}
	d := &differences{Now: now.UTC()}
	if !q.effects {
		d.Declarations = declarationDelta(oldFile.Declarations, newFile.Declarations)
		d.Statements = append([]rolecall.Delta{}, c.Statements()...)
	}
	if !q.statements {
		d.Gained, d.Lost, d.Apart = told(c.Gained()), told(c.Lost()), append([]rolecall.Subject{}, slices.Collect(c.Apart())...)
	}
	return d, nil
}

func declarationDelta(before, after rolecall.Declarations) *lineDelta {
	lines := func(d rolecall.Declarations) []string {
		return strings.Split(strings.TrimSpace(string(policy.Format(d, nil))), "\n")
	}
	return &lineDelta{missing(lines(before), lines(after)), missing(lines(after), lines(before))}
}

// missing returns the lines that are not among others.
func missing(lines, others []string) []string {
	there := map[string]bool{"": true}
	for _, l := range others {
		there[l] = true
	}
	return slices.DeleteFunc(append([]string{}, lines...), func(l string) bool { return there[l] })
}

func (d *differences) same() bool {
	return (d.Declarations == nil || len(d.Declarations.Removed)+len(d.Declarations.Added) == 0) &&
		len(d.Statements)+len(d.Gained)+len(d.Lost) == 0
}

func (d *differences) text(w io.Writer) error {
	if d.Declarations != nil {
		writeLines(w, "-", d.Declarations.Removed, nil)
		writeLines(w, "+", d.Declarations.Added, nil)
	}
	writeDeltas(w, d.Statements)
	if len(d.Gained)+len(d.Lost) == 0 {
		return nil
	}
	if d.Declarations != nil {
		fmt.Fprintln(w)
	}
	return writeEffects(w, d.Gained, d.Lost, d.Apart)
}
