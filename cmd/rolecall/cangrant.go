package main

import (
	"errors"
	"fmt"
	"os"
	"time"

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
takes, what it would give that the actor lacks, a separation of duty, a limit of the role. Nothing is changed. Steps in the
file are not run.

Exit codes: 0 yes; 1 no; 2 called wrongly; 3 the file or a name is wrong.`,
		Example: "  rolecall can-grant user:pia user:cleo artist /project:alpha -f studio.rolecall",
		Args:    cobra.ExactArgs(4),
		RunE: func(cmd *cobra.Command, args []string) error {
			refusal, err := g.judge(args)
			if err != nil {
				return bad(err)
			}
			answer := "yes"
			if refusal != nil {
				answer = "no\n" + refusal.Error()
			}
			if _, err := fmt.Fprintln(cmd.OutOrStdout(), answer); err != nil {
				return bad(err)
			}
			if refusal != nil {
				return exit{code: exitNo}
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVarP(&g.file, "file", "f", "", "the policy to judge by")
	f.StringVar(&g.now, "now", "", "the instant to judge at, RFC 3339 or a date")
	f.StringVar(&g.from, "from", "", "when the grant begins")
	f.StringVar(&g.until, "until", "", "when the grant ends")
	f.StringVar(&g.when, "when", "", "the condition of the grant")
	f.BoolVar(&g.replace, "replace", false, "a replace grant")
	f.BoolVar(&g.pierce, "pierce", false, "a grant that reaches into private scopes")
	f.BoolVar(&g.eligible, "eligible", false, "an eligible grant")
	cobra.CheckErr(cmd.MarkFlagRequired("file"))
	return cmd
}

// A grantQuestion is what the flags say.
type grantQuestion struct {
	file, now, from, until, when string
	replace, pierce, eligible    bool
}

// judge returns the refusal, nil where there is none. What is wrong with the words themselves is an error.
func (g *grantQuestion) judge(args []string) (refusal, err error) {
	src, err := os.ReadFile(g.file)
	if err != nil {
		return nil, err
	}
	f, s, err := policy.Load(g.file, src)
	if err != nil {
		return nil, err
	}
	change, err := g.change(f, args)
	if err != nil {
		return nil, err
	}
	_, refusal = s.Propose(change)
	if errors.Is(refusal, rolecall.ErrInvalid) || errors.Is(refusal, rolecall.ErrUnknown) || errors.Is(refusal, rolecall.ErrLimit) {
		return nil, refusal
	}
	return refusal, nil
}

func (g *grantQuestion) change(f *policy.File, args []string) (rolecall.Change, error) {
	var errs []error
	grant := rolecall.Grant{
		Subject: parse(&errs, rolecall.ParseSubject, args[1]), Role: rolecall.RoleName(args[2]), Scope: parse(&errs, rolecall.ParseScope, args[3]),
		When: rolecall.Condition(g.when), Replace: g.replace, Pierce: g.pierce, Eligible: g.eligible,
	}
	c := rolecall.Change{Meta: rolecall.Meta{Actor: parse(&errs, rolecall.ParseSubject, args[0]), Time: f.Clock}}
	if f.Clock.IsZero() {
		c.Time = time.Now()
	}
	if g.now != "" {
		c.Time = parse(&errs, rolecall.ParseTime, g.now)
	}
	if g.from != "" {
		grant.NotBefore = parse(&errs, rolecall.ParseTime, g.from)
	}
	if g.until != "" {
		grant.NotAfter = parse(&errs, rolecall.ParseTime, g.until)
	}
	c.Edits = []rolecall.Edit{rolecall.Put(grant)}
	return c, errors.Join(errs...)
}
