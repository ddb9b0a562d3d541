package rolecall

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Static separation of duty: no subject, no group and not Everyone holds too many roles of a constraint at one
// instant, at any scopes, through groups and inheritance. Conditions and suspension do not matter, eligible grants
// only once they are activated.

// A separationScope says whose roles a draft may have added to. Roles that come to be another one's are found from the
// roles themselves.
type separationScope struct {
	all      bool // whoever holds a role that counts
	subjects map[Subject]bool
}

func (s *separationScope) add(who Subject) {
	if s.all || who.isEveryone() {
		s.all = true
		return
	}
	if s.subjects != nil {
		s.subjects[who] = true
	}
}

// A tenure is a role of a constraint held during a window, by a grant.
type tenure struct {
	role   RoleName
	window Window
	holder *holder
	grant  *grantAt
}

// checkSeparation refuses what breaks a static constraint, once a constraint and subject.
func (d *draft) checkSeparation(base *policy) {
	watched := d.watchedRoles()
	if len(watched) == 0 {
		return
	}
	for _, h := range d.toSeparate(watched, d.grownRoles(base, watched)) {
		tenures := d.tenures(h, watched)
		held := byRole(tenures)
		for _, c := range d.constraints {
			if c.Kind == Static && c.clash(held) != nil {
				d.refuseClash(c, h.subject, c.clash(byRole(d.sortedTenures(tenures))))
			}
		}
	}
}

// grownRoles returns the roles that came to count for more than before.
func (d *draft) grownRoles(base *policy, watched map[uint32][]RoleName) []uint32 {
	if base == nil || d.separate.all || len(d.rolesChanged) == 0 {
		return nil
	}
	var grown []uint32
	before := base.watchedRoles()
	for number, names := range watched {
		if slices.ContainsFunc(names, func(name RoleName) bool { return !slices.Contains(before[number], name) }) {
			grown = append(grown, number)
		}
	}
	return grown
}

func (d *draft) refuseClash(c Constraint, who Subject, clash []tenure) {
	parts := make([]string, len(clash))
	for i, t := range clash {
		parts[i] = fmt.Sprintf("%s by %s", t.role, d.keyOf(t))
	}
	p := problem(ErrSeparation, c.Name, who.String(), "at most %d of the roles may be held at once, but here are %s", c.Limit-1, strings.Join(parts, ", "))
	p.Statement = c
	d.problems = append(d.problems, p)
}

// watchedRoles maps each role that counts for some static constraint to the roles of constraints that it is or inherits.
func (p *policy) watchedRoles() map[uint32][]RoleName {
	watched := map[uint32][]RoleName{}
	named := map[RoleName]bool{}
	for _, c := range p.constraints {
		if c.Kind == Static {
			for _, name := range c.Roles {
				named[name] = true
			}
		}
	}
	if len(named) == 0 {
		return watched
	}
	for _, r := range p.roles.roles {
		if r == nil {
			continue
		}
		for _, one := range r.lineage {
			if named[one.Name] {
				watched[r.number] = append(watched[r.number], one.Name)
			}
		}
	}
	return watched
}

// toSeparate returns the holders to judge: those the draft touched, those of roles that have grown, and everybody below
// them, sorted. What Everyone holds counts for everybody, and breaks something together with another role that counts.
func (d *draft) toSeparate(watched map[uint32][]RoleName, grown []uint32) []*holder {
	found := map[*holder]bool{}
	add := func(h *holder) { d.descend(found, h, func(*holder) bool { return true }) }
	all := d.separate.all || slices.ContainsFunc(grown, func(role uint32) bool { return d.uses.at(role).groups.has(everyoneNumber) })
	if all {
		grown = slices.Collect(maps.Keys(watched))
		add(d.everyone())
	}
	for _, role := range grown {
		for h := range d.usersOf(role) {
			add(h)
		}
	}
	for who := range d.separate.subjects {
		if h := d.holder(who); h != nil {
			add(h)
		}
	}
	return slices.SortedFunc(maps.Keys(found), (*holder).compare)
}

// tenures lists the watched roles that h holds, through its groups and Everyone too. It goes up group by group, each one
// after all that lie below it, and so meets each of them once with all the windows in which it is reached.
func (p *policy) tenures(h *holder, watched map[uint32][]RoleName) []tenure {
	reached := map[*holder][]Window{h: {{}}, p.everyone(): {{}}}
	var out []tenure
	for _, one := range p.upward(h) {
		for _, w := range reached[one] {
			out = tenuresOf(out, one, w, watched)
			for i := range one.groups {
				m := &one.groups[i]
				if through := w.and(one.window(m.terms)); !through.Empty() {
					above := p.groups.at(m.group)
					reached[above] = widened(reached[above], through)
				}
			}
		}
	}
	return out
}

// tenuresOf adds the watched roles that a holder has been granted itself, as far as a window is open.
func tenuresOf(out []tenure, h *holder, w Window, watched map[uint32][]RoleName) []tenure {
	for i := range h.grants {
		g := &h.grants[i]
		names := watched[g.role]
		if g.marks&markEligible != 0 || names == nil {
			continue
		}
		if held := w.and(h.window(g.terms)); !held.Empty() {
			for _, name := range names {
				out = append(out, tenure{name, held, h, g})
			}
		}
	}
	return out
}

