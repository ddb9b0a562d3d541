package review

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rolecall-go/rolecall"
)

// A ProposalKind says what a proposal does to roles.
type ProposalKind string

// The kinds of proposal.
const (
	NarrowRole ProposalKind = "narrow" // leave in a role what is used of it
	SplitRole  ProposalKind = "split"  // part a role whose holders use different things
	MergeRoles ProposalKind = "merge"  // make one of two roles of which the same is used
)

// A RoleProposal is a change of roles that fits them to what was used. Whoever used something keeps it, whatever the facts
// and also when a window opens or closes later, and nobody gains anything: that was tried. Others may lose what they did not
// use, which is the purpose.
type RoleProposal struct {
	Kind    ProposalKind
	Roles   []rolecall.RoleName // those to be narrowed, split or merged
	Message string              // a plain sentence
	Edits   []rolecall.Edit     // for one change
}

// String returns kind and message on one line.
func (p RoleProposal) String() string { return string(p.Kind) + ": " + p.Message }

// ProposeRoles proposes how to fit roles to what was used since an instant, by kind and then by role. The proposals are
// made one by one: look again after committing one. Errors are those of ReportUse.
//
// A role is narrowed in its own allows, of which those remain that somebody used. It is split where its grants fall into
// parties of at least two that are used for nothing in common but what most of all are used for. Two roles are merged
// where the same was used of both, and nobody has both at one place in different ways: with another window, by replace or
// pierce. Only roles that do nothing but allow, without conditions, that nothing inherits from
// and that no constraint names are split or merged.
func ProposeRoles(s *rolecall.Snapshot, u *Usage, since time.Time) ([]RoleProposal, error) {
	m, err := newMiner(s, u, since)
	if err != nil {
		return nil, fmt.Errorf("propose roles: %w", err)
	}
	var all []RoleProposal
	for _, find := range []func() []RoleProposal{m.narrow, m.split, m.alike} {
		for _, p := range find() {
			if m.fits(p) {
				all = append(all, p)
			}
		}
	}
	return all, nil
}

// narrow proposes for each role that somebody has to spell what is used of its own allows.
func (m *miner) narrow() []RoleProposal {
	var all []RoleProposal
	for _, r := range m.sorted {
		spoken := m.bits()
		for p := range patternsOf(r) {
			if p.rule.Effect == rolecall.Allow {
				m.cover(spoken, p.pattern)
			}
		}
		unused := m.ownIn(without(spoken, m.used[r]))
		if m.holders[r] == 0 || len(unused) == 0 {
			continue
		}
		all = append(all, RoleProposal{
			Kind: NarrowRole, Roles: []rolecall.RoleName{r.Name},
			Message: fmt.Sprintf("nobody used %s through role %s", listed(unused), r.Name),
			Edits:   []rolecall.Edit{rolecall.Put(m.narrowed(r))},
		})
	}
	return all
}

// narrowed returns a role whose own allows are spelled, as far as they are used. Built-in permissions stay.
func (m *miner) narrowed(r *roleEntry) rolecall.Role {
	return rewritten(r.Role, func(rule rolecall.Rule) []rolecall.Pattern {
		if rule.Effect != rolecall.Allow {
			return rule.Patterns
		}
		var used []rolecall.Pattern
		for n, p := range m.permissions {
			listed := slices.ContainsFunc(rule.Patterns, func(q rolecall.Pattern) bool { return q.AllowMatches(p) })
			if listed && (p.IsBuiltin() || m.used[r].has(n)) {
				used = append(used, rolecall.Pattern(p.String()))
			}
		}
		return used
	})
}

// free says whether a role may be split or merged.
func (m *miner) free(r *roleEntry) bool {
	admin := slices.ContainsFunc(m.in(r.allows), rolecall.Permission.IsBuiltin)
	return r.plain && !admin && len(r.Inherits) == 0 && len(r.heirs) == 0 && !r.constrained && m.holders[r] > 0
}

// grantsOfRole returns the grants of a role, in the order of their keys.
func (m *miner) grantsOfRole(r *roleEntry) []rolecall.Grant {
	var all []rolecall.Grant
	for _, use := range m.s.UsesOf(r.Name) {
		if g, is := use.(rolecall.Grant); is {
			all = append(all, g)
		}
	}
	slices.SortFunc(all, func(a, b rolecall.Grant) int { return compareStatements(a, b) })
	return all
}

// What a split looks like.
const (
	leastParty  = 2 // grants
	mostParties = 4
)

func (m *miner) split() []RoleProposal {
	var all []RoleProposal
	for _, r := range m.sorted {
		if m.free(r) {
			if p, ok := m.splitOf(r); ok {
				all = append(all, p)
			}
		}
	}
	return all
}

