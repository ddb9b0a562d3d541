package main

import (
	"context"
	"errors"

	"github.com/rolecall-go/rolecall"
)

func (t *tour) roleEdit(ctx context.Context, before *rolecall.Snapshot) error {
	c := t.cast
	t.say("\n5. An edit of a role takes effect at once\n")
	if c.who.IsZero() {
		t.say("Nobody in this policy may do anything now, so there is nothing to take away.")
		return nil
	}
	d, err := before.Decide(rolecall.Request{Subject: c.who, Permission: c.loses, Scope: c.where})
	if err != nil {
		return err
	}
	name := speaker(d)
	if name == "" {
		t.say("What %s may do is given by no role, so there is no role to edit.", c.who)
		return nil
	}
	if err := t.state("before", before); err != nil {
		return err
	}
	_, err = t.resolver.Update(ctx, rolecall.Meta{Reason: "security review"}, func(s *rolecall.Snapshot) (rolecall.Change, error) {
		role, _ := s.Role(name)
		role.Rules = append(role.Rules, rolecall.Rule{
			Effect: rolecall.Except, Patterns: []rolecall.Pattern{rolecall.Pattern(c.loses.String())},
		})
		return rolecall.Change{Edits: []rolecall.Edit{rolecall.Put(role)}}, nil
	})
	if err != nil {
		return err
	}
	t.say("  edit    role %s, one more rule: except %s", name, c.loses)
	after, err := t.resolver.Snapshot()
	if err != nil {
		return err
	}
	if err := t.state("after", after); err != nil {
		return err
	}
	left, err := after.Decide(rolecall.Request{Subject: c.who, Permission: c.loses, Scope: c.where})
	if err != nil {
		return err
	}
	if left.Allowed() {
		t.say("\nOne way to it is gone, another one is left:")
		t.explain(left)
	}
	return nil
}

// speaker returns the role that allows, empty where none does.
func speaker(d rolecall.Decision) rolecall.RoleName {
	for _, f := range d.Deciding() {
		if f.Role != "" {
			return f.Role
		}
	}
	return ""
}

// state prints who may do what the edit takes away.
func (t *tour) state(when string, s *rolecall.Snapshot) error {
	c := t.cast
	people, _, err := s.Who(c.loses, c.where, nil)
	if err != nil {
		return err
	}
	verdict := "yes"
	if err := s.Check(c.who, c.loses, c.where); errors.Is(err, rolecall.ErrDenied) {
		verdict = "no"
	} else if err != nil {
		return err
	}
	t.say("  %-7s revision %d: %s (%s) by %s? %s. %s may.", when, s.Revision(), t.title(c.loses), c.loses, c.who, verdict, count(len(people), "subject"))
	return nil
}
