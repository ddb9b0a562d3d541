package rolecall

import (
	"maps"
	"slices"
	"strings"
)

// Groups made ready: what lies above each.

// finishGroups works out anew what lies above the changed groups and those below them.
func (d *draft) finishGroups() {
	order, circular := inOrder(d.groupsToClimb(), d.directlyAbove)
	d.climbed = newPermset(int(d.groups.end))
	for _, number := range order {
		if !d.climb(d.ownHolder(d.groups.at(number))) {
			return
		}
	}
	if len(circular) > 0 {
		d.refuseCircle(circle(circular, d.directlyAbove))
	}
}

func (d *draft) groupsToClimb() map[uint32]bool {
	found := map[uint32]bool{}
	queue := slices.Collect(maps.Keys(d.groupsChanged))
	for ; len(queue) > 0; queue = queue[1:] {
		if number := queue[0]; !found[number] {
			found[number] = true
			queue = slices.AppendSeq(queue, d.groups.at(number).group.subgroups.all())
		}
	}
	return found
}

// directlyAbove lists the groups in which a group is directly.
func (d *draft) directlyAbove(number uint32) []uint32 {
	var above []uint32
	for _, m := range d.groups.at(number).groups {
		above = append(above, m.group)
	}
	return above
}

// climb works out what lies above a group from what lies above the groups it is directly in.
func (d *draft) climb(h *holder) bool {
	g := h.group
	g.steps, g.timed, g.halted = 0, false, h.suspended
	up := []uint32{h.number}
	for _, m := range h.groups {
		above := d.groups.at(m.group).group
		g.steps = max(g.steps, above.steps+1)
		g.timed = g.timed || m.terms != 0 || above.timed
		g.halted = g.halted || above.halted
		for _, number := range above.up {
			if !d.climbed.has(int(number)) {
				d.climbed.add(int(number))
				up = append(up, number)
			}
		}
	}
	for _, number := range up {
		d.climbed.remove(int(number))
	}
	slices.Sort(up)
	g.rise(up)
	if g.steps > maxGroupSteps {
		d.refuse(ErrLimit, d.membership(h, &h.groups[0]), h.subject.String(), "groups lie in groups for more than %d steps", maxGroupSteps)
		return false
	}
	return true
}

func (d *draft) refuseCircle(walk []uint32) {
	names := make([]string, len(walk))
	for i, number := range walk {
		names[i] = d.groups.at(number).subject.String()
	}
	first := Membership{Member: d.groups.at(walk[0]).subject, Group: d.groups.at(walk[1]).subject}
	d.refuse(ErrCycle, first, names[0], "the groups contain each other in a circle: %s", strings.Join(names, " in "))
}
