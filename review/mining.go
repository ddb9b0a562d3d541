package review

import (
	"fmt"
	"slices"
	"time"

	"github.com/rolecall-go/rolecall"
)

// A RoleUse tells what was used of a role, by anybody who has it now.
type RoleUse struct {
	Role    rolecall.RoleName     `json:"role"`
	Holders int                   `json:"holders"` // subjects, through groups too; strangers are not counted
	Used    []rolecall.Permission `json:"used"`
	Unused  []rolecall.Permission `json:"unused"` // what it allows, with what it inherits, and nobody used through it
}

// A SubjectUse tells what a subject used of all that it is given.
type SubjectUse struct {
	Subject  rolecall.Subject      `json:"subject"`
	LastSeen time.Time             `json:"lastSeen,omitzero"`
	Used     []rolecall.Permission `json:"used"`
	Unused   []rolecall.Permission `json:"unused"`
	// Grants are those of its own, not eligible, of which it used nothing.
	Grants []rolecall.Grant `json:"grants,omitempty"`
}

// A UseReport tells what was used of a policy since an instant. It speaks of the permissions of the host: built-in ones
// are used by making changes, which a meter does not see.
type UseReport struct {
	Since    time.Time    `json:"since"`
	Until    time.Time    `json:"until"`
	Roles    []RoleUse    `json:"roles"`    // that somebody has, by name
	Subjects []SubjectUse `json:"subjects"` // that are given something and are no groups, in order
}

// ReportUse tells what was used since an instant, of what everybody has now. Where a use may rest on several grants it
// counts for each of them, wherever a meter may have placed it; so what is called unused was not used. Groups that a token
// vouched for are not known: a use that nothing else explains counts for every group that may have given it. An error says
// that the usage does not cover that time, that the last reading is more than a day older than the snapshot's instant, or
// that there is no instant.
func ReportUse(s *rolecall.Snapshot, u *Usage, since time.Time) (*UseReport, error) {
	m, err := newMiner(s, u, since)
	if err != nil {
		return nil, fmt.Errorf("report use: %w", err)
	}
	r := &UseReport{Since: since, Until: u.Until(), Subjects: m.subjects}
	for _, role := range m.sorted {
		if m.holders[role] == 0 {
			continue
		}
		used, unused := m.ownIn(m.used[role]), m.ownIn(without(role.allows, m.used[role]))
		r.Roles = append(r.Roles, RoleUse{role.Name, m.holders[role], used, unused})
	}
	return r, nil
}

// A miner is a policy together with what was used of it.
type miner struct {
	*index
	usage    *Usage
	subjects []SubjectUse
	used     map[*roleEntry]permissionBits            // through the role, by anybody
	byGrant  map[rolecall.StatementKey]permissionBits // through one grant
	holders  map[*roleEntry]int
	vouched  map[rolecall.Use]bool // of no subject: what nothing explains but groups of a token
}

func newMiner(s *rolecall.Snapshot, u *Usage, since time.Time) (*miner, error) {
	if err := u.coversUntil(since, s.Now()); err != nil {
		return nil, err
	}
	if err := hasInstant(s); err != nil {
		return nil, err
	}
	m := &miner{index: newIndex(s), usage: u.Since(since), used: map[*roleEntry]permissionBits{}, byGrant: map[rolecall.StatementKey]permissionBits{}, holders: map[*roleEntry]int{}, vouched: map[rolecall.Use]bool{}}
	for _, r := range m.roles {
		m.used[r] = m.bits()
	}
	for _, who := range m.everyone() {
		m.attribute(m.read(who))
	}
	m.creditGroups()
	return m, nil
}

// everyone returns who is named by the policy, and who was seen without being named; groups only as they were seen, since one
// may ask as a group.
func (m *miner) everyone() []rolecall.Subject {
	all := slices.Clone(m.users)
	for who := range m.usage.bySubject {
		if _, named := slices.BinarySearchFunc(m.users, who, rolecall.Subject.Compare); !named {
			all = append(all, who)
		}
	}
	slices.SortFunc(all, rolecall.Subject.Compare)
	return all
}

