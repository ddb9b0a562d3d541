package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rolecall-go/rolecall"
)

func listCommand() *cobra.Command {
	var q scopesQuestion
	cmd := &cobra.Command{
		Use:   "list SUBJECT PERMISSION KIND [SCOPE…|-] -f FILE",
		Short: "List the scopes of a kind at which a subject may do something",
		Long: `List the scopes of a kind at which a subject may do something, in one of three ways.

Among candidates, which are SCOPE… or the lines of standard input where - stands for them, print those where it may, one a
line in the order they came in. Conditions hold as --given says.

With --in PARENT, print what holds for the scopes of the kind directly inside the parent: for all but the exceptions, and
for each exception.

Otherwise print the whole answer as regions. What a region says holds at its scope and everywhere inside, as far as no
region further in says otherwise: for scopes of the kind that the policy names and for those that it has never heard of.
The last column holds at private scopes inside the region, and in there.

` + instantHelp + `
Regions and exceptions are in the order of their text, a scope before what is inside it; --after goes on after one of them, or after a candidate.

Exit codes: 0 somewhere, or as conditions decide; 1 nowhere; 2 called wrongly; 3 the file, a candidate or a name in the
question is wrong.`,
		Example: "  rolecall list user:ada task.view project --in / -f studio.rolecall\n" +
			"  rolecall list user:ada task.view project - -f studio.rolecall < projects",
		Args: cobra.MinimumNArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := q.check(args); err != nil {
				return err
			}
			a, err := q.ask(cmd.InOrStdin(), args)
			if err != nil {
				return bad(err)
			}
			if q.form == "table" {
				defer tellMore(cmd.ErrOrStderr(), a.next())
			}
			return q.print(cmd.OutOrStdout(), a, a.some())
		},
	}
	q.question.flags(cmd)
	q.page.flags(cmd)
	q.output.flags(cmd)
	cmd.Flags().StringVar(&q.in, "in", "", "only scopes directly inside this one, in words")
	return cmd
}

type scopesQuestion struct {
	question
	page
	output
	in string
}

func (q *scopesQuestion) check(args []string) error {
	candidates := len(args) > 3
	switch {
	case candidates && q.in != "":
		return errors.New("--in and candidates do not go together")
	case !candidates && len(q.given)+len(q.unknown) > 0:
		return errors.New("--given and --unknown are about candidates; without any the answer says itself what depends on conditions")
	}
	return q.page.check()
}

// A listing is an answer of list.
type listing interface {
	answer
	some() bool // a scope of the kind may be in it
	next() string
}

func (q *scopesQuestion) ask(in io.Reader, args []string) (listing, error) {
	var errs []error
	permission := parse(&errs, rolecall.ParsePermission, args[1])
	candidates := q.candidates(in, args[3:], &errs)
	parent := optional(&errs, rolecall.ParseScope, q.in)
	after := optional(&errs, rolecall.ParseScope, q.after)
	v, err := q.view(args[0], errs)
	if err != nil {
		return nil, err
	}
	set, err := v.Scopes(rolecall.ScopeKind(args[2]), permission)
	if err != nil {
		return nil, err
	}
	about := setAbout{v.Subject(), permission, set.Kind(), v.Now().UTC()}
	switch {
	case len(args) > 3:
		return q.among(v, about, candidates, after)
	case q.in != "":
		return q.inside(set, about, parent, after)
	}
	return q.regions(set, about, after), nil
}

// setAbout is what every answer of list begins with.
type setAbout struct {
	Subject    rolecall.Subject    `json:"subject"`
	Permission rolecall.Permission `json:"permission"`
	Kind       rolecall.ScopeKind  `json:"kind"`
	Now        time.Time           `json:"now"`
}

// candidates reads the words, or the lines of in.
func (q *scopesQuestion) candidates(in io.Reader, words []string, errs *[]error) []rolecall.Scope {
	var list []rolecall.Scope
	if !slices.Equal(words, []string{"-"}) {
		for _, w := range words {
			list = append(list, parse(errs, rolecall.ParseScope, w))
		}
		return list
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	n := 1
	for ; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		t, err := rolecall.ParseScope(line)
		if err != nil {
			*errs = append(*errs, fmt.Errorf("standard input:%d: %w", n, err))
		}
		list = append(list, t)
	}
	if err := lines.Err(); err != nil {
		*errs = append(*errs, fmt.Errorf("standard input:%d: %w", n, err))
	}
	return list
}

// Chosen are the candidates that are in the set.
type chosen struct {
	setAbout
	Scopes []rolecall.Scope `json:"scopes"`
	Next   rolecall.Scope   `json:"next,omitzero"`
}