// splitOf parts what was used of a role into what most of its grants are used for, which stays in it, and parties of
// permissions that no grant is used for together.
func (m *miner) splitOf(r *roleEntry) (RoleProposal, bool) {
	grants := m.grantsOfRole(r)
	common := m.common(grants)
	var parties []permissionBits
	for _, g := range grants {
		parties = gather(parties, without(m.through(g), common))
	}
	if len(parties) < 2 || len(parties) > mostParties {
		return RoleProposal{}, false
	}
	rest := r.Role
	rest.Rules = allowOf(m.in(common))
	p := RoleProposal{Kind: SplitRole, Roles: []rolecall.RoleName{r.Name}, Edits: []rolecall.Edit{rolecall.Put(rest)}}
	moved := map[rolecall.StatementKey]bool{}
	var uses []string
	for i, party := range parties {
		part := rolecall.Role{
			Name:     rolecall.RoleName(fmt.Sprintf("%s-%d", r.Name, i+1)),
			Inherits: []rolecall.RoleName{r.Name}, Rules: allowOf(m.in(party)), Holders: r.Holders, Scopes: r.Scopes,
		}
		members := m.usedFor(grants, party)
		if m.roles[part.Name] != nil || len(members) < leastParty {
			return RoleProposal{}, false
		}
		p.Edits = append(p.Edits, rolecall.Put(part))
		for _, g := range members {
			moved[rolecall.KeyOf(g)] = true
			g.Role = part.Name
			p.Edits = append(p.Edits, rolecall.Put(g))
		}
		uses = append(uses, fmt.Sprintf("%d use %s", len(members), listed(m.in(party))))
	}
	for _, g := range grants {
		if moved[rolecall.KeyOf(g)] {
			p.Edits = append(p.Edits, rolecall.Remove(g))
		}
	}
	p.Message = fmt.Sprintf("the grants of role %s are used for different things: %s", r.Name, strings.Join(uses, "; "))
	return p, true
}

// usedFor returns the grants that are used for any of some permissions.
func (m *miner) usedFor(grants []rolecall.Grant, some permissionBits) []rolecall.Grant {
	var list []rolecall.Grant
	for _, g := range grants {
		if count(both(m.through(g), some)) > 0 {
			list = append(list, g)
		}
	}
	return list
}

func allowOf(some []rolecall.Permission) []rolecall.Rule {
	if len(some) == 0 {
		return nil
	}
	rule := rolecall.Rule{Effect: rolecall.Allow}
	for _, p := range some {
		rule.Patterns = append(rule.Patterns, rolecall.Pattern(p.String()))
	}
	return []rolecall.Rule{rule}
}

// common returns what more than half of the grants that are used at all are used for.
func (m *miner) common(grants []rolecall.Grant) permissionBits {
	times, used := make([]int, len(m.permissions)), 0
	for _, g := range grants {
		through := m.through(g)
		if count(through) > 0 {
			used++
		}
		for n := range m.permissions {
			if through.has(n) {
				times[n]++
			}
		}
	}
	some := m.bits()
	for n, t := range times {
		if t*2 > used {
			some.set(n)
		}
	}
	return some
}

// gather adds a set to parties that have nothing in common; those that it has something in common with become one.
func gather(parties []permissionBits, with permissionBits) []permissionBits {
	if count(with) == 0 {
		return parties
	}
	whole := slices.Clone(with)
	var apart []permissionBits
	for _, p := range parties {
		if count(both(p, with)) > 0 {
			merge(whole, p)
		} else {
			apart = append(apart, p)
		}
	}
	return append(apart, whole)
}

func (m *miner) alike() []RoleProposal {
	var all []RoleProposal
	for i, a := range m.sorted {
		if !m.free(a) || count(m.used[a]) < 2 {
			continue
		}
		for _, b := range m.sorted[i+1:] {
			if m.free(b) && slices.Equal(m.used[a], m.used[b]) && slices.Equal(a.Holders, b.Holders) && slices.Equal(a.Scopes, b.Scopes) {
				if p, ok := m.merged(a, b); ok {
					all = append(all, p)
				}
			}
		}
	}
	return all
}

// merged proposes to have the first role, with what is used of both, in the place of the second.
func (m *miner) merged(a, b *roleEntry) (RoleProposal, bool) {
	one := a.Role
	one.Rules = allowOf(m.in(m.used[a]))
	p := RoleProposal{
		Kind: MergeRoles, Roles: []rolecall.RoleName{a.Name, b.Name},
		Message: fmt.Sprintf("of roles %s and %s the same is used: %s", a.Name, b.Name, listed(m.in(m.used[a]))),
		Edits:   []rolecall.Edit{rolecall.Put(one)},
	}
	for _, g := range m.grantsOfRole(b) {
		moved := g
		moved.Role = a.Name
		switch standing, there := m.s.Find(rolecall.KeyOf(moved)); {
		case !there:
			p.Edits = append(p.Edits, rolecall.Put(moved))
		case standing != moved: // the two together give what neither would
			return RoleProposal{}, false
		}
		p.Edits = append(p.Edits, rolecall.Remove(g))
	}
	p.Edits = append(p.Edits, rolecall.Remove(b.Role))
	return p, true
}
