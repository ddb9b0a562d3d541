package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/policy"
)

func planCommand() *cobra.Command {
	var q planQuestion
	cmd := &cobra.Command{
		Use:   "plan [EDITS|-] -f FILE",
		Short: "Say what a change would do: who would gain and who would lose what",
		Long: `Say what a change would do, and change nothing: the statements that it adds and removes, and who would gain and who would
lose what where, exactly and for all facts. The edits are those of the file EDITS, of standard input where - stands for it,
or those of each --edit: one a line, written as after the do of a scenario, a role over its following lines.

With --by the change is judged as made by that actor, by the rules of administration too. A change that is refused is told
with all that is in the way of it.

What an effect says holds at its scope and everywhere inside, as far as no other effect on the subject and permission
further in says otherwise; the last column holds at private scopes inside, and in there. Everyone stands for all but those
named below the table and the suspended, those that the policy names nowhere included.

` + instantHelp + `

Exit codes: 0 it can be done; 1 it is refused; 2 called wrongly; 3 the file, the edits or a name in them is wrong.`,
		Example: "  rolecall plan edits -f studio.rolecall\n" +
			"  rolecall plan --edit 'suspend user:ada' --by user:pia --summary -f studio.rolecall",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (len(args) == 0) == (len(q.edits) == 0) {
				return errors.New("a change has edits: name a file of them, or give --edit")
			}
			a, err := q.judge(cmd.InOrStdin(), args)
			if err != nil {
				return bad(err)
			}
			return q.print(cmd.OutOrStdout(), a, !a.Refused)
		},
	}
	q.source.flags(cmd)
	q.output.flags(cmd)
	f := cmd.Flags()
	f.StringArrayVarP(&q.edits, "edit", "e", nil, "an edit; may be given again")
	f.StringVar(&q.by, "by", "", "who makes the change (default: the host itself, who may)")
	f.StringVar(&q.onBehalf, "on-behalf", "", "for whom the actor acts")
	f.StringVar(&q.reason, "reason", "", "why the change is made")
	f.BoolVar(&q.summary, "summary", false, "tell people alike together, and permissions alike")
	return cmd
}

type planQuestion struct {
	source
	output
	edits                []string
	by, onBehalf, reason string
	summary              bool
}

// A planAnswer is the answer of plan.
type planAnswer struct {
	Now        time.Time        `json:"now"`
	Refused    bool             `json:"refused"`
	Problems   []fault          `json:"problems,omitempty"`
	Statements []rolecall.Delta `json:"statements"`
	Gained     []effect         `json:"gained"`
	Lost       []effect         `json:"lost"`
	// Apart are those for whom the effects on everyone do not count.
	Apart   []rolecall.Subject `json:"apart"`
	plan    *rolecall.Plan
	summary bool
}

func (q *planQuestion) judge(in io.Reader, args []string) (*planAnswer, error) {
	f, snapshot, err := q.load()
	if err != nil {
		return nil, err
	}
	edits, err := q.read(in, args)
	if err != nil {
		return nil, err
	}
	c, err := q.change(f)
	if err != nil {
		return nil, err
	}
	c.Edits = edits.List
	p, err := snapshot.At(c.Time).Plan(c)
	if err != nil {
		return refused(c.Time, edits.Locate(err))
	}
	return &planAnswer{
		Now: c.Time.UTC(), Statements: p.Proposal().Entry().Deltas, plan: p, summary: q.summary,
		Gained: told(p.Gained()), Lost: told(p.Lost()), Apart: append([]rolecall.Subject{}, slices.Collect(p.Apart())...),
	}, nil
}

func refused(now time.Time, err error) (*planAnswer, error) {
	if !isRefusal(err) {
		return nil, err
	}
	return &planAnswer{
		Now: now.UTC(), Refused: true, Problems: faultsOf(err), Statements: []rolecall.Delta{},
		Gained: []effect{}, Lost: []effect{}, Apart: []rolecall.Subject{},
	}, nil
}

func (q *planQuestion) change(f *policy.File) (rolecall.Change, error) {
	var errs []error
	meta := rolecall.Meta{
		Reason:   q.reason,
		Time:     q.instant(f, &errs),
		Actor:    optional(&errs, rolecall.ParseSubject, q.by),
		OnBehalf: optional(&errs, rolecall.ParseSubject, q.onBehalf),
	}
	return rolecall.Change{Meta: meta}, errors.Join(errs...)
}

// read reads the edits of the file, of standard input or of the flags.
func (q *planQuestion) read(in io.Reader, args []string) (*policy.Edits, error) {
	switch {
	case len(args) == 0:
		return policy.ParseEdits("--edit", []byte(strings.Join(q.edits, "\n")))
	case args[0] == "-":
		src, err := io.ReadAll(in)
		if err != nil {
			return nil, err
		}
		return policy.ParseEdits("standard input", src)
	}
	src, err := os.ReadFile(args[0])
	if err != nil {
		return nil, err
	}
	return policy.ParseEdits(args[0], src)
}

func (a *planAnswer) text(w io.Writer) error {
	switch {
	case a.Refused:
		fmt.Fprintln(w, "refused")
		for _, p := range a.Problems {
			fmt.Fprintln(w, visibly(p.String()))
		}
		return nil
	case len(a.Statements) == 0:
		_, err := fmt.Fprintln(w, "nothing changes")
		return err
	}
	writeDeltas(w, a.Statements)
	fmt.Fprintln(w)
	if a.summary || a.plan.Empty() {
		_, rest, _ := strings.Cut(a.plan.String(), "\n") // the first line names a revision, which a file does not have
		for line := range strings.SplitSeq(rest, "\n") {
			fmt.Fprintln(w, visibly(strings.TrimPrefix(line, "  ")))
		}
		return nil
	}
	return writeEffects(w, a.Gained, a.Lost, a.Apart)
}