func (q *scopesQuestion) among(v *asked, about setAbout, candidates []rolecall.Scope, after rolecall.Scope) (*chosen, error) {
	if q.after != "" {
		i := slices.Index(candidates, after)
		if i < 0 {
			return nil, &rolecall.Problem{Code: rolecall.ErrUnknown, Word: q.after, Detail: "--after is none of the candidates"}
		}
		candidates = candidates[i+1:]
	}
	var errs []error
	for _, t := range candidates {
		if t.Kind() != about.Kind {
			errs = append(errs, &rolecall.Problem{Code: rolecall.ErrInvalid, Word: t.String(), Detail: fmt.Sprintf("a candidate is of the kind asked for, %s", about.Kind)})
		}
	}
	allowed := func(yield func(rolecall.Scope) bool) {
		for _, t := range candidates {
			switch err := v.Check(about.Permission, t, v.facts); {
			case err == nil:
				if !yield(t) {
					return
				}
			case !errors.Is(err, rolecall.ErrDenied):
				errs = append(errs, err)
			}
		}
	}
	list, more := cut(&q.page, iter.Seq[rolecall.Scope](allowed))
	c := &chosen{setAbout: about, Scopes: list}
	if more {
		c.Next = list[len(list)-1]
	}
	return c, errors.Join(errs...)
}

func (c *chosen) some() bool   { return len(c.Scopes) > 0 }
func (c *chosen) next() string { return scopeOrNone(c.Next) }

func (c *chosen) text(w io.Writer) error {
	for _, t := range c.Scopes {
		fmt.Fprintln(w, t)
	}
	return nil
}

// Regions are the whole set.
type regions struct {
	setAbout
	Regions []region       `json:"regions"`
	Next    rolecall.Scope `json:"next,omitzero"`
	empty   bool
}

type region struct {
	Scope   rolecall.Scope `json:"scope"`
	Open    ruleJSON       `json:"rule"`
	Private ruleJSON       `json:"private"`
}

func (q *scopesQuestion) regions(set *rolecall.ScopeSet, about setAbout, after rolecall.Scope) *regions {
	a := &regions{setAbout: about, Regions: []region{}, empty: set.Empty()}
	list, more := cut(&q.page, set.Regions(after))
	for _, r := range list {
		a.Regions = append(a.Regions, region{r.Scope, ruleJSON{r.Open}, ruleJSON{r.Private}})
	}
	if more {
		a.Next = list[len(list)-1].Scope
	}
	return a
}

func (a *regions) some() bool   { return !a.empty }
func (a *regions) next() string { return scopeOrNone(a.Next) }

func (a *regions) text(w io.Writer) error {
	t := newTable(w, "SCOPE", "RULE", "IN PRIVATE SCOPES")
	for _, r := range a.Regions {
		t.row(r.Scope.String(), r.Open.String(), r.Private.String())
	}
	return t.end()
}

// An inside is the set seen from one parent.
type inside struct {
	setAbout
	Parent     rolecall.Scope `json:"parent"`
	Default    ruleJSON       `json:"default"`
	OnlyOpen   bool           `json:"onlyOpen"`
	Exceptions []exception    `json:"exceptions"`
	Next       rolecall.Scope `json:"next,omitzero"`
}

type exception struct {
	Scope rolecall.Scope `json:"scope"`
	Rule  ruleJSON       `json:"rule"`
}

func (q *scopesQuestion) inside(set *rolecall.ScopeSet, about setAbout, parent, after rolecall.Scope) (*inside, error) {
	l, err := set.In(parent)
	if err != nil {
		return nil, err
	}
	a := &inside{setAbout: about, Parent: parent, Default: ruleJSON{l.Default()}, OnlyOpen: l.OnlyOpen()}
	var more bool
	a.Exceptions, more = cut(&q.page, func(yield func(exception) bool) {
		for t, rule := range l.Exceptions(after) {
			if !yield(exception{t, ruleJSON{rule}}) {
				return
			}
		}
	})
	if more {
		a.Next = a.Exceptions[len(a.Exceptions)-1].Scope
	}
	return a, nil
}

func (a *inside) some() bool {
	return !a.Default.Never() || slices.ContainsFunc(a.Exceptions, func(e exception) bool { return !e.Rule.Never() })
}

func (a *inside) next() string { return scopeOrNone(a.Next) }

func (a *inside) text(w io.Writer) error {
	t := newTable(w, "SCOPE", "RULE")
	others := "every other"
	if a.OnlyOpen {
		others = "every other open one" // each private one is an exception
	}
	t.row(others, a.Default.String())
	for _, e := range a.Exceptions {
		t.row(e.Scope.String(), e.Rule.String())
	}
	return t.end()
}

func scopeOrNone(t rolecall.Scope) string {
	if t.IsZero() {
		return ""
	}
	return t.String()
}
