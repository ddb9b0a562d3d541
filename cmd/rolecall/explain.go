package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/draw"
)

func explainCommand() *cobra.Command {
	q := explainQuestion{output: output{forms: []string{"table", "json", "svg", "dot", "notice"}}}
	cmd := &cobra.Command{
		Use:   "explain SUBJECT PERMISSION SCOPE -f FILE",
		Short: "Say why a subject may or may not do something somewhere",
		Long: `Say why a subject may or may not do something somewhere: what decided, and what lost to what. With --fix say also which
changes would turn the answer, those that give least first; each was tried, and none of its edits can be left out. -o svg
and -o dot draw it: holders below each other, places side by side. -o notice is a short text for whoever was refused, which
names nothing of the policy.

` + questionHelp + yesOrNo,
		Example: "  rolecall explain user:ada task.update /project:alpha/shot:010 --given assigned -f studio.rolecall\n" +
			"  rolecall explain user:ada task.delete /project:alpha --fix --by user:pia -f studio.rolecall",
		Args: cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := q.check(); err != nil {
				return err
			}
			a, err := q.explain(args)
			if err != nil {
				return bad(err)
			}
			return q.print(cmd.OutOrStdout(), q.inForm(a), a.decision.Allowed())
		},
	}
	q.question.flags(cmd)
	q.output.flags(cmd)
	q.history.flags(cmd)
	f := cmd.Flags()
	f.BoolVar(&q.fix, "fix", false, "say which changes would turn the answer")
	f.IntVar(&q.limit, "limit", 0, "at most so many changes (default: 10)")
	f.StringVar(&q.by, "by", "", "only changes that this actor may make (default: the host itself, who may)")
	f.StringVar(&q.until, "until", "", "when ends what a change adds (default: never)")
	f.StringVar(&q.reason, "reason", "", "why a change is made, which an activation tells")
	return cmd
}

type explainQuestion struct {
	question
	output
	history
	fix               bool
	limit             int
	by, until, reason string
}

func (q *explainQuestion) check() error {
	switch {
	case q.limit < 0:
		return errors.New("--limit is not negative")
	case !q.fix && (q.limit > 0 || q.by != "" || q.until != "" || q.reason != ""):
		return errors.New("--limit, --by, --until and --reason go with --fix")
	case q.fix && q.form != "table" && q.form != "json":
		return fmt.Errorf("--fix does not go with -o %s", q.form)
	}
	return nil
}

// inForm returns the answer that prints the explanation as -o says.
func (q *explainQuestion) inForm(e *explanation) answer {
	switch q.form {
	case "svg":
		return drawn{e, draw.SVG}
	case "dot":
		return drawn{e, draw.DOT}
	case "notice":
		return notice{e}
	}
	return e
}

// A drawn is an explanation as a drawing.
type drawn struct {
	*explanation
	draw func(io.Writer, rolecall.Explanation) error
}

func (d drawn) text(w io.Writer) error { return d.draw(w, d.decision.Explain(d.provenance)) }

// A notice is what may be shown to whoever asked.
type notice struct{ *explanation }

func (n notice) text(w io.Writer) error {
	_, err := fmt.Fprintln(w, visibly(n.decision.Notice(n.catalog)))
	return err
}

// An explanation is the answer of explain.
type explanation struct {
	catalog    *rolecall.Catalog
	decision   rolecall.Decision
	provenance *rolecall.Provenance // nil where nobody asked
	remedies   []rolecall.Remedy    // nil where nobody asked
	complete   bool
}

func (q *explainQuestion) explain(args []string) (*explanation, error) {
	f, snapshot, err := q.load()
	if err != nil {
		return nil, err
	}
	r, err := q.request(f, args)
	var errs []error
	o := q.remedyOptions(&errs)
	o.Meta.Time = r.Now
	if err := errors.Join(err, errors.Join(errs...)); err != nil {
		return nil, err
	}
	a := &explanation{catalog: snapshot.Catalog()}
	if snapshot, a.provenance, err = q.history.tell(snapshot); err != nil {
		return nil, err
	}
	if a.decision, err = snapshot.Decide(r); err != nil || !q.fix {
		return a, err
	}
	a.remedies, a.complete, err = snapshot.Remedies(r, o)
	if a.remedies == nil {
		a.remedies = []rolecall.Remedy{}
	}
	return a, err
}

func (q *explainQuestion) remedyOptions(errs *[]error) *rolecall.RemedyOptions {
	return &rolecall.RemedyOptions{
		Meta:  rolecall.Meta{Reason: q.reason, Actor: optional(errs, rolecall.ParseSubject, q.by)},
		Until: optional(errs, rolecall.ParseTime, q.until),
		Limit: q.limit,
	}
}

// MarshalJSON writes the decision, and where somebody asked for them the origins of its statements and the remedies.
func (e *explanation) MarshalJSON() ([]byte, error) {
	decision, err := e.decision.MarshalJSON()
	if err != nil || e.remedies == nil && e.provenance == nil {
		return decision, err
	}
	var more struct {
		Origins  json.RawMessage    `json:"origins,omitzero"`
		Remedies *[]rolecall.Remedy `json:"remedies,omitzero"`
		Complete *bool              `json:"complete,omitzero"`
	}
	if e.provenance != nil {
		if more.Origins, err = e.origins(); err != nil {
			return nil, err
		}
	}
	if e.remedies != nil {
		more.Remedies, more.Complete = &e.remedies, &e.complete
	}
	rest, err := json.Marshal(more)
	if err != nil {
		return nil, err
	}
	return append(append(decision[:len(decision)-1], ','), rest[1:]...), nil
}

// origins returns where the statements come from, by their keys.
func (e *explanation) origins() (json.RawMessage, error) {
	text, err := e.decision.Explain(e.provenance).MarshalJSON()
	if err != nil {
		return nil, err
	}
	var whole struct{ Origins json.RawMessage }
	err = json.Unmarshal(text, &whole)
	return whole.Origins, err
}

func (e *explanation) text(w io.Writer) error {
	text := e.decision.String()
	if e.provenance != nil {
		text = e.decision.Explain(e.provenance).String()
	}
	switch {
	case e.remedies == nil:
	case len(e.remedies) == 0:
		text += "\n\nno change was found that would turn the answer"
	default:
		text += "\n\nchanges that would turn the answer, the least first:"
		for i, m := range e.remedies {
			text += fmt.Sprintf("\n%d. %s", i+1, effectOf(m))
			text += "\n   " + strings.ReplaceAll(m.String(), "\n", "\n   ")
		}
	}
	if e.remedies != nil && !e.complete {
		text += "\nthere was too much to try: there may be more"
	}
	_, err := fmt.Fprintln(w, visibleLines(text))
	return err
}

func effectOf(m rolecall.Remedy) string {
	if m.Plan == nil {
		return "concerns so many that plan has to tell"
	}
	var parts []string
	if m.Gained.Subjects > 0 {
		parts = append(parts, "gives "+m.Gained.String())
	}
	if m.Lost.Subjects > 0 {
		parts = append(parts, "takes from "+m.Lost.String())
	}
	return strings.Join(parts, "; ")
}
