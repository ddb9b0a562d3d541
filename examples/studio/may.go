package main

import (
	"slices"
	"strings"

	"github.com/rolecall-go/rolecall"
)

func (t *tour) whatAndWhy(s *rolecall.Snapshot) error {
	c := t.cast
	t.say("\n1. What may %s do, and why?\n", name(c.who))
	if c.who.IsZero() {
		t.say("Nobody in this policy may do anything now.")
		return nil
	}
	may, err := everyday(s, c.who, c.where, nil)
	if err != nil {
		return err
	}
	t.say("On %s %s may do %s:", c.where, c.who, count(len(may), "thing"))
	t.list(may)
	if err := t.more(s, may); err != nil {
		return err
	}
	for _, p := range []rolecall.Permission{c.may, c.mayNot} {
		if p.IsZero() {
			continue
		}
		d, err := s.Decide(rolecall.Request{Subject: c.who, Permission: p, Scope: c.where})
		if err != nil {
			return err
		}
		t.say("")
		t.explain(d)
	}
	return nil
}

// list prints permissions by their groups.
func (t *tour) list(permissions []rolecall.Permission) {
	var groups []string
	byGroup := map[string][]string{}
	for _, p := range permissions {
		g := t.titles[p].Group
		if byGroup[g] == nil {
			groups = append(groups, g)
		}
		byGroup[g] = append(byGroup[g], t.title(p))
	}
	slices.Sort(groups)
	for _, g := range groups {
		titles := fit(byGroup[g])
		if g == "" {
			g = "Everything"
		}
		t.say("  %-18s %s", g, titles)
	}
}

// more prints what the subject may do besides where one condition holds. Conditions of one family (from.new,
// from.ready, …) are told together.
func (t *tour) more(s *rolecall.Snapshot, always []rolecall.Permission) error {
	var families []string
	titles := map[string][]string{}
	for _, d := range s.Catalog().Declarations().Conditions {
		may, err := everyday(s, t.cast.who, t.cast.where, rolecall.Given{d.Condition})
		if err != nil {
			return err
		}
		family, _, several := strings.Cut(string(d.Condition), ".")
		if several {
			family += ".…"
		}
		for _, p := range may {
			if slices.Contains(always, p) || slices.Contains(titles[family], t.title(p)) {
				continue
			}
			if titles[family] == nil {
				families = append(families, family)
			}
			titles[family] = append(titles[family], t.title(p))
		}
	}
	if len(families) > 0 {
		t.say("and under a condition:")
	}
	for _, family := range families {
		t.say("  %-18s %s", "when "+family, fit(titles[family]))
	}
	return nil
}
