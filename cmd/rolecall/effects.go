package main

import (
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/rolecall-go/rolecall"
)

// What a change does, as plan and diff tell it.

// Effects are who gains and who loses what.
type effects struct {
	Gained []effect           `json:"gained"`
	Lost   []effect           `json:"lost"`
	Apart  []rolecall.Subject `json:"apart"` // for whom the effects on everyone do not count
}

type effect struct {
	Subject    rolecall.Subject    `json:"subject"`
	Permission rolecall.Permission `json:"permission"`
	Scope      rolecall.Scope      `json:"scope"`
	Rule       ruleJSON            `json:"rule"`
	Private    ruleJSON            `json:"private"`
}

// effectsOf tells those effects of a plan that are about some permissions.
func effectsOf(p *rolecall.Plan, about func(rolecall.Permission) bool) effects {
	return effects{told(p.Gained(), about), told(p.Lost(), about), append([]rolecall.Subject{}, slices.Collect(p.Apart())...)}
}

func told(all iter.Seq[rolecall.Difference], about func(rolecall.Permission) bool) []effect {
	list := []effect{}
	for d := range all {
		if about(d.Permission) {
			list = append(list, effect{d.Subject, d.Permission, d.Scope, ruleJSON{d.When}, ruleJSON{d.Private}})
		}
	}
	return list
}

func (e *effects) empty() bool { return len(e.Gained)+len(e.Lost) == 0 }

func writeEffects(w io.Writer, list ...effects) error {
	t := newTable(w, "EFFECT", "SUBJECT", "PERMISSION", "SCOPE", "RULE", "IN PRIVATE SCOPES")
	for _, e := range list {
		for _, g := range e.Gained {
			t.effect("gains", g)
		}
	}
	for _, e := range list {
		for _, l := range e.Lost {
			t.effect("loses", l)
		}
	}
	return t.end()
}

func (t table) effect(word string, e effect) {
	t.row(word, e.Subject.String(), e.Permission.String(), e.Scope.String(), e.Rule.String(), e.Private.String())
}

// writeDeltas writes what is added and removed, a line each; of a role that stays, the lines that differ.
func writeDeltas(w io.Writer, deltas []rolecall.Delta) {
	for _, d := range deltas {
		before, after := linesOf(d.Before), linesOf(d.After)
		if d.Before != nil && d.After != nil && before[0] == after[0] {
			fmt.Fprintln(w, " ", visible(before[0]))
		}
		writeLines(w, "-", before, after)
		writeLines(w, "+", after, before)
	}
}

// writeLines writes those lines that are not among others.
func writeLines(w io.Writer, sign string, lines, others []string) {
	for _, l := range lines {
		if !slices.Contains(others, l) {
			fmt.Fprintln(w, sign, visible(l))
		}
	}
}

// changed returns the deltas between two lists of statements in order of their keys.
func changed(before, after iter.Seq[rolecall.Statement]) []rolecall.Delta {
	deltas := []rolecall.Delta{}
	nextBefore, stopBefore := iter.Pull(before)
	defer stopBefore()
	nextAfter, stopAfter := iter.Pull(after)
	defer stopAfter()
	b, moreB := nextBefore()
	a, moreA := nextAfter()
	for moreB || moreA {
		order := 0
		switch {
		case !moreA:
			order = -1
		case !moreB:
			order = 1
		default:
			order = rolecall.KeyOf(b).Compare(rolecall.KeyOf(a))
		}
		var d rolecall.Delta
		if order <= 0 {
			d.Before = b
			b, moreB = nextBefore()
		}
		if order >= 0 {
			d.After = a
			a, moreA = nextAfter()
		}
		if !rolecall.Equal(d.Before, d.After) {
			deltas = append(deltas, d)
		}
	}
	return deltas
}

func linesOf(s rolecall.Statement) []string {
	if s == nil {
		return nil
	}
	return strings.Split(rolecall.Canonical(s).String(), "\n")
}
