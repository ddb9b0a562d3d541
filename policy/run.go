package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/internal/suggest"
)

// A Result is what became of one step.
type Result struct {
	Step Step
	OK   bool
	Want string
	Got  string
	Why  string // of a decision its explanation, of an error its text, of a list what is missing and what is too much
}

// Run carries out the file's steps in their order, beginning with a snapshot of its policy, as File.Snapshot or Load
// makes it. A step that fails does not stop the others; an edit that fails changes nothing.
//
// A question that cannot be answered is an error and never counts as a denial: expect deny fails then as expect allow does.
func (f *File) Run(s *rolecall.Snapshot) []Result { return f.run(s, func(*runner, Step) {}) }

// run tells of each step before it is carried out.
func (f *File) run(s *rolecall.Snapshot, before func(*runner, Step)) []Result {
	r := f.runner(s)
	results := make([]Result, len(f.Steps))
	for i, step := range f.Steps {
		before(r, step)
		results[i] = step.action.run(r)
		results[i].Step = step
	}
	return results
}

// A runner holds the policy as the steps have left it.
type runner struct {
	file     *File
	snapshot *rolecall.Snapshot // at the file's clock
	declared map[rolecall.Condition]bool
	views    map[string]*rolecall.View // of the snapshot
}

func (f *File) runner(s *rolecall.Snapshot) *runner {
	r := &runner{file: f, declared: map[rolecall.Condition]bool{}}
	for _, d := range s.Catalog().Declarations().Conditions {
		r.declared[d.Condition] = true
	}
	r.use(s)
	return r
}

// maxViews bounds the views that are kept for further questions about the same subject.
const maxViews = 128

func (r *runner) use(s *rolecall.Snapshot) {
	r.snapshot = s.At(r.file.Now())
	r.views = map[string]*rolecall.View{}
}

func (r *runner) now(q *question) time.Time {
	if q.now.IsZero() {
		return r.file.Now()
	}
	return q.now
}

// at returns the snapshot at the instant of the question.
func (r *runner) at(q *question) *rolecall.Snapshot {
	if q.now.IsZero() {
		return r.snapshot
	}
	return r.snapshot.At(q.now)
}

// view returns the question's subject bound to the snapshot at the instant of the question.
func (r *runner) view(q *question) (*rolecall.View, error) {
	key := fmt.Sprint(q.subject, q.groups, q.actor, q.narrow, q.now.Unix(), q.now.Nanosecond())
	if v, ok := r.views[key]; ok {
		return v, nil
	}
	v, err := r.bind(q, q.subject)
	if err != nil {
		return nil, err
	}
	if len(r.views) >= maxViews {
		clear(r.views)
	}
	r.views[key] = v
	return v, nil
}

func (r *runner) bind(q *question, s rolecall.Subject) (*rolecall.View, error) {
	return r.at(q).For(s, &rolecall.ViewOptions{Groups: q.groups, Actor: q.actor, Narrow: q.narrow})
}

// errCannotSay is the cause where a scenario says that a condition cannot be answered.
var errCannotSay = errors.New("the scenario says that nobody can say")

// facts returns what the question gives. A bad name anywhere in it is an error, and a condition that is not declared.
func (r *runner) facts(q *question) (rolecall.Facts, error) {
	if err := errors.Join(q.faults...); err != nil {
		return nil, err
	}
	for _, c := range slices.Concat(q.given, q.unknown) {
		if !r.declared[c] {
			return nil, r.undeclared(c)
		}
	}
	if len(q.unknown) == 0 {
		return rolecall.Given(q.given), nil
	}
	return rolecall.FactFunc(func(c rolecall.Condition) (bool, error) {
		if slices.Contains(q.unknown, c) {
			return false, errCannotSay
		}
		return slices.Contains(q.given, c), nil
	}), nil
}

