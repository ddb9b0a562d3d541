package rolecall

import (
	"cmp"
	"slices"
	"time"
)

// Who lies above a subject: the groups that it is in, and the groups that these are in.

// upFrom lists a holder and every group that it is in by memberships that are passable, the nearest first.
func (p *policy) upFrom(h *holder, passable func(from *holder, m memberAt, up *holder) bool) []*holder {
	if h == nil {
		return nil
	}
	list, seen := []*holder{h}, map[*holder]bool{h: true}
	for i := 0; i < len(list); i++ {
		for _, m := range list[i].groups {
			if up := p.groups.at(m.group); !seen[up] && passable(list[i], m, up) {
				seen[up] = true
				list = append(list, up)
			}
		}
	}
	return list
}

// above lists a subject's holder and every group above it, whatever windows and suspensions.
func (p *policy) above(who Subject) []*holder {
	return p.upFrom(p.holder(who), func(*holder, memberAt, *holder) bool { return true })
}

// bearersOf lists a subject's holder, every group above it, whatever windows and suspensions, and Everyone.
func (p *policy) bearersOf(who Subject) []*holder {
	list := p.above(who)
	if !who.isEveryone() {
		list = append(list, p.everyone())
	}
	return list
}

// firmlyAbove returns the subject, every group that it is in always and not through a suspended one, and Everyone.
func (p *policy) firmlyAbove(h *holder) map[*holder]bool {
	firm := map[*holder]bool{p.everyone(): true}
	for _, one := range p.upFrom(h, func(_ *holder, m memberAt, up *holder) bool { return m.terms == 0 && !up.suspended }) {
		firm[one] = true
	}
	return firm
}

// eligibleThrough lists whose eligible grants serve a subject until some time: itself, each group that it is in for all
// that time and not through a suspended one, and Everyone. So a membership that ends gives nothing beyond its end.
func (p *policy) eligibleThrough(h *holder, now, until time.Time) []*holder {
	if h == p.everyone() {
		return []*holder{h}
	}
	list := p.upFrom(h, func(from *holder, m memberAt, up *holder) bool {
		return !up.suspended && from.window(m.terms).lasts(now, until)
	})
	if h.off() && h.isGroup() {
		list = list[1:]
	}
	return append(list, p.everyone())
}

// upward lists a holder and what lies above it, each before those that it is in, and Everyone last.
func (p *policy) upward(h *holder) []*holder {
	var numbers []uint32
	for i := range h.groups {
		numbers = append(numbers, p.parts.at(h.groups[i].group).up...)
	}
	slices.Sort(numbers)
	list := make([]*holder, 1, len(numbers)+2)
	list[0] = h
	for _, number := range slices.Compact(numbers) {
		list = append(list, p.groups.at(number))
	}
	slices.SortFunc(list[1:], func(a, b *holder) int { return cmp.Compare(b.group.steps, a.group.steps) })
	if h == p.everyone() {
		return list
	}
	return append(list, p.everyone())
}
