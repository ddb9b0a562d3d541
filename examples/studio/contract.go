package main

import (
	"fmt"
	"time"

	"github.com/rolecall-go/rolecall"
)

func (t *tour) contract(s *rolecall.Snapshot) error {
	l := t.cast.leaver
	t.say("\n3. When a contract ends\n")
	if l.who.IsZero() {
		t.say("Nothing in this policy ends after %s.", rolecall.FormatTime(t.now))
		return nil
	}
	t.say("%s", l.statement)
	holding := ""
	if len(l.facts) > 0 {
		holding = fmt.Sprintf(" where %s holds", l.facts[0])
	}
	t.say("%s (%s) by %s at %s%s?", t.title(l.permission), l.permission, l.who, l.where, holding)
	end := l.window.NotAfter
	for _, now := range []time.Time{t.now, end.Add(-time.Second), end} {
		d, err := s.Decide(rolecall.Request{Subject: l.who, Permission: l.permission, Scope: l.where, Facts: l.facts, Now: now})
		if err != nil {
			return err
		}
		verdict := "no: " + d.Reason().String()
		if d.Allowed() {
			verdict = "yes"
		}
		t.say("  %s  %s", now.UTC().Format("Mon 2006-01-02 15:04:05"), verdict)
	}
	t.say("Nobody had to remove anything.")
	return nil
}
