package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

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

// lineWidth is how much fits on a line beside the first column.
const lineWidth = 88

// fit joins as many words as fit on a line, and tells how many others there are.
func fit(words []string) string {
	line := ""
	for i, w := range words {
		if i > 0 && len(line)+len(w) > lineWidth && i < len(words)-1 {
			return fmt.Sprintf("%s; and %d more", line, len(words)-i)
		}
		if i > 0 {
			line += "; "
		}
		line += w
	}
	return line
}

func (t *tour) title(p rolecall.Permission) string {
	if title := t.titles[p].Title; title != "" {
		return title
	}
	return p.String()
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

// name returns how to call a subject in a sentence: the words of its id, each with a capital.
func name(s rolecall.Subject) string {
	if s.IsZero() {
		return "somebody"
	}
	words := strings.FieldsFunc(s.ID(), func(r rune) bool { return r == '.' || r == ' ' })
	for i, w := range words {
		first, size := utf8.DecodeRuneInString(w)
		words[i] = string(unicode.ToUpper(first)) + w[size:]
	}
	return strings.Join(words, " ")
}

// subjects names a few subjects.
func subjects(all []rolecall.Subject) string {
	const shown = 5
	var names []string
	for i, s := range all {
		if i == shown {
			names = append(names, "…")
			break
		}
		names = append(names, s.String())
	}
	return strings.Join(names, ", ")
}

func others(n int) string {
	if n == 0 {
		return "nobody else"
	}
	return count(n, "other")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return thousands(n) + " " + what + "s"
}

// thousands writes a number with commas.
func thousands(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