// undeclared returns the error of a condition that is not declared, or could not be.
func (r *runner) undeclared(c rolecall.Condition) error {
	if _, err := rolecall.NewCatalog(rolecall.Declarations{Conditions: []rolecall.ConditionDecl{{Condition: c}}}); err != nil {
		return err
	}
	var names []string
	for _, d := range r.file.Declarations.Conditions {
		names = append(names, string(d.Condition))
	}
	detail := "no such condition is declared" + suggest.DidYouMean(suggest.Nearest(string(c), names))
	return &rolecall.Problem{Code: rolecall.ErrUnknown, Word: string(c), Detail: detail}
}

// decide asks the question of one subject, permission and scope.
func (r *runner) decide(q *question, s rolecall.Subject, p rolecall.Permission, t rolecall.Scope) (rolecall.Decision, error) {
	facts, err := r.facts(q)
	if err != nil {
		return rolecall.Decision{}, err
	}
	return r.snapshot.Decide(rolecall.Request{
		Subject: s, Permission: p, Scope: t, Now: r.now(q), Facts: facts,
		Groups: q.groups, Actor: q.actor, Narrow: q.narrow,
	})
}

func (e *expectDecision) run(r *runner) Result {
	want := e.verdict
	if e.verdict == "error" {
		want += " " + string(e.code)
	}
	d, err := r.decide(&e.question, e.subject, e.permission, e.scope)
	switch {
	case err != nil:
		return Result{OK: e.verdict == "error" && errors.Is(err, e.code), Want: want, Got: "error " + codesOf(err), Why: err.Error()}
	case d.Allowed():
		return Result{OK: e.verdict == "allow", Want: want, Got: "allow", Why: d.String()}
	}
	return Result{OK: e.verdict == "deny", Want: want, Got: "deny", Why: d.String()}
}

// codesOf returns the codes of an error.
func codesOf(err error) string {
	var found []rolecall.Code
	for _, code := range append(codes(), rolecall.ErrDenied, rolecall.ErrConflict, rolecall.ErrStale) {
		if errors.Is(err, code) {
			found = append(found, code)
		}
	}
	if found == nil {
		return "without a code"
	}
	return joined(found)
}

func (e *expectScopes) run(r *runner) Result {
	got, err := e.allowed(r)
	return compare(e.want, got, err, func(word string) (rolecall.Decision, error) {
		t, err := rolecall.ParseScope(word)
		if err != nil {
			return rolecall.Decision{}, err
		}
		return r.decide(&e.question, e.subject, e.permission, t)
	})
}

func (e *expectScopes) allowed(r *runner) ([]string, error) {
	facts, err := r.facts(&e.question)
	if err != nil {
		return nil, err
	}
	v, err := r.view(&e.question)
	if err != nil {
		return nil, err
	}
	var got []string
	for _, t := range e.among {
		switch err := v.Check(e.permission, t, facts); {
		case err == nil:
			got = append(got, t.String())
		case !errors.Is(err, rolecall.ErrDenied):
			return nil, err
		}
	}
	return got, nil
}

func (e *expectSubjects) run(r *runner) Result {
	got, err := e.allowed(r)
	return compare(e.want, got, err, func(word string) (rolecall.Decision, error) {
		s, err := rolecall.ParseSubject(word)
		if err != nil {
			return rolecall.Decision{}, err
		}
		return r.decide(&e.question, s, e.permission, e.scope)
	})
}

func (e *expectSubjects) allowed(r *runner) ([]string, error) {
	facts, err := r.facts(&e.question)
	if err != nil {
		return nil, err
	}
	if e.groups != nil || !e.actor.IsZero() || !e.narrow.IsZero() {
		return e.filtered(r, facts)
	}
	named, everyone, err := r.at(&e.question).Who(e.permission, e.scope, facts)
	if err != nil {
		return nil, err
	}
	got := make([]string, 0, len(named)+1)
	for _, s := range named {
		got = append(got, s.String())
	}
	if everyone {
		got = append(got, rolecall.Everyone().String())
	}
	return got, nil
}

