package rolecall_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rolecall-go/rolecall"
	"pgregory.net/rapid"
)

// TestRulesAreTheCheck compares each rule with View.Check for several facts, whole and taken apart.
func TestRulesAreTheCheck(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, v := drawView(t)
		at := pick(t, lookups, "at")
		rules, err := v.Rules(at)
		if err != nil {
			t.Fatalf("Rules(%s) of %s: %v, want no error", at, v.Subject(), err)
		}
		of := map[rolecall.Permission]rolecall.ScopeRule{}
		var order []rolecall.Permission
		for p, rule := range rules {
			of[p], order = rule, append(order, p)
		}
		if !slices.IsSortedFunc(order, rolecall.Permission.Compare) {
			t.Fatalf("Rules(%s) of %s yields %v, want it in order of name", at, v.Subject(), order)
		}
		for p, rule := range of {
			if want := conditionsBySplitting(rule); !slices.Equal(rule.Conditions(), want) {
				t.Fatalf("Conditions() of %s %s = %v, want %v", p, rule, rule.Conditions(), want)
			}
			for q, other := range of {
				if got, want := rule.Equal(other), rule.String() == other.String(); got != want {
					t.Fatalf("Equal of %s %s and %s %s = %t, want %t", p, rule, q, other, got, want)
				}
			}
		}
		for range 4 {
			f := drawFacts(t)
			for p := range worldCatalog.Permissions() {
				if one, err := v.Rule(p, at); err != nil || one.String() != of[p].String() || !one.Equal(of[p]) || !of[p].Equal(one) {
					t.Fatalf("Rule(%s, %s) of %s = %s, %v; want %s, as Rules says", p, at, v.Subject(), one, err, of[p])
				}
				want := v.Check(p, at, f) == nil
				if got := of[p].Holds(f); got != want {
					t.Fatalf("Rules(%s) of %s: %s %s, which is %t given %v, want %t; policy:\n%s", at, v.Subject(), p, of[p], got, f, want, b.world)
				}
				if got := holdsByReading(of[p], f); got != want {
					t.Fatalf("Rules(%s) of %s: %s %s, read as text, is %t given %v, want %t; policy:\n%s", at, v.Subject(), p, of[p], got, f, want, b.world)
				}
				if got := holdsBySplitting(of[p], f); got != want {
					t.Fatalf("Rules(%s) of %s: %s %s taken apart is %t given %v, want %t; policy:\n%s", at, v.Subject(), p, of[p], got, f, want, b.world)
				}
			}
		}
	})
}

// TestRulesInSmallWorlds asks the rules, and the sets of scopes, of all worlds in which one or two conditions are on
// anything: what stands under the same condition as what it overrides is not drawn by chance.
func TestRulesInSmallWorlds(t *testing.T) {
	a, n, byText := allConditions(), 0, map[string]rolecall.ScopeRule{}
	for w := range a.worlds {
		if n++; (testing.Short() || raceDetector) && n%7 != 0 {
			continue
		}
		s := w.snapshot(t).At(day(1))
		for _, who := range []rolecall.Subject{ann, crowds} {
			v := succeed(s.For(who, nil))
			rule, set := succeed(v.Rule(seeTask, shot)), setOf(t, v, "shot", seeTask)
			if other, known := byText[rule.String()]; known && !rule.Equal(other) {
				t.Fatalf("two rules that read %s are not equal", rule)
			}
			byText[rule.String()] = rule
			for _, q := range a.questions {
				if q.subject != who {
					continue
				}
				want := v.Check(seeTask, shot, q.facts) == nil
				if got, in := rule.Holds(q.facts), set.Contains(shot, q.facts); got != want || in != want {
					t.Fatalf("%s: the rule %s holds: %t, the set contains it: %t, want %t; policy:\n%s", q, rule, got, in, want, w)
				}
			}
		}
	}
	for text, rule := range byText {
		for other := range byText {
			if got := rule.Equal(byText[other]); got != (text == other) {
				t.Errorf("Equal of rules that read %s and %s = %t, want %t", text, other, got, !got)
			}
		}
	}
}

// conditionsBySplitting takes a rule apart for the conditions that it depends on.
func conditionsBySplitting(r rolecall.ScopeRule) []rolecall.Condition {
	c, ifHolds, ifFails, ifUnknown, ok := r.Split()
	if !ok {
		return nil
	}
	all := []rolecall.Condition{c}
	for _, part := range []rolecall.ScopeRule{ifHolds, ifFails, ifUnknown} {
		all = append(all, conditionsBySplitting(part)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func TestRulesRefuse(t *testing.T) {
	v, err := world{}.snapshot(t).At(day(1)).For(ann, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Rules(rolecall.In("projekt", "p")); !errors.Is(err, rolecall.ErrUnknown) {
		t.Errorf("Rules(/projekt:p): %v, want %s", err, rolecall.ErrUnknown)
	}
	if _, err := v.Rule(rolecall.NewPermission("task.viw"), project); !errors.Is(err, rolecall.ErrUnknown) {
		t.Errorf("Rule(task.viw): %v, want %s", err, rolecall.ErrUnknown)
	}
	if _, err := v.Rule(seeTask, rolecall.In("projekt", "p")); !errors.Is(err, rolecall.ErrUnknown) {
		t.Errorf("Rule(task.view, /projekt:p): %v, want %s", err, rolecall.ErrUnknown)
	}
	if _, err := v.Rules(rolecall.Scope{}); !errors.Is(err, rolecall.ErrInvalid) {
		t.Errorf("Rules(the zero scope): %v, want %s", err, rolecall.ErrInvalid)
	}
}

// TestRuleOfManyConditions: of a rule that any one of many conditions opens, the text names each once.
func TestRuleOfManyConditions(t *testing.T) {
	declared := rolecall.Declarations{Permissions: []rolecall.PermissionDecl{{Permission: seeTask}}}
	role := rolecall.Role{Name: "any"}
	for n := range 40 {
		c := rolecall.Condition(fmt.Sprintf("c%02d", n))
		declared.Conditions = append(declared.Conditions, rolecall.ConditionDecl{Condition: c})
		role.Rules = append(role.Rules, rule(rolecall.Allow, c, "task.view"))
	}
	c, err := rolecall.NewCatalog(declared)
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]string{1: "when c00", 3: "when c00 or c01 or c02", 40: "or c31 or …"} {
		few := role
		few.Rules = role.Rules[:n]
		v, err := snapshotOf(t, c, few, grant(ann, "any", rolecall.Global())).For(ann, nil)
		if err != nil {
			t.Fatal(err)
		}
		if r, err := v.Rule(seeTask, rolecall.Global()); err != nil || !strings.HasSuffix(r.String(), want) {
			t.Errorf("Rule(task.view) that %d conditions open: %s, %v; want it to end with %q", n, r, err, want)
		}
	}
}
