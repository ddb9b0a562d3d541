package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/policy"
)

func canGrantCommand() *cobra.Command {
	var g grantQuestion
	cmd := &cobra.Command{
		Use:   "can-grant ACTOR SUBJECT ROLE SCOPE -f FILE",
		Short: "Say whether somebody may give a role to a subject at a scope: yes or no, and why not",
		Long: `Say whether somebody may give a role to a subject at a scope, and if not what is in the way: the permission that this
takes, what it would give that the actor lacks, a separation of duty, a limit of the role. Nothing is changed.

` + instantHelp + `

Exit codes: 0 yes; 1 no; 2 called wrongly; 3 the file or a name is wrong.`,
		Example: "  rolecall can-grant user:pia user:cleo artist /project:alpha -f studio.rolecall",
		Args:    cobra.ExactArgs(4),
		RunE: func(cmd *cobra.Command, args []string) error {
			a, err := g.judge(args)
			if err != nil {
				return bad(err)
			}
			return g.print(cmd.OutOrStdout(), a, a.Allowed)
		},
	}
	g.source.flags(cmd)
	g.output.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&g.from, "from", "", "when the grant begins")
	f.StringVar(&g.until, "until", "", "when the grant ends")
	f.StringVar(&g.when, "when", "", "the condition of the grant")
	f.BoolVar(&g.replace, "replace", false, "a replace grant")
	f.BoolVar(&g.pierce, "pierce", false, "a grant that reaches into private scopes")
	f.BoolVar(&g.eligible, "eligible", false, "an eligible grant")
	return cmd
}

// A grantQuestion is what the flags say.
type grantQuestion struct {
	source
	output
	from, until, when         string
	replace, pierce, eligible bool
}

// judge tells what is in the way. What is wrong with the words themselves is an error.
func (g *grantQuestion) judge(args []string) (*grantAnswer, error) {
	f, s, err := g.load()
	if err != nil {
		return nil, err
	}
	change, err := g.change(f, args)
	if err != nil {
		return nil, err
	}
	_, err = s.Propose(change)
	if err != nil && !isRefusal(err) {
		return nil, err
	}
	return &grantAnswer{Allowed: err == nil, Problems: faultsOf(err)}, nil
}

type grantAnswer struct {
	Allowed  bool    `json:"allowed"`
	Problems []fault `json:"problems,omitempty"`
}

func (a *grantAnswer) text(w io.Writer) error {
	answer := "yes"
	if !a.Allowed {
		answer = "no"
	}
	for _, p := range a.Problems {
		answer += "\n" + visibly(p.String())
	}
	_, err := fmt.Fprintln(w, answer)
	return err
}

func (g *grantQuestion) change(f *policy.File, args []string) (rolecall.Change, error) {
	var errs []error
	grant := rolecall.Grant{
		Subject: parse(&errs, rolecall.ParseSubject, args[1]), Role: rolecall.RoleName(args[2]), Scope: parse(&errs, rolecall.ParseScope, args[3]),
		When: rolecall.Condition(g.when), Replace: g.replace, Pierce: g.pierce, Eligible: g.eligible,
		Window: rolecall.Window{NotBefore: optional(&errs, rolecall.ParseTime, g.from), NotAfter: optional(&errs, rolecall.ParseTime, g.until)},
	}
	c := rolecall.Change{Meta: rolecall.Meta{Actor: parse(&errs, rolecall.ParseSubject, args[0]), Time: g.instant(f, &errs)}}
	c.Edits = []rolecall.Edit{rolecall.Put(grant)}
	return c, errors.Join(errs...)
}
