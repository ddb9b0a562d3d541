package review

import (
	"slices"
	"time"

	"github.com/rolecall-go/rolecall"
)

// What somebody has through whom, and how long.

// A holding is a subject with the groups that it is in.
type holding struct {
	reach      []reached // the subject itself, and the groups that give it what they have
	strict     bool      // something else than a plain allow is said to it, or to a group that it is in
	boundaries []time.Time
}

// A reached is a holder whose statements count for a subject, and how long.
type reached struct {
	person *person
	window rolecall.Window
}

// holding finds the groups of a subject: first those that count now, then those that may count later.
func (x *index) holding(p *person) *holding {
	if p.held != nil {
		return p.held
	}
	h := &holding{reach: []reached{{p, rolecall.Window{}}}}
	seen := map[rolecall.Subject]bool{p.subject: true}
	for _, all := range []bool{false, true} {
		for i := 0; i < len(h.reach); i++ {
			for _, m := range h.reach[i].person.memberships {
				counts := x.open(m.Window) && !x.suspended[m.Group] && h.reach[i].window.Open(x.now)
				if !seen[m.Group] && !x.closed(m.Window) && (counts || all) {
					seen[m.Group] = true
					h.reach = append(h.reach, reached{x.groups[m.Group].person, x.within(h.reach[i].window, m)})
				}
			}
		}
	}
	if everyone := rolecall.Everyone(); !seen[everyone] {
		h.reach = append(h.reach, reached{x.groups[everyone].person, rolecall.Window{}})
	}
	for _, r := range h.reach {
		x.note(h, r.person)
	}
	slices.SortFunc(h.boundaries, time.Time.Compare)
	h.boundaries = slices.CompactFunc(h.boundaries, time.Time.Equal)
	p.held = h
	return h
}

// within returns when what counts in a window counts through a membership, too. Through a suspended group it never does.
func (x *index) within(w rolecall.Window, m rolecall.Membership) rolecall.Window {
	if x.suspended[m.Group] {
		return rolecall.Window{NotAfter: x.now}
	}
	return overlap(w, m.Window)
}

// note adds what the statements of a holder bring along.
func (x *index) note(h *holding, p *person) {
	for _, m := range p.memberships {
		h.bound(m.Window, x.now)
	}
	for _, g := range p.grants {
		h.strict = h.strict || !x.closed(g.Window) && (g.Replace || x.roles[g.Role].strict)
		h.bound(g.Window, x.now)
	}
	for _, o := range p.overrides {
		h.strict = h.strict || !x.closed(o.Window) && o.Effect != rolecall.Allow
		h.bound(o.Window, x.now)
	}
}

// bound notes when a window will open or close.
func (h *holding) bound(w rolecall.Window, now time.Time) {
	for _, t := range []time.Time{w.NotBefore, w.NotAfter} {
		if t.After(now) {
			h.boundaries = append(h.boundaries, t)
		}
	}
}

// grantsAt returns the grants of a role at one place.
func (p *person) grantsAt(role rolecall.RoleName, at rolecall.Scope) []rolecall.Grant {
	if p.granted == nil {
		p.granted = map[roleAt][]rolecall.Grant{}
		for _, g := range p.grants {
			where := roleAt{g.Role, g.Scope}
			p.granted[where] = append(p.granted[where], g)
		}
	}
	return p.granted[roleAt{role, at}]
}

// forbidsAt returns the overrides at one place that forbid.
func (p *person) forbidsAt(at rolecall.Scope) []rolecall.Override {
	if p.forbids == nil {
		p.forbids = map[rolecall.Scope][]rolecall.Override{}
		for _, o := range p.overrides {
			if o.Effect == rolecall.Forbid {
				p.forbids[o.Scope] = append(p.forbids[o.Scope], o)
			}
		}
	}
	return p.forbids[at]
}

// heldAll returns the roles that somebody holds from now on for as long as a window is open, with what they inherit.
func (x *index) heldAll(p *person, of rolecall.Window) []*roleEntry {
	var all []*roleEntry
	for _, r := range x.holding(p).reach {
		for _, g := range r.person.grants {
			if held := overlap(r.window, g.Window); !g.Eligible && held.Open(x.now) && x.lasts(held, of) {
				all = append(all, x.roles[g.Role].family...)
			}
		}
	}
	return all
}

// given returns what a holder's own statements may allow now.
func (x *index) given(p *person) permissionBits {
	has := x.bits()
	for _, g := range p.grants {
		if !g.Eligible && x.open(g.Window) {
			merge(has, x.roles[g.Role].allows)
		}
	}
	for _, o := range p.overrides {
		if o.Effect == rolecall.Allow && x.open(o.Window) {
			x.cover(has, o.Pattern)
		}
	}
	return has
}

// givenIn returns what being in a group may allow now.
func (x *index) givenIn(group rolecall.Subject, known map[rolecall.Subject]permissionBits) permissionBits {
	if has := known[group]; has != nil {
		return has
	}
	has := x.bits()
	if !x.suspended[group] {
		merge(has, x.given(x.groups[group].person))
		for _, m := range x.groups[group].person.memberships {
			if x.open(m.Window) {
				merge(has, x.givenIn(m.Group, known))
			}
		}
	}
	known[group] = has
	return has
}

// lasts says whether a window is open wherever another one still will be.
func (x *index) lasts(w, other rolecall.Window) bool {
	begins := !w.NotBefore.After(later(x.now, other.NotBefore))
	return begins && (w.NotAfter.IsZero() || !other.NotAfter.IsZero() && !w.NotAfter.Before(other.NotAfter))
}
