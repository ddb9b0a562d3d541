package rolecalltest

import (
	"fmt"
	"slices"

	"github.com/rolecall-go/rolecall"
)

// A mutation changes one statement of a policy: into another one, or into nothing.
type mutation struct {
	how    string
	what   string // the part concerned
	before rolecall.StatementKey
	after  rolecall.Statement // nil where the statement is removed
}

// String says what the mutation does.
func (m mutation) String() string { return m.how + " " + m.what }

// apply returns the changed policy; false says that it would not be one, since a role in use cannot go, for example.
func (m mutation) apply(s *rolecall.Snapshot) (*rolecall.Snapshot, bool) {
	var statements []rolecall.Statement
	for one := range s.Statements() {
		switch {
		case rolecall.KeyOf(one) != m.before:
			statements = append(statements, one)
		case m.after != nil:
			statements = append(statements, m.after)
		}
	}
	changed, err := rolecall.NewSnapshot(s.Catalog(), statements...)
	if err != nil {
		return nil, false
	}
	return changed.At(s.Now()), true
}

// removals are the mutations that take one part away.
func removals(s *rolecall.Snapshot) []mutation {
	return slices.DeleteFunc(mutations(s), func(m mutation) bool { return m.how != "remove" })
}

// mutations are all that the kit knows of.
func mutations(s *rolecall.Snapshot) []mutation {
	var all []mutation
	for one := range s.Statements() {
		key := rolecall.KeyOf(one)
		add := func(how, what string, after rolecall.Statement) {
			all = append(all, mutation{how, what, key, after})
		}
		switch one := one.(type) {
		case rolecall.Role:
			mutateRole(one, add)
			continue
		case rolecall.Grant:
			mutateGrant(one, add)
		case rolecall.Override:
			mutateOverride(one, add)
		case rolecall.Membership:
			if !one.Window.IsZero() {
				always := one
				always.Window = rolecall.Window{}
				add("drop the window of", one.String(), always)
			}
		}
		add("remove", one.String(), nil)
	}
	return all
}

type adder func(how, what string, after rolecall.Statement)

func mutateRole(r rolecall.Role, add adder) {
	for i, rule := range r.Rules {
		what := fmt.Sprintf("%q of role %s", rule, r.Name)
		without := r
		without.Rules = slices.Delete(slices.Clone(r.Rules), i, i+1)
		add("remove", what, without)
		flipped := rule
		flipped.Effect = flip(rule.Effect)
		add("make "+flipped.Effect.String()+" of", what, withRule(r, i, flipped))
		if rule.When != "" {
			always := rule
			always.When = ""
			add("drop the condition of", what, withRule(r, i, always))
		}
		for j := range rule.Patterns {
			if len(rule.Patterns) > 1 {
				fewer := rule
				fewer.Patterns = slices.Delete(slices.Clone(rule.Patterns), j, j+1)
				add("remove", fmt.Sprintf("%s from %s", rule.Patterns[j], what), withRule(r, i, fewer))
			}
		}
	}
	for i, name := range r.Inherits {
		orphan := r
		orphan.Inherits = slices.Delete(slices.Clone(r.Inherits), i, i+1)
		add("remove", fmt.Sprintf("%q of role %s", "inherits "+string(name), r.Name), orphan)
	}
	if len(r.Holders) > 0 {
		anybody := r
		anybody.Holders = nil
		add("drop", fmt.Sprintf("who may hold role %s", r.Name), anybody)
	}
	if len(r.Scopes) > 0 {
		anywhere := r
		anywhere.Scopes = nil
		add("drop", fmt.Sprintf("where role %s may be held", r.Name), anywhere)
	}
}

func withRule(r rolecall.Role, i int, rule rolecall.Rule) rolecall.Role {
	r.Rules = slices.Clone(r.Rules)
	r.Rules[i] = rule
	return r
}

// flip returns the effect that somebody would write by mistake: the opposite, or the next weaker one of a forbid.
func flip(e rolecall.Effect) rolecall.Effect {
	switch e {
	case rolecall.Allow:
		return rolecall.Deny
	case rolecall.Forbid:
		return rolecall.Deny
	case rolecall.Except, rolecall.Deny:
		return rolecall.Allow
	}
	panic(fmt.Sprintf("rolecalltest: a statement says %s", e))
}

func mutateGrant(g rolecall.Grant, add adder) {
	what := g.String()
	drop := func(mark string, is bool, change func(*rolecall.Grant)) {
		if is {
			changed := g
			change(&changed)
			add("drop the "+mark+" of", what, changed)
		}
	}
	drop("condition", g.When != "", func(g *rolecall.Grant) { g.When = "" })
	drop("window", !g.Window.IsZero(), func(g *rolecall.Grant) { g.Window = rolecall.Window{} })
	drop("replace", g.Replace, func(g *rolecall.Grant) { g.Replace = false })
	drop("pierce", g.Pierce, func(g *rolecall.Grant) { g.Pierce = false })
	drop("eligible", g.Eligible, func(g *rolecall.Grant) { g.Eligible = false })
}

func mutateOverride(o rolecall.Override, add adder) {
	flipped := o
	flipped.Effect = flip(o.Effect)
	add("make "+flipped.Effect.String()+" of", o.String(), flipped)
	if o.When != "" {
		always := o
		always.When = ""
		add("drop the condition of", o.String(), always)
	}
	if !o.Window.IsZero() {
		always := o
		always.Window = rolecall.Window{}
		add("drop the window of", o.String(), always)
	}
}
