package review

import (
	"fmt"
	"slices"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/internal/statements"
)

// What single statements give too much, too long, twice or in vain.

func (l *linter) expired(p *person) {
	for _, st := range p.statements() {
		window := statements.Window(st)
		if l.closed(window) {
			l.report(Diagnostic{
				Severity: Note, Statements: []rolecall.Statement{st},
				Message: fmt.Sprintf("%q ended on %s", rolecall.KeyOf(st), rolecall.FormatTime(window.NotAfter)),
				Fix:     Fix{"remove it", []rolecall.Edit{rolecall.Remove(st)}, true},
			})
		}
	}
}

// coveredGrants finds grants of which another one, of the subject or of a group that it is in, gives the same role there
// or further out for as long.
func (l *linter) coveredGrants(p *person) {
	if l.suspended[p.subject] || p.subject.IsGroup() && l.strict {
		return
	}
	h := l.holding(p)
	for _, g := range p.grants {
		if g.Eligible || g.Replace || l.closed(g.Window) {
			continue
		}
		by, from := l.coverOf(g, h)
		remove := []rolecall.Edit{rolecall.Remove(g)}
		if from.IsZero() || !l.harmless(remove, h) {
			continue
		}
		through := "itself"
		if from != p.subject {
			through = from.String()
		}
		l.report(Diagnostic{
			Severity: Note, Statements: []rolecall.Statement{g, by},
			Message: fmt.Sprintf("%s has role %s at %s through %s already, by %q", p.subject, g.Role, g.Scope, through, rolecall.KeyOf(by)),
			Fix:     Fix{fmt.Sprintf("remove %q", rolecall.KeyOf(g)), remove, true},
		})
	}
}

// coverOf returns the nearest grant that covers g, and whose it is; nobody's where there is none.
func (l *linter) coverOf(g rolecall.Grant, h *holding) (rolecall.Grant, rolecall.Subject) {
	for _, r := range h.reach {
		for at := range g.Scope.Ancestors() {
			for _, by := range r.person.grantsAt(g.Role, at) {
				alike := by.When == "" || by.When == g.When
				if alike && !by.Eligible && !by.Replace && l.lasts(by.Window, g.Window) && l.lasts(r.window, g.Window) && l.piercesAs(by, g) && !sameKey(by, g) {
					return by, r.person.subject
				}
			}
		}
	}
	return rolecall.Grant{}, rolecall.Subject{}
}

// piercesAs says whether what by gives gets wherever what g gives does.
func (l *linter) piercesAs(by, g rolecall.Grant) bool {
	if by.Pierce {
		return true
	}
	for at := range g.Scope.Ancestors() {
		if at == by.Scope {
			break
		}
		if l.privates[at] {
			return false
		}
	}
	return !g.Pierce
}

// sharedGrants finds groups of whose members each has the same grant by itself.
func (l *linter) sharedGrants() {
	for _, who := range l.groupNames() {
		g := l.groups[who]
		people := l.people(g)
		if len(people) < sharedFrom || l.suspended[who] {
			continue
		}
		for _, shared := range people[0].grants {
			if shared.Eligible || shared.Replace || !shared.Window.IsZero() {
				continue
			}
			all := l.eachOnes(people, shared)
			shared.Subject = who
			if _, there := l.s.Find(rolecall.KeyOf(shared)); all == nil || there || slices.ContainsFunc(people, l.saysStrict) {
				continue
			}
			d := Diagnostic{
				Severity: Note, Statements: all,
				Message: fmt.Sprintf("all %d members of %s have role %s at %s one by one", len(all), who, shared.Role, shared.Scope),
				Fix:     Fix{fmt.Sprintf("grant it to %s instead", who), []rolecall.Edit{rolecall.Put(shared)}, false},
			}
			for _, one := range all {
				d.Fix.Edits = append(d.Fix.Edits, rolecall.Remove(one))
			}
			l.report(d)
		}
	}
}

// sharedFrom is how many members make it worth to grant to their group.
const sharedFrom = 3

// people returns the members of a group where all of them are subjects, for good.
func (l *linter) people(g *groupEntry) []*person {
	for _, m := range g.members {
		if m.Member.IsGroup() || !m.Window.IsZero() {
			return nil
		}
	}
	var all []*person
	for _, m := range g.members {
		all = append(all, l.read(m.Member))
	}
	return all
}

// saysStrict says whether something else than a plain allow is said to somebody, or to a group of theirs.
func (l *linter) saysStrict(p *person) bool { return l.holding(p).strict }

// eachOnes returns a grant like that of everybody, nil where somebody has none.
func (l *linter) eachOnes(people []*person, like rolecall.Grant) []rolecall.Statement {
	var all []rolecall.Statement
	for _, p := range people {
		like.Subject = p.subject
		i := slices.Index(p.grants, like)
		if i < 0 {
			return nil
		}
		all = append(all, p.grants[i])
	}
	return all
}

