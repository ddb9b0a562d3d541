package review

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rolecall-go/rolecall"
)

// Who has what through whom, who has it alone, and who does not need it.

// mostInstants is at how many instants a change is looked at before it is taken for one whose effect cannot be told.
const mostInstants = 8

// harmless says whether nobody gains or loses anything by taking away what something plain covers, now or later.
func (l *linter) harmless(edits []rolecall.Edit, h *holding) bool {
	return !h.strict || l.harmlessByPlan(edits, h)
}

// harmlessByPlan asks a plan, at every instant at which something opens or closes for the subject.
func (l *linter) harmlessByPlan(edits []rolecall.Edit, h *holding) bool {
	if len(h.boundaries) >= mostInstants {
		return false
	}
	for _, at := range append([]time.Time{l.now}, h.boundaries...) {
		plan, err := l.s.At(at).Plan(rolecall.Change{Edits: edits})
		if err != nil || !plan.Empty() {
			return false
		}
	}
	return true
}

// proposable says whether a change would be accepted, which is tried where it does more than take away.
func (l *linter) proposable(edits []rolecall.Edit) bool {
	if !slices.ContainsFunc(edits, refusable) {
		return true
	}
	_, err := l.s.Propose(rolecall.Change{Edits: edits})
	return err == nil
}

// refusable says whether an edit may break a rule of the model. None speaks against less being said of somebody: only
// roles and constraints are named by other statements.
func refusable(e rolecall.Edit) bool {
	switch e.Statement.(type) {
	case rolecall.Membership, rolecall.Grant, rolecall.Override:
		return e.Op != rolecall.OpRemove
	}
	return e.Op != rolecall.OpForgetSubject
}

// dormantSubjects finds who has something and was not seen for long.
func (l *linter) dormantSubjects(p *person) {
	since := l.now.Add(-l.o.Dormant)
	if l.o.Usage.coversUntil(since, l.now) != nil || p.subject.IsGroup() || l.suspended[p.subject] {
		return
	}
	all := p.statements()
	last, _ := l.o.Usage.LastSeen(p.subject)
	if len(all) == 0 || last.After(since) || l.isNew(all, since) {
		return
	}
	seen := "was last seen on " + rolecall.FormatTime(last.Truncate(time.Second))
	if last.IsZero() {
		seen = "was not seen since " + rolecall.FormatTime(l.o.Usage.From().Truncate(time.Second))
	}
	l.report(Diagnostic{
		Severity: Warning, Statements: all, Subjects: []rolecall.Subject{p.subject},
		Message: fmt.Sprintf("%s %s", p.subject, seen),
		Fix:     Fix{fmt.Sprintf("suspend %s, which can be undone", p.subject), []rolecall.Edit{rolecall.Put(rolecall.Suspension{Subject: p.subject})}, false},
	})
}

// isNew says whether all statements are known to be younger than that. What the history does not tell of was there before
// all that it does tell of.
func (l *linter) isNew(all []rolecall.Statement, since time.Time) bool {
	if l.o.Provenance == nil {
		return false
	}
	for _, st := range all {
		origin, err := l.o.Provenance.Since(rolecall.KeyOf(st), l.s.Revision())
		if err != nil && !errors.Is(err, rolecall.ErrCompacted) {
			l.failure = err
		}
		if err != nil || !origin.Time.After(since) {
			return false
		}
	}
	return true
}

// singleAdmin looks at who may give roles everywhere, which is who can repair a policy.
func (l *linter) singleAdmin() {
	admins, everyone, err := l.s.Who(rolecall.GrantCreate, rolecall.Global(), nil)
	if err != nil || everyone || len(admins) != 1 {
		return
	}
	decision, err := l.s.Decide(rolecall.Request{Subject: admins[0], Permission: rolecall.GrantCreate, Scope: rolecall.Global()})
	if err != nil {
		return
	}
	d := Diagnostic{
		Severity: Serious, Subjects: admins, Permissions: []rolecall.Permission{rolecall.GrantCreate},
		Message: fmt.Sprintf("only %s may grant roles everywhere: without it nobody can", admins[0]),
	}
	for _, f := range decision.Deciding() {
		d.Statements = append(d.Statements, f.Statement)
	}
	d.Fix = l.deputise(admins[0], d.Statements, func(s *rolecall.Snapshot, who rolecall.Subject) bool {
		return s.Check(who, rolecall.GrantCreate, rolecall.Global()) == nil
	})
	l.report(d)
}

