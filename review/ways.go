package review

import (
	"slices"
	"time"

	"github.com/rolecall-go/rolecall"
)

// A dossier is what the policy says about one subject.
type dossier struct {
	groups    []rolecall.Membership // of the subject, in order
	members   []rolecall.Membership // of others in it, in order
	says      []rolecall.Statement  // its grants and overrides
	suspended bool
}

// A way leads from a subject to somebody whose statements reach it.
type way struct {
	path      []rolecall.Subject
	window    rolecall.Window // the overlap of the memberships' windows
	suspended bool            // by a group on it
}

func (w way) holder() rolecall.Subject { return w.path[len(w.path)-1] }

// dossier reads what is said about a subject, once.
func (r *reviewer) dossier(who rolecall.Subject) *dossier {
	if d := r.dossiers[who]; d != nil {
		return d
	}
	d := &dossier{}
	for _, one := range r.snapshot.About(who) {
		switch one := one.(type) {
		case rolecall.Membership:
			if one.Member == who {
				d.groups = append(d.groups, one)
			} else {
				d.members = append(d.members, one)
			}
		case rolecall.Suspension:
			d.suspended = true
		default:
			d.says = append(d.says, one)
		}
	}
	slices.SortFunc(d.groups, func(a, b rolecall.Membership) int { return a.Group.Compare(b.Group) })
	slices.SortFunc(d.members, func(a, b rolecall.Membership) int { return a.Member.Compare(b.Member) })
	r.dossiers[who] = d
	return d
}

// ways returns how a subject comes to itself, to each group that it is in now, was in or will be, and to Everyone: to each
// by a way that counts now if there is one, otherwise by one that opens; of those by one that ends last, of those by one
// that begins first, and of those by the shortest.
func (r *reviewer) ways(who rolecall.Subject) []way {
	if known := r.roads[who]; known != nil {
		return known
	}
	ways := []way{{path: []rolecall.Subject{who}}}
	found := map[rolecall.Subject]bool{who: true}
	for _, passable := range r.classes() {
		if len(r.news(who, passable, found)) > 0 {
			ways = append(ways, r.longest(who, passable, found)...)
		}
	}
	if who != rolecall.Everyone() {
		ways = append(ways, way{path: []rolecall.Subject{who, rolecall.Everyone()}})
	}
	r.roads[who] = ways
	return ways
}

// longest finds the ways over memberships that are passable to whom none is found yet: those that end last, then those that
// begin first, then the shortest.
func (r *reviewer) longest(who rolecall.Subject, passable func(rolecall.Membership) bool, found map[rolecall.Subject]bool) []way {
	var ways []way
	ends, starts := r.bounds(r.climb(who, passable))
	for _, end := range ends {
		lasts := func(m rolecall.Membership) bool { return passable(m) && earlier(m.NotAfter, end).Equal(end) }
		left := len(r.news(who, lasts, found))
		for i := 0; left > 0; i++ {
			for _, w := range r.news(who, func(m rolecall.Membership) bool { return lasts(m) && !m.NotBefore.After(starts[i]) }, found) {
				found[w.holder()] = true
				ways = append(ways, w)
				left--
			}
		}
	}
	return ways
}

// news climbs to whom no way is found yet.
func (r *reviewer) news(who rolecall.Subject, passable func(rolecall.Membership) bool, found map[rolecall.Subject]bool) []way {
	return slices.DeleteFunc(r.climb(who, passable), func(w way) bool { return found[w.holder()] })
}

// classes returns which memberships a way may use, the best ones first.
func (r *reviewer) classes() []func(rolecall.Membership) bool {
	now := r.snapshot.Now()
	return []func(rolecall.Membership) bool{
		func(m rolecall.Membership) bool { return m.Open(now) && !r.dossier(m.Group).suspended },
		func(m rolecall.Membership) bool { return m.Open(now) },
		func(m rolecall.Membership) bool { return m.NotAfter.IsZero() || now.Before(m.NotAfter) },
		func(rolecall.Membership) bool { return true },
	}
}

// bounds lists when memberships end of whoever is on some ways, latest first, and when they begin, earliest first; each time
// once.
func (r *reviewer) bounds(ways []way) (ends, starts []time.Time) {
	ends, starts = []time.Time{{}}, []time.Time{{}}
	for _, w := range ways {
		for _, m := range r.dossier(w.holder()).groups {
			ends, starts = append(ends, m.NotAfter), append(starts, m.NotBefore)
		}
	}
	slices.SortFunc(ends, func(a, b time.Time) int {
		switch {
		case a.Equal(b):
			return 0
		case earlier(a, b).Equal(a):
			return 1
		}
		return -1
	})
	slices.SortFunc(starts, time.Time.Compare)
	return slices.CompactFunc(ends, time.Time.Equal), slices.CompactFunc(starts, time.Time.Equal)
}

// climb goes up the memberships that are passable, the shortest ways first.
func (r *reviewer) climb(who rolecall.Subject, passable func(rolecall.Membership) bool) []way {
	ways := []way{{path: []rolecall.Subject{who}}}
	seen := map[rolecall.Subject]bool{who: true}
	for i := 0; i < len(ways); i++ {
		from := ways[i]
		for _, m := range r.dossier(from.holder()).groups {
			if seen[m.Group] || !passable(m) {
				continue
			}
			seen[m.Group] = true
			ways = append(ways, way{
				path:      append(slices.Clip(from.path), m.Group),
				window:    overlap(from.window, m.Window),
				suspended: from.suspended || r.dossier(m.Group).suspended,
			})
		}
	}
	return ways
}

// people adds who is in a group, now or ever, and whoever is in groups in it, to the subjects. A group with nobody in it
// stands for itself, since tokens may vouch for it.
func (r *reviewer) people(of rolecall.Subject, to map[rolecall.Subject]bool) {
	seen := map[rolecall.Subject]bool{of: true}
	for list := []rolecall.Subject{of}; len(list) > 0; list = list[1:] {
		members := r.dossier(list[0]).members
		if !list[0].IsGroup() || len(members) == 0 {
			to[list[0]] = true
		}
		for _, m := range members {
			if !seen[m.Member] {
				seen[m.Member] = true
				list = append(list, m.Member)
			}
		}
	}
}
