package main

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rolecall-go/rolecall"
)

func (t *tour) pageOfVersions(s *rolecall.Snapshot) error {
	c := t.cast
	t.say("\n4. A page of %s, checked in one batch\n", rows(c.page))
	if len(c.page) == 0 {
		t.say("This policy declares no kind of place to fill a page with.")
		return nil
	}
	for _, who := range c.readers {
		if err := t.batch(s, who); err != nil {
			return err
		}
	}
	return nil
}

// rows says what a page is full of.
func rows(page []row) string {
	if len(page) == 0 {
		return count(pageRows, "row")
	}
	return count(len(page), string(page[0].scope.Kind()))
}

// batch prints how many rows of the page allow each permission, and how long it took to know.
func (t *tour) batch(s *rolecall.Snapshot, who rolecall.Subject) error {
	targets := make([]rolecall.Target, len(t.cast.page))
	for i, r := range t.cast.page {
		targets[i] = rolecall.Target{Scope: r.scope, Facts: r.facts(who)}
	}
	var answers *rolecall.Answers
	var err error
	took := t.measure(func() {
		var view *rolecall.View
		if view, err = s.For(who, nil); err == nil {
			answers, err = view.CheckAll(targets, t.cast.columns...)
		}
	})
	if err != nil {
		return err
	}
	t.say("%s: %s answers in %s", who, thousands(len(targets)*len(t.cast.columns)), took.Round(time.Microsecond))
	for column, p := range t.cast.columns {
		byReason := map[rolecall.Reason]int{}
		for i := range targets {
			byReason[answers.Reason(i, column)]++
		}
		line := fmt.Sprintf("%6s yes", thousands(byReason[rolecall.Granted]))
		delete(byReason, rolecall.Granted)
		for _, reason := range slices.Sorted(maps.Keys(byReason)) {
			line += fmt.Sprintf(", %s no: %s", thousands(byReason[reason]), reason.String())
		}
		t.say("  %-32s %s", t.title(p), line)
	}
	return nil
}
