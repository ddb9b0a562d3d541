package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rolecall-go/rolecall"
)

// A tour is one walk through a policy: whom to look at, and what was said so far.
type tour struct {
	name     string
	now      time.Time
	resolver *rolecall.Resolver
	cast     cast
	measure  func(func()) time.Duration
	text     bytes.Buffer
	titles   map[rolecall.Permission]rolecall.PermissionDecl
}

// report returns the whole report. It changes the policy in its store by the edit of a role that it shows.
func (t *tour) report(ctx context.Context) ([]byte, error) {
	s, err := t.resolver.Snapshot()
	if err != nil {
		return nil, err
	}
	t.titles = map[rolecall.Permission]rolecall.PermissionDecl{}
	for _, d := range s.Catalog().Declarations().Permissions {
		t.titles[d.Permission] = d
	}
	t.head(s)
	err = errors.Join(t.whatAndWhy(s), t.whyNot(s), t.contract(s), t.pageOfVersions(s), t.roleEdit(ctx, s))
	return t.text.Bytes(), err
}

func (t *tour) say(format string, args ...any) { fmt.Fprintf(&t.text, format+"\n", args...) }

func (t *tour) head(s *rolecall.Snapshot) {
	counts := map[string]int{}
	for statement := range s.Statements() {
		word, _, _ := strings.Cut(statement.String(), " ")
		counts[word]++
	}
	people := 0
	for who := range s.Subjects() {
		if who.Kind() == rolecall.KindUser {
			people++
		}
	}
	t.say("A studio's security at work")
	t.say("")
	t.say("Policy %s, revision %d, judged at %s.", t.name, s.Revision(), t.now.UTC().Format("Monday 2 January 2006, 15:04 MST"))
	t.say("It names %s; %s switched off. It says %s, %s, %s,", count(people, "user"), thousands(counts["suspend"]),
		count(counts["role"], "role"), count(counts["member"], "membership"), count(counts["grant"], "grant"))
	t.say("%s and %s.", count(counts["override"], "single exception"), count(counts["private"], "private place"))
}

func (t *tour) title(p rolecall.Permission) string {
	if title := t.titles[p].Title; title != "" {
		return title
	}
	return p.String()
}
