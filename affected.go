package rolecall

import (
	"maps"
	"slices"
)

// Whom, where and of what a change can have changed a verdict: the cells that the guard compares.

// A region is where a changed statement can have changed a verdict.
type region struct {
	scopes      map[Scope]bool
	permissions permset // numbers of the declared ones
	words       bool    // and words declared later
}

// stranger stands for a subject that no statement names; no statement can name one without an id.
var stranger = Subject{kind: KindGuest}

// regions maps each subject that a changed statement reaches to where it does.
func (g *guard) regions(deltas []Delta) map[Subject]*region {
	regions := map[Subject]*region{}
	for _, d := range deltas {
		r := &region{scopes: map[Scope]bool{}, permissions: newPermset(len(g.after.catalog.permissions))}
		holders := map[Subject]bool{}
		g.reach(d, holders, r)
		for who := range g.below(holders) {
			if regions[who] == nil {
				regions[who] = &region{scopes: map[Scope]bool{}, permissions: newPermset(len(g.after.catalog.permissions))}
			}
			regions[who].add(r)
		}
	}
	return regions
}

func (r *region) add(other *region) {
	maps.Copy(r.scopes, other.scopes)
	r.permissions.or(other.permissions)
	r.words = r.words || other.words
}

func (r *region) everything() {
	for i := range r.permissions {
		r.permissions[i] = ^uint64(0)
	}
	r.words = true
}

// reach fills in whose verdicts a delta can have changed, and where and of what.
func (g *guard) reach(d Delta, holders map[Subject]bool, r *region) {
	switch s := either(d.After, d.Before).(type) {
	case Grant:
		holders[s.Subject] = true
		r.scopes[s.Scope] = true
		for _, one := range []Statement{d.Before, d.After} {
			if one == nil {
				continue
			}
			if one.(Grant).Replace {
				r.everything()
			}
			g.roleSpeaks(s.Role, r)
		}
	case Override:
		holders[s.Subject] = true
		r.scopes[s.Scope] = true
		r.permissions.or(g.after.catalog.matcher(s.Pattern).any)
		r.words = r.words || s.Pattern.HasStar()
	case Membership:
		holders[s.Member] = true
		r.everything()
		g.scopesAbove(s.Group, r)
	case Suspension:
		holders[s.Subject] = true
		r.everything()
		g.scopesAbove(s.Subject, r)
	case PrivateScope:
		if d.After == nil {
			r.everything()
			r.scopes[s.Scope] = true
			g.holdersAbove(s.Scope, holders)
		}
	case Role:
		g.roleReaches(s.Name, holders, r)
	}
}

func either(a, b Statement) Statement {
	if a != nil {
		return a
	}
	return b
}

// roleSpeaks adds the permissions of which a role says anything, before or after.
func (g *guard) roleSpeaks(name RoleName, r *region) {
	for _, p := range []*policy{g.before, g.after} {
		role := p.roles.find(name)
		if role == nil {
			continue
		}
		for i, says := range role.say {
			if says != 0 {
				r.permissions.add(i)
			}
		}
		for _, number := range role.lineage {
			r.words = r.words || slices.ContainsFunc(p.roles.get(number).Rules, func(rule Rule) bool {
				return slices.ContainsFunc(rule.Patterns, Pattern.HasStar)
			})
		}
	}
}

// roleReaches adds the holders and scopes of every grant whose role is the changed one or inherits from it.
func (g *guard) roleReaches(name RoleName, holders map[Subject]bool, r *region) {
	for _, p := range []*policy{g.before, g.after} {
		changed := p.roles.find(name)
		if changed == nil {
			continue
		}
		for _, heir := range p.roles.roles {
			if heir == nil || !heir.is(changed.number) {
				continue
			}
			g.roleSpeaks(heir.Name, r)
			for _, use := range p.usesOf(heir) {
				holders[use.(Grant).Subject] = true
				r.scopes[use.(Grant).Scope] = true
			}
		}
	}
}

// scopesAbove adds the scopes of every statement of a subject and the groups above it, before and after.
func (g *guard) scopesAbove(who Subject, r *region) {
	for _, p := range []*policy{g.before, g.after} {
		for _, h := range p.above(who) {
			p.scopesOf(h, r.scopes)
		}
	}
}

// above lists a subject's holder and every group above it, whatever windows and suspensions.
func (p *policy) above(who Subject) []*holder {
	h := p.holder(who)
	if h == nil {
		return nil
	}
	list, seen := []*holder{h}, map[*holder]bool{h: true}
	for i := 0; i < len(list); i++ {
		for _, m := range list[i].groups {
			if up := p.groups.at(m.group); !seen[up] {
				seen[up] = true
				list = append(list, up)
			}
		}
	}
	return list
}

func (p *policy) scopesOf(h *holder, scopes map[Scope]bool) {
	for i := range h.grants {
		scopes[p.places.at(h.grants[i].scope).scope] = true
	}
	for i := range h.overrides {
		scopes[p.places.at(h.overrides[i].scope).scope] = true
	}
}

// holdersAbove adds everybody who has a statement above a scope, so that opening it may let them in.
func (g *guard) holdersAbove(t Scope, holders map[Subject]bool) {
	var way path
	g.after.walk(&t, &way)
	for depth := range way.n {
		at := way.places[depth]
		if at.scope == t {
			continue
		}
		for number := range at.groups.all() {
			holders[g.after.groups.at(number).subject] = true
		}
		for number := range at.users.all() {
			holders[g.after.users.at(number).subject] = true
		}
	}
}

// below adds everybody who is in one of the groups, before or after; Everyone has every subject and a stranger.
func (g *guard) below(holders map[Subject]bool) map[Subject]bool {
	all := map[Subject]bool{}
	for _, p := range []*policy{g.before, g.after} {
		var add func(s Subject)
		seen := map[Subject]bool{}
		add = func(s Subject) {
			if seen[s] {
				return
			}
			seen[s], all[s] = true, true
			if s.isEveryone() {
				all[stranger] = true
				p.subjects.all(func(h *holder) bool { all[h.subject] = true; return true })
				return
			}
			h := p.holder(s)
			if h == nil || h.group == nil {
				return
			}
			for number := range h.group.members.all() {
				add(p.users.at(number).subject)
			}
			for number := range h.group.subgroups.all() {
				add(p.groups.at(number).subject)
			}
		}
		for s := range holders {
			add(s)
		}
	}
	return all
}