// needlessOverrides finds overrides under a forbid, and allows of what is allowed anyway.
func (l *linter) needlessOverrides(p *person) {
	if len(p.overrides) == 0 || l.suspended[p.subject] {
		return
	}
	h := l.holding(p)
	for _, o := range p.overrides {
		if l.closed(o.Window) || l.idle(o.Pattern, o.Effect) != "" {
			continue
		}
		d := Diagnostic{
			Severity: Note, Statements: []rolecall.Statement{o},
			Fix: Fix{"remove it", []rolecall.Edit{rolecall.Remove(o)}, true},
		}
		if by, ok := l.forbidOver(o, h); ok {
			d.Statements = append(d.Statements, by)
			d.Message = fmt.Sprintf("%q never matters: %q forbids all of it", rolecall.KeyOf(o), rolecall.KeyOf(by))
			l.report(d)
		} else if o.Effect == rolecall.Allow && !p.subject.IsGroup() && l.harmlessByPlan(d.Fix.Edits, h) {
			d.Message = fmt.Sprintf("%q allows nothing that %s may not do anyway", rolecall.KeyOf(o), p.subject)
			l.report(d)
		}
	}
}

// forbidOver returns a forbid that says no wherever o speaks.
func (l *linter) forbidOver(o rolecall.Override, h *holding) (rolecall.Override, bool) {
	for _, r := range h.reach {
		for at := range o.Scope.Ancestors() {
			for _, by := range r.person.forbidsAt(at) {
				if by.When == "" && covers(by.Pattern, o.Pattern) && l.lasts(by.Window, o.Window) && l.lasts(r.window, o.Window) && !sameKey(by, o) {
					return by, true
				}
			}
		}
	}
	return rolecall.Override{}, false
}

func (l *linter) emptyGroups(p *person) {
	if !p.subject.IsGroup() || p.subject == rolecall.Everyone() || len(p.grants)+len(p.overrides) == 0 || l.populated(p.subject) {
		return
	}
	l.report(Diagnostic{
		Severity: Note, Statements: append(p.statements()[len(p.memberships):], memberships(l.groups[p.subject].members)...), Subjects: []rolecall.Subject{p.subject},
		Message: fmt.Sprintf("nobody is in %s, unless a token vouches for it", p.subject),
		Fix:     Fix{fmt.Sprintf("forget %s", p.subject), []rolecall.Edit{rolecall.ForgetSubject(p.subject)}, false},
	})
}

func memberships(list []rolecall.Membership) []rolecall.Statement {
	var all []rolecall.Statement
	for _, m := range list {
		all = append(all, m)
	}
	return all
}

// populated says whether a group has a member that is no group, directly or further down.
func (l *linter) populated(group rolecall.Subject) bool {
	some, known := l.peopled[group]
	if !known {
		some = slices.ContainsFunc(l.groups[group].members, func(m rolecall.Membership) bool {
			return !l.closed(m.Window) && (!m.Member.IsGroup() || l.populated(m.Member))
		})
		l.peopled[group] = some
	}
	return some
}

// unusedGroups finds groups that make no difference to anybody. One that is switched off is known to somebody.
func (l *linter) unusedGroups(p *person) {
	if !p.subject.IsGroup() || p.subject == rolecall.Everyone() || l.suspended[p.subject] || !l.joined(p.subject) || l.spokenTo(p) {
		return
	}
	l.report(Diagnostic{
		Severity: Note, Statements: memberships(append(slices.Clone(l.groups[p.subject].members), p.memberships...)), Subjects: []rolecall.Subject{p.subject},
		Message: fmt.Sprintf("nothing is said to %s, nor to a group that it is in", p.subject),
		Fix:     Fix{fmt.Sprintf("forget %s, unless it is to be given something", p.subject), []rolecall.Edit{rolecall.ForgetSubject(p.subject)}, true},
	})
}

// joined says whether a group has a member, or will have one.
func (l *linter) joined(group rolecall.Subject) bool {
	return slices.ContainsFunc(l.groups[group].members, func(m rolecall.Membership) bool { return !l.closed(m.Window) })
}

// spokenTo says whether a group has something, or will have, itself or by a group that it is in.
func (l *linter) spokenTo(p *person) bool {
	return slices.ContainsFunc(l.holding(p).reach, func(r reached) bool {
		return r.person.subject != rolecall.Everyone() && len(r.person.grants)+len(r.person.overrides) > 0
	})
}

// globalGrants finds what single subjects have everywhere for ever, apart from roles that are made for that.
func (l *linter) globalGrants(p *person) {
	if p.subject.IsGroup() || l.suspended[p.subject] {
		return
	}
	for _, g := range p.grants {
		onlyThere := slices.Equal(l.roles[g.Role].Scopes, []rolecall.ScopeKind{rolecall.GlobalKind})
		if !g.Scope.IsGlobal() || g.Eligible || !g.NotAfter.IsZero() || onlyThere || !l.gives(l.roles[g.Role]) {
			continue
		}
		edits := []rolecall.Edit{rolecall.Remove(g)}
		eligible := g
		eligible.Eligible = true
		if _, there := l.s.Find(rolecall.KeyOf(eligible)); !there {
			edits = append(edits, rolecall.Put(eligible))
		}
		l.report(Diagnostic{
			Severity: Warning, Statements: []rolecall.Statement{g},
			Message: fmt.Sprintf("%s has role %s everywhere and without an end", p.subject, g.Role),
			Fix:     Fix{"make it eligible, to be activated for the time that it is needed", edits, false},
		})
	}
}