// deputise proposes to give to somebody else what somebody has.
func (l *linter) deputise(of rolecall.Subject, has []rolecall.Statement, enough func(*rolecall.Snapshot, rolecall.Subject) bool) Fix {
	for _, who := range l.deputies(of) {
		var edits []rolecall.Edit
		for _, st := range has {
			switch st := st.(type) {
			case rolecall.Grant:
				st.Subject = who
				edits = append(edits, rolecall.Put(st))
			case rolecall.Override:
				st.Subject = who
				edits = append(edits, rolecall.Put(st))
			}
		}
		p, err := l.s.Propose(rolecall.Change{Edits: edits})
		if err == nil && enough(p.Next().At(l.now), who) {
			return Fix{fmt.Sprintf("give the same to %s, or to whom you trust as much", who), edits, false}
		}
	}
	return Fix{Message: "give the same to somebody else"}
}

// mostDeputies is how many candidates are tried.
const mostDeputies = 5

// deputies returns who may be proposed: the deputy that was given, otherwise colleagues first.
func (l *linter) deputies(of rolecall.Subject) []rolecall.Subject {
	if d := l.o.Deputy; !d.IsZero() && d != of && !l.suspended[d] {
		return []rolecall.Subject{d}
	}
	var some []rolecall.Subject
	add := func(who rolecall.Subject) {
		fits := who != of && who.Kind() == of.Kind() && !l.suspended[who] && !l.external(who) && !slices.Contains(some, who)
		if fits && len(some) < mostDeputies {
			some = append(some, who)
		}
	}
	for _, m := range l.read(of).memberships {
		for _, other := range l.groups[m.Group].members {
			add(other.Member)
		}
	}
	for _, who := range l.users {
		add(who)
	}
	return some
}

// soleHolders finds permissions of the host that only one subject is given, anywhere. Denials are not counted: who is
// given it and then denied counts as one who has it.
func (l *linter) soleHolders() {
	once, twice := l.bits(), slices.Clone(l.given(l.groups[rolecall.Everyone()].person))
	groups := map[rolecall.Subject]permissionBits{}
	owner := make([]rolecall.Subject, len(l.permissions))
	for _, who := range l.users {
		if l.suspended[who] {
			continue
		}
		p := l.read(who)
		has := slices.Clone(l.given(p))
		for _, m := range p.memberships {
			if l.open(m.Window) {
				merge(has, l.givenIn(m.Group, groups))
			}
		}
		for i := range once {
			twice[i] |= once[i] & has[i]
		}
		for n := range l.permissions {
			if has.has(n) && !once.has(n) {
				owner[n] = who
			}
		}
		merge(once, has)
	}
	alone := map[rolecall.Subject][]rolecall.Permission{}
	for n, p := range l.permissions {
		if !p.IsBuiltin() && once.has(n) && !twice.has(n) {
			alone[owner[n]] = append(alone[owner[n]], p)
		}
	}
	for _, who := range slices.SortedFunc(maps.Keys(alone), rolecall.Subject.Compare) {
		l.soleHolder(who, alone[who])
	}
}

// soleHolder reports what one subject alone has.
func (l *linter) soleHolder(who rolecall.Subject, alone []rolecall.Permission) {
	d := Diagnostic{
		Severity: Warning, Subjects: []rolecall.Subject{who}, Permissions: alone,
		Message: fmt.Sprintf("only %s is given %s", who, listed(alone)),
	}
	for _, r := range l.holding(l.read(who)).reach {
		for _, st := range r.person.statements() {
			if r.window.Open(l.now) && l.givesOneOf(st, alone) {
				d.Statements = append(d.Statements, st)
			}
		}
	}
	slices.SortFunc(d.Statements, compareStatements)
	d.Fix = l.deputise(who, d.Statements, func(*rolecall.Snapshot, rolecall.Subject) bool { return true })
	l.report(d)
}

// givesOneOf says whether a statement allows one of the permissions now.
func (l *linter) givesOneOf(st rolecall.Statement, some []rolecall.Permission) bool {
	switch st := st.(type) {
	case rolecall.Grant:
		return !st.Eligible && l.open(st.Window) && slices.ContainsFunc(l.in(l.roles[st.Role].allows), func(p rolecall.Permission) bool { return slices.Contains(some, p) })
	case rolecall.Override:
		return st.Effect == rolecall.Allow && l.open(st.Window) && slices.ContainsFunc(some, st.Pattern.AllowMatches)
	}
	return false
}
