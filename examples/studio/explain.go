package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rolecall-go/rolecall"
)

// explain prints a decision: the verdict, what it rests on, and what did not count and why.
func (t *tour) explain(d rolecall.Decision) {
	q := d.Request()
	verdict := "No"
	if d.Allowed() {
		verdict = "Yes"
	}
	t.say("%s (%s) by %s at %s? %s: %s.", t.title(q.Permission), q.Permission, q.Subject, q.Scope, verdict, d.Reason().String())
	const shown = 4
	for i, f := range d.Deciding() {
		if i == shown {
			t.say("  and %s more", count(len(d.Deciding())-shown, "statement"))
			break
		}
		t.say("  because  %s", finding(f, q.Permission))
	}
	losing := d.Losing()
	for i, f := range losing {
		if i == shown {
			t.say("  and %s that did not count", count(len(losing)-shown, "other statement"))
			break
		}
		t.say("  not by   %s: it %s", finding(f, q.Permission), fate(f))
	}
	if len(d.Deciding())+len(losing) == 0 {
		t.say("  nothing in the policy speaks of it, and what nobody allowed is denied")
	}
}

// finding names a statement and the word in its role that speaks, which may be one of many.
func finding(f rolecall.Finding, p rolecall.Permission) string {
	text := f.Statement.String()
	if len(f.Path) > 1 {
		var through []string
		for _, s := range f.Path[1:] {
			through = append(through, s.String())
		}
		text += ", through " + strings.Join(through, " in ")
	}
	if f.Rule == nil {
		return text
	}
	spoken := *f.Rule
	spoken.Patterns = slices.DeleteFunc(slices.Clone(spoken.Patterns), func(pattern rolecall.Pattern) bool { return !pattern.Matches(p) })
	return fmt.Sprintf("%s (role %s: %s)", text, f.Role, spoken)
}

func fate(f rolecall.Finding) string {
	text := f.Fate.String()
	if !f.Where.IsZero() {
		text += " " + f.Where.String()
	}
	if f.By != nil {
		first, _, _ := strings.Cut(f.By.String(), "\n")
		text += ": " + first
	}
	return text
}