// endlessGuests proposes an end for everything that outsiders have without one.
func (l *linter) endlessGuests(p *person) {
	if !l.external(p.subject) || p.subject.IsGroup() || l.suspended[p.subject] {
		return
	}
	for _, st := range p.statements() {
		window := statements.Window(st)
		if o, is := st.(rolecall.Override); !window.NotAfter.IsZero() || is && o.Effect != rolecall.Allow {
			continue
		}
		end := later(l.now, window.NotBefore).UTC().Add(l.o.Term).Truncate(24 * time.Hour)
		if !end.After(later(l.now, window.NotBefore)) {
			end = end.Add(24 * time.Hour)
		}
		l.report(Diagnostic{
			Severity: Warning, Statements: []rolecall.Statement{st},
			Message: fmt.Sprintf("%q has no end", rolecall.KeyOf(st)),
			Fix:     Fix{fmt.Sprintf("let it end on %s", rolecall.FormatTime(end)), []rolecall.Edit{rolecall.Put(statements.During(rolecall.Window{NotBefore: window.NotBefore, NotAfter: end}, st))}, false},
		})
	}
}

// wideShare is the share of the permissions beyond which a default is wide: one in so many.
const wideShare = 4

// wideDefaults looks at what everyone has, or may activate.
func (l *linter) wideDefaults(p *person) {
	if p.subject != rolecall.Everyone() {
		return
	}
	for _, st := range p.statements() {
		allows := l.bits()
		switch st := st.(type) {
		case rolecall.Grant:
			allows = l.roles[st.Role].allows
		case rolecall.Override:
			if st.Effect == rolecall.Allow {
				l.cover(allows, st.Pattern)
			}
		}
		if l.closed(statements.Window(st)) {
			continue
		}
		l.wideDefault(st, l.in(allows))
	}
}

func (l *linter) wideDefault(st rolecall.Statement, allows []rolecall.Permission) {
	admin := slices.DeleteFunc(slices.Clone(allows), func(p rolecall.Permission) bool { return !p.IsBuiltin() })
	has, may := "has", "may"
	if g, is := st.(rolecall.Grant); is && g.Eligible {
		has, may = "may activate a role with", "may activate a role to"
	}
	d := Diagnostic{
		Severity: Warning, Statements: []rolecall.Statement{st},
		Message: fmt.Sprintf("everyone, guests and strangers too, %s %s by %q", has, several(len(allows), "permission"), rolecall.KeyOf(st)),
		Fix:     Fix{"remove it, and give to a group what its members need", []rolecall.Edit{rolecall.Remove(st)}, false},
	}
	switch declared := len(slices.DeleteFunc(slices.Clone(l.permissions), rolecall.Permission.IsBuiltin)); {
	case len(admin) > 0:
		d.Severity, d.Permissions = Serious, admin
		d.Message = fmt.Sprintf("everyone, guests and strangers too, %s %s by %q", may, listed(admin), rolecall.KeyOf(st))
	case len(allows)*wideShare <= declared:
		return
	}
	l.report(d)
}

// suspendedHolders proposes to take from who is switched off what would be there again once resumed.
func (l *linter) suspendedHolders(p *person) {
	all := p.statements()
	if p.subject.IsGroup() || !l.suspended[p.subject] || len(all) == 0 {
		return
	}
	d := Diagnostic{
		Severity: Note, Statements: all, Subjects: []rolecall.Subject{p.subject},
		Message: fmt.Sprintf("%s is suspended and still has %s", p.subject, several(len(all), "statement")),
		Fix:     Fix{Message: "remove them, unless it is to be resumed; leave it suspended", Neutral: true},
	}
	for _, st := range all {
		d.Fix.Edits = append(d.Fix.Edits, rolecall.Remove(st))
	}
	l.report(d)
}

// separationGrants finds eligible grants that can never be activated, for what is held already and as long.
func (l *linter) separationGrants(p *person) {
	for _, g := range p.grants {
		if !g.Eligible || !l.open(g.Window) {
			continue
		}
		would := append(l.heldAll(p, g.Window), l.roles[g.Role].family...)
		for _, c := range l.constraints {
			if c.Kind != rolecall.Static || l.counts(c, would) < c.Limit {
				continue
			}
			l.report(Diagnostic{
				Severity: Warning, Statements: []rolecall.Statement{g, c},
				Message: fmt.Sprintf("%s cannot activate role %s: with what it holds that would break constraint %s", p.subject, g.Role, c.Name),
				Fix:     Fix{"remove the eligible grant", []rolecall.Edit{rolecall.Remove(g)}, true},
			})
		}
	}
}
