package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rolecall-go/rolecall"
)

func (t *tour) whyNot(s *rolecall.Snapshot) error {
	c := t.cast
	t.say("\n2. Why may %s not, and what is the smallest change that would allow it?\n", name(c.outsider))
	if c.outsider.IsZero() {
		t.say("There is no place in this policy where some may do what others may not.")
		return nil
	}
	d, err := s.Decide(rolecall.Request{Subject: c.outsider, Permission: c.wants, Scope: c.closed})
	if err != nil {
		return err
	}
	t.explain(d)
	t.holdings(s, c.outsider)
	insiders, _, err := s.Who(c.wants, c.closed, nil)
	if err != nil {
		return err
	}
	if _, private := s.Find(rolecall.KeyOf(rolecall.PrivateScope{Scope: c.closed})); private {
		t.say("  %s is private: only what is granted inside it counts, or pierces. %s may: %s.", c.closed, others(len(insiders)), subjects(insiders))
	} else {
		t.say("  %s may: %s.", others(len(insiders)), subjects(insiders))
	}
	if d.Reason() != rolecall.Private {
		if err := t.alsoStopped(s); err != nil {
			return err
		}
	}
	found, _, err := s.Remedies(rolecall.Request{Subject: c.outsider, Permission: c.wants, Scope: c.closed}, &rolecall.RemedyOptions{Limit: shownRemedies})
	if err != nil {
		return err
	}
	t.say("\nWhat would allow it, the change that opens least first; each was tried on a copy of the policy:")
	for i, m := range firstOfForm(found) {
		t.say("  %d. %-11s %s", i+1, formOf(m)+":", onOneLine(m))
		t.say("     gives %s", m.Gained)
	}
	if len(found) == 0 {
		t.say("  no change of a few statements would")
	}
	return nil
}

// holdings prints what a subject holds anywhere in its own name, and the groups that it is in.
func (t *tour) holdings(s *rolecall.Snapshot, who rolecall.Subject) {
	var held, groups []string
	for statement := range s.Statements() {
		switch st := statement.(type) {
		case rolecall.Grant:
			if st.Subject == who {
				held = append(held, fmt.Sprintf("%s at %s", st.Role, st.Scope))
			}
		case rolecall.Membership:
			if st.Member == who {
				groups = append(groups, st.Group.String())
			}
		}
	}
	if len(groups) > 0 {
		t.say("  %s is in %s", name(who), fit(groups))
	}
	if len(held) > 0 {
		t.say("  %s holds %s", name(who), fit(held))
	}
}

// alsoStopped explains the same for somebody whom only privacy stops, an administrator for example.
func (t *tour) alsoStopped(s *rolecall.Snapshot) error {
	for _, who := range append([]rolecall.Subject{t.cast.boss}, some(s)...) {
		if who.IsZero() || who == t.cast.outsider {
			continue
		}
		d, err := s.Decide(rolecall.Request{Subject: who, Permission: t.cast.wants, Scope: t.cast.closed})
		if err != nil {
			return err
		}
		if d.Reason() == rolecall.Private {
			t.say("\nThis stops even those who hold something everywhere:")
			t.explain(d)
			return nil
		}
	}
	return nil
}

// shownRemedies is how many remedies the report asks for, to show the least one of each form.
const shownRemedies = 100

// formOf says what kind of change a remedy is, by the last of its edits: what comes before clears the way.
func formOf(m rolecall.Remedy) string {
	last := m.Edits[len(m.Edits)-1]
	if last.Op == rolecall.OpRemove {
		return "giving way"
	}
	switch last.Statement.(type) {
	case rolecall.Override:
		return "one permission"
	case rolecall.Grant:
		return "a role"
	}
	return "a group"
}

// firstOfForm keeps the first remedy of each form.
func firstOfForm(list []rolecall.Remedy) []rolecall.Remedy {
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(m rolecall.Remedy) bool {
		again := seen[formOf(m)]
		seen[formOf(m)] = true
		return again
	})
}

// onOneLine writes the edits of a remedy.
func onOneLine(m rolecall.Remedy) string { return strings.ReplaceAll(m.String(), "\n", ", and ") }