// filtered asks for each subject by itself, as vouched groups, an actor and a narrowing need it.
func (e *expectSubjects) filtered(r *runner, facts rolecall.Facts) ([]string, error) {
	var got []string
	ask := func(s rolecall.Subject, word string) error {
		v, err := r.bind(&e.question, s)
		if err != nil {
			return err
		}
		if err = v.Check(e.permission, e.scope, facts); err == nil {
			got = append(got, word)
		} else if !errors.Is(err, rolecall.ErrDenied) {
			return err
		}
		return nil
	}
	for s := range r.snapshot.Subjects() {
		if s.IsGroup() {
			continue
		}
		if err := ask(s, s.String()); err != nil {
			return nil, err
		}
	}
	if err := ask(r.stranger(), rolecall.Everyone().String()); err != nil {
		return nil, err
	}
	return got, nil
}

// stranger returns a user whom the policy does not name.
func (r *runner) stranger() rolecall.Subject {
	taken := map[rolecall.Subject]bool{}
	for s := range r.snapshot.Subjects() {
		taken[s] = true
	}
	stranger := rolecall.User("stranger")
	for n := 1; taken[stranger]; n++ {
		stranger = rolecall.User(fmt.Sprintf("stranger-%d", n))
	}
	return stranger
}

func (e *expectPermissions) run(r *runner) Result {
	got, err := e.allowed(r)
	return compare(e.want, got, err, func(word string) (rolecall.Decision, error) {
		return r.decide(&e.question, e.subject, rolecall.NewPermission(word), e.scope)
	})
}

func (e *expectPermissions) allowed(r *runner) ([]string, error) {
	facts, err := r.facts(&e.question)
	if err != nil {
		return nil, err
	}
	v, err := r.view(&e.question)
	if err != nil {
		return nil, err
	}
	permissions, err := v.Permissions(e.scope, facts)
	if err != nil {
		return nil, err
	}
	var got []string
	for _, p := range permissions {
		if !p.IsBuiltin() {
			got = append(got, p.String())
		}
	}
	return got, nil
}

// compare compares a list with the wanted one, which is sorted. Where they differ, decide explains the first difference.
func compare(want, got []string, err error, decide func(string) (rolecall.Decision, error)) Result {
	if err != nil {
		return Result{Want: listText(want), Got: "error " + codesOf(err), Why: err.Error()}
	}
	slices.Sort(got)
	got = slices.Compact(got)
	result := Result{OK: slices.Equal(got, want), Want: listText(want), Got: listText(got)}
	if result.OK {
		return result
	}
	missing, extra := without(want, got), without(got, want)
	var why []string
	if len(missing) > 0 {
		why = append(why, "missing: "+joined(missing))
	}
	if len(extra) > 0 {
		why = append(why, "not expected: "+joined(extra))
	}
	switch d, err := decide(slices.Concat(missing, extra)[0]); {
	case err != nil:
		why = append(why, err.Error())
	default:
		why = append(why, d.String())
	}
	result.Why = strings.Join(why, "\n")
	return result
}

func listText(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return joined(list)
}

// without returns the elements of a that are not in b; both are sorted.
func without(a, b []string) []string {
	var rest []string
	for _, x := range a {
		if _, found := slices.BinarySearch(b, x); !found {
			rest = append(rest, x)
		}
	}
	return rest
}

func (e *edit) run(r *runner) Result {
	want := "done"
	if e.code != "" {
		want = "refused: " + string(e.code)
	}
	var proposal *rolecall.Proposal
	err := errors.Join(e.faults...)
	if err == nil {
		proposal, err = r.snapshot.Propose(rolecall.Change{
			Meta:  rolecall.Meta{Actor: e.by, Time: r.file.Now()},
			Edits: []rolecall.Edit{e.edit},
		})
	}
	if err != nil {
		return Result{OK: e.code != "" && errors.Is(err, e.code), Want: want, Got: "refused: " + codesOf(err), Why: err.Error()}
	}
	if e.code == "" {
		r.use(proposal.Next())
	}
	return Result{OK: e.code == "", Want: want, Got: "done"}
}
