package main

import (
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/rolecall-go/rolecall"
)

// What a change does, as plan and diff tell it.

// An effect is one thing that somebody gains or loses.
type effect struct {
	Subject    rolecall.Subject    `json:"subject"`
	Permission rolecall.Permission `json:"permission"`
	Scope      rolecall.Scope      `json:"scope"`
	Rule       ruleJSON            `json:"rule"`
	Private    ruleJSON            `json:"private"`
}

func told(all iter.Seq[rolecall.Difference]) []effect {
	list := []effect{}
	for d := range all {
		list = append(list, effect{d.Subject, d.Permission, d.Scope, ruleJSON{d.When}, ruleJSON{d.Private}})
	}
	return list
}

func writeEffects(w io.Writer, gained, lost []effect, apart []rolecall.Subject) error {
	t := newTable(w, "EFFECT", "SUBJECT", "PERMISSION", "SCOPE", "RULE", "IN PRIVATE SCOPES")
	for _, g := range gained {
		t.effect("gains", g)
	}
	for _, l := range lost {
		t.effect("loses", l)
	}
	if err := t.end(); err != nil {
		return err
	}
	onEveryone := func(e effect) bool { return e.Subject == rolecall.Everyone() }
	if len(apart) > 0 && (slices.ContainsFunc(gained, onEveryone) || slices.ContainsFunc(lost, onEveryone)) {
		fmt.Fprintln(w, "\neveryone is everybody but", firstFew(apart))
	}
	return nil
}

// namedApart is how many subjects are named for whom everyone does not stand.
const namedApart = 10

func firstFew(list []rolecall.Subject) string {
	var names []string
	for _, who := range list[:min(len(list), namedApart)] {
		names = append(names, visibly(who.String()))
	}
	if more := len(list) - namedApart; more > 0 {
		names = append(names, "and "+strconv.Itoa(more)+" more")
	}
	return strings.Join(names, " ")
}

func (t table) effect(word string, e effect) {
	t.row(word, e.Subject.String(), e.Permission.String(), e.Scope.String(), e.Rule.String(), e.Private.String())
}

// writeDeltas writes what is added and removed, a line each; of a role that stays, the lines that differ.
func writeDeltas(w io.Writer, deltas []rolecall.Delta) {
	for _, d := range deltas {
		before, after := linesOf(d.Before), linesOf(d.After)
		if d.Before != nil && d.After != nil && before[0] == after[0] {
			fmt.Fprintln(w, " ", visibly(before[0]))
		}
		writeLines(w, "-", before, after)
		writeLines(w, "+", after, before)
	}
}

// writeLines writes those lines that are not among others.
func writeLines(w io.Writer, sign string, lines, others []string) {
	for _, l := range lines {
		if !slices.Contains(others, l) {
			fmt.Fprintln(w, sign, visibly(l))
		}
	}
}

func linesOf(s rolecall.Statement) []string {
	if s == nil {
		return nil
	}
	return strings.Split(rolecall.Canonical(s).String(), "\n")
}
