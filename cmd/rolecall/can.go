package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/policy"
)

const questionHelp = `The question is judged at the instant of --now, otherwise at the file's clock line, otherwise
at the present; a condition holds only where --given says so. Steps in the file are not run.

Exit codes: 0 allowed; 1 denied; 2 called wrongly; 3 the file or a name in the question is wrong.`

func canCommand() *cobra.Command {
	var q question
	cmd := &cobra.Command{
		Use:     "can SUBJECT PERMISSION SCOPE -f FILE",
		Short:   "Say whether a subject may do something somewhere: yes or no",
		Long:    "Say whether a subject may do something somewhere: yes or no.\n\n" + questionHelp,
		Example: "  rolecall can user:ada task.update /project:alpha/shot:010 --given assigned -f studio.rolecall",
		Args:    cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := q.decide(args)
			if err != nil {
				return err
			}
			answer := "no"
			if d.Allowed() {
				answer = "yes"
			}
			return q.answer(cmd, d, answer)
		},
	}
	q.flags(cmd.Flags())
	cobra.CheckErr(cmd.MarkFlagRequired("file"))
	return cmd
}

func explainCommand() *cobra.Command {
	var q question
	cmd := &cobra.Command{
		Use:     "explain SUBJECT PERMISSION SCOPE -f FILE",
		Short:   "Say why a subject may or may not do something somewhere",
		Long:    "Say why a subject may or may not do something somewhere: what decided, and what lost to what.\n\n" + questionHelp,
		Example: "  rolecall explain user:ada task.update /project:alpha/shot:010 --given assigned -f studio.rolecall",
		Args:    cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := q.decide(args)
			if err != nil {
				return err
			}
			return q.answer(cmd, d, d.String())
		},
	}
	q.flags(cmd.Flags())
	cobra.CheckErr(cmd.MarkFlagRequired("file"))
	return cmd
}

// A question is what the flags say.
type question struct {
	file, now, actor      string
	given, unknown, group []string
	roles, only           []string
}

func (q *question) flags(f *pflag.FlagSet) {
	f.StringVarP(&q.file, "file", "f", "", "the policy to ask")
	f.StringArrayVar(&q.given, "given", nil, "a condition that holds; may be given again")
	f.StringArrayVar(&q.unknown, "unknown", nil, "a condition of which nobody can say whether it holds; may be given again")
	f.StringVar(&q.now, "now", "", "the instant to judge at, RFC 3339 or a date (default: the file's clock line, else the present)")
	f.StringArrayVar(&q.group, "group", nil, "a further group of the subject; may be given again")
	f.StringSliceVar(&q.roles, "roles", nil, "keep only what comes through these roles, separated by commas")
	f.StringSliceVar(&q.only, "only", nil, "keep only the permissions that match these patterns, separated by commas")
	f.StringVar(&q.actor, "actor", "", "who acts on behalf of the subject")
}

// answer prints the answer and exits accordingly.
func (q *question) answer(cmd *cobra.Command, d rolecall.Decision, text string) error {
	if _, err := fmt.Fprintln(cmd.OutOrStdout(), text); err != nil {
		return bad(err)
	}
	if !d.Allowed() {
		return exit{code: exitNo}
	}
	return nil
}

// decide loads the file and asks it.
func (q *question) decide(args []string) (rolecall.Decision, error) {
	src, err := os.ReadFile(q.file)
	if err != nil {
		return rolecall.Decision{}, bad(err)
	}
	f, snapshot, err := policy.Load(q.file, src)
	if err != nil {
		return rolecall.Decision{}, bad(err)
	}
	request, err := q.request(f, args)
	if err != nil {
		return rolecall.Decision{}, bad(err)
	}
	d, err := snapshot.Decide(request)
	if err != nil {
		return rolecall.Decision{}, bad(err)
	}
	return d, nil
}

// request puts the question together; the error tells everything wrong with its words.
func (q *question) request(f *policy.File, args []string) (rolecall.Request, error) {
	var errs []error
	r := rolecall.Request{Now: f.Clock}
	if f.Clock.IsZero() {
		r.Now = time.Now()
	}
	r.Subject = parse(&errs, rolecall.ParseSubject, args[0])
	r.Permission = parse(&errs, rolecall.ParsePermission, args[1])
	r.Scope = parse(&errs, rolecall.ParseScope, args[2])
	if q.now != "" {
		r.Now = parse(&errs, rolecall.ParseTime, q.now)
	}
	if q.actor != "" {
		r.Actor = parse(&errs, rolecall.ParseSubject, q.actor)
	}
	for _, g := range q.group {
		r.Groups = append(r.Groups, parse(&errs, rolecall.ParseSubject, g))
	}
	if q.roles != nil {
		r.Narrow = rolecall.ToRoles(as[rolecall.RoleName](q.roles)...)
	}
	if q.only != nil {
		r.Narrow = r.Narrow.AndPatterns(as[rolecall.Pattern](q.only)...)
	}
	r.Facts = q.facts(f, &errs)
	return r, errors.Join(errs...)
}

func parse[V any](errs *[]error, read func(string) (V, error), text string) V {
	v, err := read(text)
	if err != nil {
		*errs = append(*errs, err)
	}
	return v
}

func as[S ~string](words []string) []S {
	list := make([]S, len(words))
	for i, w := range words {
		list[i] = S(w)
	}
	return list
}

var errCannotSay = errors.New("nobody can say")

// facts returns what --given and --unknown say, of declared conditions only.
func (q *question) facts(f *policy.File, errs *[]error) rolecall.Facts {
	for _, c := range slices.Concat(q.given, q.unknown) {
		if !slices.ContainsFunc(f.Declarations.Conditions, func(d rolecall.ConditionDecl) bool { return string(d.Condition) == c }) {
			*errs = append(*errs, &rolecall.Problem{Code: rolecall.ErrUnknown, Word: c, Detail: "no such condition is declared"})
		}
	}
	for _, c := range q.given {
		if slices.Contains(q.unknown, c) {
			*errs = append(*errs, &rolecall.Problem{Code: rolecall.ErrInvalid, Word: c, Detail: "a condition either holds or is unknown"})
		}
	}
	if len(q.unknown) == 0 {
		return rolecall.Given(as[rolecall.Condition](q.given))
	}
	return rolecall.FactFunc(func(c rolecall.Condition) (bool, error) {
		if slices.Contains(q.unknown, string(c)) {
			return false, errCannotSay
		}
		return slices.Contains(q.given, string(c)), nil
	})
}
