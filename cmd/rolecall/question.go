package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/policy"
)

const questionHelp = instantHelp + "\nA condition holds only where --given says so."

// A question is what the flags say of a question about one subject.
type question struct {
	source
	conditions
	actor              string
	group, roles, only []string
}

func (q *question) flags(cmd *cobra.Command) {
	q.source.flags(cmd)
	q.conditions.flags(cmd)
	f := cmd.Flags()
	f.StringArrayVar(&q.group, "group", nil, "a further group of the subject; may be given again")
	f.StringSliceVar(&q.roles, "roles", nil, "keep only what comes through these roles, separated by commas")
	f.StringSliceVar(&q.only, "only", nil, "keep only the permissions that match these patterns, separated by commas")
	f.StringVar(&q.actor, "actor", "", "who acts on behalf of the subject")
}

// options returns who else has a part in the question, and what it is narrowed to.
func (q *question) options(errs *[]error) *rolecall.ViewOptions {
	o := &rolecall.ViewOptions{}
	o.Actor = optional(errs, rolecall.ParseSubject, q.actor)
	for _, g := range q.group {
		o.Groups = append(o.Groups, parse(errs, rolecall.ParseSubject, g))
	}
	if q.roles != nil {
		o.Narrow = rolecall.ToRoles(as[rolecall.RoleName](q.roles)...)
	}
	if q.only != nil {
		o.Narrow = o.Narrow.AndPatterns(as[rolecall.Pattern](q.only)...)
	}
	return o
}

// decide reads the policy and asks it whether a subject may do a permission at a scope. The error tells everything wrong
// with the words.
func (q *question) decide(args []string) (rolecall.Decision, error) {
	f, snapshot, err := q.load()
	if err != nil {
		return rolecall.Decision{}, err
	}
	r, err := q.request(f, args)
	if err != nil {
		return rolecall.Decision{}, err
	}
	return snapshot.Decide(r)
}

func (q *question) request(f *policy.File, args []string) (rolecall.Request, error) {
	var errs []error
	o := q.options(&errs)
	r := rolecall.Request{
		Subject:    parse(&errs, rolecall.ParseSubject, args[0]),
		Permission: parse(&errs, rolecall.ParsePermission, args[1]),
		Scope:      parse(&errs, rolecall.ParseScope, args[2]),
		Now:        q.instant(f, &errs), Facts: q.facts(f, &errs),
		Groups: o.Groups, Actor: o.Actor, Narrow: o.Narrow,
	}
	return r, errors.Join(errs...)
}

// view reads the policy and binds it to a subject. The error tells everything wrong with the words, errs among it.
func (q *question) view(subject string, errs []error) (*asked, error) {
	f, snapshot, err := q.load()
	if err != nil {
		return nil, err
	}
	a := &asked{file: f, facts: q.facts(f, &errs)}
	who, o := parse(&errs, rolecall.ParseSubject, subject), q.options(&errs)
	now := q.instant(f, &errs)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	a.View, err = snapshot.At(now).For(who, o)
	return a, err
}

// An asked is the view of the subject that is asked about.
type asked struct {
	*rolecall.View
	file  *policy.File
	facts rolecall.Facts
}

func parse[V any](errs *[]error, read func(string) (V, error), text string) V {
	v, err := read(text)
	if err != nil {
		*errs = append(*errs, err)
	}
	return v
}

// optional parses what may be left out: of an empty text it returns the zero value.
func optional[V any](errs *[]error, read func(string) (V, error), text string) (v V) {
	if text == "" {
		return v
	}
	return parse(errs, read, text)
}

func as[S ~string](words []string) []S {
	list := make([]S, len(words))
	for i, w := range words {
		list[i] = S(w)
	}
	return list
}