// widened adds a window to a set of those of which none lies within another one.
func widened(set []Window, w Window) []Window {
	if slices.ContainsFunc(set, func(wider Window) bool { return wider.spans(w) }) {
		return set
	}
	return append(slices.DeleteFunc(set, w.spans), w)
}

// sortedTenures puts tenures in the order of their grants, so that of many that clash the same are told each time.
func (p *policy) sortedTenures(list []tenure) []tenure {
	slices.SortStableFunc(list, func(a, b tenure) int { return p.keyOf(a).Compare(p.keyOf(b)) })
	return list
}

// byRole maps roles to the tenures of each. A single tenure clashes with none and is left out.
func byRole(list []tenure) map[RoleName][]tenure {
	if len(list) < 2 {
		return nil
	}
	held := map[RoleName][]tenure{}
	for _, t := range list {
		held[t.role] = append(held[t.role], t)
	}
	return held
}

// keyOf returns the key of the grant.
func (p *policy) keyOf(t tenure) StatementKey { return KeyOf(p.grant(t.holder, t.grant)) }

// and returns the window in which both are open.
func (w Window) and(other Window) Window {
	if w.NotBefore.IsZero() || !other.NotBefore.IsZero() && w.NotBefore.Before(other.NotBefore) {
		w.NotBefore = other.NotBefore
	}
	if w.NotAfter.IsZero() || !other.NotAfter.IsZero() && other.NotAfter.Before(w.NotAfter) {
		w.NotAfter = other.NotAfter
	}
	return w
}

// spans says whether the window is open whenever the other one is.
func (w Window) spans(part Window) bool {
	return (w.NotBefore.IsZero() || !part.NotBefore.IsZero() && !part.NotBefore.Before(w.NotBefore)) &&
		(w.NotAfter.IsZero() || !part.NotAfter.IsZero() && !part.NotAfter.After(w.NotAfter))
}

// clash returns one tenure each of too many of the constraint's roles held at one instant, the first one, nil where there
// is none.
func (c Constraint) clash(held map[RoleName][]tenure) []tenure {
	if len(held) < c.Limit {
		return nil
	}
	var mine [][]tenure
	for _, name := range c.Roles {
		if list := held[name]; list != nil {
			mine = append(mine, list)
		}
	}
	at, found := crowded(mine, c.Limit)
	if !found {
		return nil
	}
	var clash []tenure
	for _, list := range mine {
		if i := slices.IndexFunc(list, func(t tenure) bool { return t.window.openAtOrFromStart(at) }); i >= 0 {
			clash = append(clash, list[i])
		}
	}
	slices.SortFunc(clash, func(a, b tenure) int { return cmp.Compare(a.role, b.role) })
	return clash
}

// A turn is an instant from which one window more, or fewer, of a list is open. The zero instant is the beginning of time.
type turn struct {
	at   time.Time
	more int // 1 or -1
	list int
}

// compare orders turns by time; at one instant windows close before others open.
func (t turn) compare(other turn) int {
	return cmp.Or(boolRank(other.at.IsZero())-boolRank(t.at.IsZero()), t.at.Compare(other.at), cmp.Compare(t.more, other.more))
}

// crowded returns the first instant at which that many lists have a window open.
func crowded(lists [][]tenure, limit int) (at time.Time, found bool) {
	if len(lists) < limit {
		return at, false
	}
	var turns []turn
	for i, list := range lists {
		for _, t := range list {
			turns = append(turns, turn{t.window.NotBefore, 1, i})
			if end := t.window.NotAfter; !end.IsZero() {
				turns = append(turns, turn{end, -1, i})
			}
		}
	}
	slices.SortFunc(turns, turn.compare)
	open, crowd := make([]int, len(lists)), 0
	for _, t := range turns {
		was := open[t.list] > 0
		open[t.list] += t.more
		crowd += boolRank(open[t.list] > 0) - boolRank(was)
		if crowd >= limit {
			return t.at, true
		}
	}
	return at, false
}

// openAtOrFromStart is Open where the zero instant stands for the beginning of time.
func (w Window) openAtOrFromStart(at time.Time) bool {
	if at.IsZero() {
		return w.NotBefore.IsZero()
	}
	return w.Open(at)
}

// checkActive refuses active roles that break a dynamic constraint, counting what they inherit.
func (p *policy) checkActive(active []uint32) error {
	var ps Problems
	for _, c := range p.constraints {
		if c.Kind != Dynamic {
			continue
		}
		var held []RoleName
		for _, name := range c.Roles {
			r := p.roles.find(name)
			if r != nil && slices.ContainsFunc(active, func(number uint32) bool { return p.roles.get(number).is(r.number) }) {
				held = append(held, name)
			}
		}
		if len(held) >= c.Limit {
			q := problem(ErrSeparation, c.Name, joined(held), "at most %d of the roles may be active in one session", c.Limit-1)
			q.Statement = c
			ps = append(ps, q)
		}
	}
	return ps.err()
}

// is says whether the role is the one of that number or inherits from it.
func (r *role) is(number uint32) bool { return r.number == number || r.above.has(number) }