// An attribution is what one subject used, in the making.
type attribution struct {
	person    *person
	uses      []Used
	given     permissionBits
	explained map[rolecall.Use]bool // by something that it has
	has       map[*roleEntry]bool
	idle      []rolecall.Grant // its own, of which it used nothing
}

// attribute counts everything that a subject used for each grant that may have given it.
func (m *miner) attribute(p *person) {
	a := &attribution{
		person: p, uses: m.usage.bySubject[p.subject], given: m.bits(),
		explained: map[rolecall.Use]bool{}, has: map[*roleEntry]bool{},
	}
	for _, r := range m.holding(p).reach {
		if r.window.Open(m.now) {
			m.attributeTo(r.person, a)
			continue
		}
		for _, g := range r.person.grants { // which may reach it later
			m.credit(a.uses, g, map[rolecall.Use]bool{})
		}
	}
	for _, use := range a.uses {
		if !a.explained[use.Use] {
			m.vouched[rolecall.Use{Permission: use.Permission, Scope: use.Scope}] = true
		}
	}
	if _, named := slices.BinarySearchFunc(m.users, p.subject, rolecall.Subject.Compare); named {
		m.tell(a)
	}
}

// attributeTo counts what a subject used for each grant of one holder whose statements reach it.
func (m *miner) attributeTo(holder *person, a *attribution) {
	merge(a.given, m.given(holder))
	for _, g := range holder.grants {
		through := m.credit(a.uses, g, a.explained)
		if g.Eligible || !m.open(g.Window) {
			continue
		}
		role := m.roles[g.Role]
		for _, one := range role.family {
			a.has[one] = true
		}
		if holder == a.person && count(through) == 0 && m.gives(role) {
			a.idle = append(a.idle, g)
		}
	}
	for _, o := range holder.overrides {
		explain(a.uses, o, a.explained)
	}
}

// tell notes a subject of the policy as a holder of its roles, and what it used of what it is given.
func (m *miner) tell(a *attribution) {
	for role := range a.has {
		m.holders[role]++
	}
	used, entry := m.bits(), SubjectUse{Subject: a.person.subject, Grants: a.idle}
	for _, use := range a.uses {
		entry.LastSeen = later(entry.LastSeen, use.Last)
		if n := m.number(use.Permission); n >= 0 {
			used.set(n)
		}
	}
	if entry.Used, entry.Unused = m.ownIn(used), m.ownIn(without(a.given, used)); len(entry.Used)+len(entry.Unused) > 0 {
		m.subjects = append(m.subjects, entry)
	}
}

// through returns what a grant may have given of what was used.
func (m *miner) through(g rolecall.Grant) permissionBits {
	key := rolecall.KeyOf(g)
	if m.byGrant[key] == nil {
		m.byGrant[key] = m.bits()
	}
	return m.byGrant[key]
}

// credit counts uses for a grant that may have given them, and for its role with what that inherits.
func (m *miner) credit(uses []Used, g rolecall.Grant, explained map[rolecall.Use]bool) permissionBits {
	through := m.bits()
	if len(uses) == 0 {
		return through
	}
	for _, use := range uses {
		if n := m.number(use.Permission); n >= 0 && m.roles[g.Role].allows.has(n) && meets(use.Scope, g.Scope) {
			through.set(n)
			explained[use.Use] = true
		}
	}
	for _, role := range m.roles[g.Role].family {
		merge(m.used[role], both(role.allows, through))
	}
	merge(m.through(g), through)
	return through
}

func explain(uses []Used, o rolecall.Override, explained map[rolecall.Use]bool) {
	for _, use := range uses {
		if o.Effect == rolecall.Allow && o.Pattern.AllowMatches(use.Permission) && meets(use.Scope, o.Scope) {
			explained[use.Use] = true
		}
	}
}

// creditGroups counts uses that nothing explains for every group that may have given them, those of all subjects together.
func (m *miner) creditGroups() {
	if len(m.vouched) == 0 {
		return
	}
	var uses []Used
	for use := range m.vouched {
		uses = append(uses, Used{Use: use})
	}
	for _, g := range m.groups {
		for _, grant := range g.person.grants {
			m.credit(uses, grant, map[rolecall.Use]bool{})
		}
	}
}
