package bench

import (
	"slices"
	"strings"
	"time"

	"github.com/rolecall-go/rolecall"
)

// The naive evaluator: the decision of docs/model.md over plain lists, as slowly as it comes. It shares nothing with the
// engine but the value types, and tells which answers are right.

// A naive is a policy as lists of statements.
type naive struct {
	now       time.Time
	roles     map[rolecall.RoleName]rolecall.Role
	privates  map[string]bool
	members   []rolecall.Membership
	grants    []rolecall.Grant
	overrides []rolecall.Override
	reached   map[rolecall.Subject][]rolecall.Subject
}

func newNaive(now time.Time, common []rolecall.Statement) *naive {
	w := &naive{now: now, roles: map[rolecall.RoleName]rolecall.Role{}, privates: map[string]bool{}, reached: map[rolecall.Subject][]rolecall.Subject{}}
	w.add(common)
	return w
}

func (w *naive) add(list []rolecall.Statement) {
	for _, s := range list {
		switch s := s.(type) {
		case rolecall.Role:
			w.roles[s.Name] = s
		case rolecall.PrivateScope:
			w.privates[s.Scope.String()] = true
		case rolecall.Membership:
			w.members = append(w.members, s)
		case rolecall.Grant:
			w.grants = append(w.grants, s)
		case rolecall.Override:
			w.overrides = append(w.overrides, s)
		}
	}
}

// about returns a policy of only what bears on one user: the naive evaluator of the largest size.
func (s *Studio) about(common *naive, user int) *naive {
	w := *common
	w.members, w.grants, w.overrides = slices.Clip(w.members), slices.Clip(w.grants), slices.Clip(w.overrides)
	w.reached = map[rolecall.Subject][]rolecall.Subject{}
	w.add(s.OfUser(user))
	seen := map[rolecall.Subject]bool{}
	for i := 0; i < len(w.members); i++ {
		if g := w.members[i].Group; !seen[g] {
			seen[g] = true
			w.add(s.OfGroup(numberOf(g)))
		}
	}
	return &w
}

// numberOf returns the number that the id of a user or a group ends in.
func numberOf(who rolecall.Subject) int {
	n, id := 0, who.ID()
	for _, digit := range id[strings.LastIndexByte(id, '-')+1:] {
		n = 10*n + int(digit-'0')
	}
	return n
}

// A spot is a holder and the text of a scope.
type spot struct {
	holder rolecall.Subject
	scope  string
}

func (w *naive) allowed(q *Question) bool {
	path := ancestors(q.Scope.String())
	w = w.onPath(path)
	holders := slices.Concat(w.reach(q.Subject), []rolecall.Subject{rolecall.Everyone()})
	says := map[spot]rolecall.Effect{}
	var speaking []spot
	replaced := w.replacing(q, holders, path)
	for _, h := range holders {
		for _, at := range path {
			p := spot{h, at}
			gone := slices.ContainsFunc(replaced, func(r spot) bool { return w.nearer(q, r, p) })
			if e := w.say(q, p, gone); e == rolecall.Forbid {
				return false
			} else if e != 0 {
				says[p] = e
				speaking = append(speaking, p)
			}
		}
	}
	left := 0
	for _, p := range speaking {
		if slices.ContainsFunc(speaking, func(o spot) bool { return w.nearer(q, o, p) }) {
			continue
		}
		if says[p] != rolecall.Allow {
			return false
		}
		left++
	}
	return left > 0
}

// onPath returns the policy with only the grants and overrides that are placed on a path.
func (w *naive) onPath(path []string) *naive {
	here := *w
	here.grants, here.overrides = nil, nil
	for _, g := range w.grants {
		if slices.Contains(path, g.Scope.String()) {
			here.grants = append(here.grants, g)
		}
	}
	for _, o := range w.overrides {
		if slices.Contains(path, o.Scope.String()) {
			here.overrides = append(here.overrides, o)
		}
	}
	return &here
}

// reach returns the subject and every group it is in over memberships valid now.
func (w *naive) reach(from rolecall.Subject) []rolecall.Subject {
	if known := w.reached[from]; known != nil {
		return known
	}
	found := []rolecall.Subject{from}
	for i := 0; i < len(found); i++ {
		for _, m := range w.members {
			if m.Member == found[i] && m.Open(w.now) && !slices.Contains(found, m.Group) {
				found = append(found, m.Group)
			}
		}
	}
	w.reached[from] = found
	return found
}

func (w *naive) nearer(q *Question, a, b spot) bool {
	if a == b || !slices.Contains(ancestors(a.scope), b.scope) {
		return false
	}
	return a.holder == b.holder || a.holder == q.Subject || b.holder == rolecall.Everyone() ||
		a.holder != rolecall.Everyone() && b.holder != q.Subject && slices.Contains(w.reach(a.holder), b.holder)
}

func (w *naive) replacing(q *Question, holders []rolecall.Subject, path []string) (spots []spot) {
	for _, g := range w.grants {
		if g.Replace && g.Open(w.now) && q.holds(g.When) && slices.Contains(holders, g.Subject) && slices.Contains(path, g.Scope.String()) {
			spots = append(spots, spot{g.Subject, g.Scope.String()})
		}
	}
	return spots
}

// say is what is said at a spot, without the Allows that do not count.
func (w *naive) say(q *Question, p spot, replaced bool) rolecall.Effect {
	var grants, overrides rolecall.Effect
	for _, g := range w.grants {
		if g.Subject != p.holder || g.Scope.String() != p.scope || !g.Open(w.now) || !q.holds(g.When) {
			continue
		}
		e := w.roleSays(q, g.Role)
		if e == rolecall.Allow && (replaced || !g.Pierce && w.closed(q, p.scope)) {
			continue
		}
		grants = max(grants, e)
	}
	for _, o := range w.overrides {
		if o.Subject != p.holder || o.Scope.String() != p.scope || !o.Open(w.now) || !o.Pattern.Matches(q.Permission) {
			continue
		}
		if o.Effect == rolecall.Allow && (replaced || w.closed(q, p.scope)) {
			continue
		}
		overrides = max(overrides, o.Effect)
	}
	if overrides == 0 || grants == rolecall.Forbid {
		return grants
	}
	return overrides
}

// closed says whether a private scope lies below the scope from, down to the target.
func (w *naive) closed(q *Question, from string) bool {
	if len(w.privates) == 0 {
		return false
	}
	for _, at := range ancestors(q.Scope.String()) {
		if at != from && slices.Contains(ancestors(at), from) && w.privates[at] {
			return true
		}
	}
	return false
}

func (w *naive) lineage(name rolecall.RoleName) []rolecall.RoleName {
	found := []rolecall.RoleName{name}
	for i := 0; i < len(found); i++ {
		for _, above := range w.roles[found[i]].Inherits {
			if !slices.Contains(found, above) {
				found = append(found, above)
			}
		}
	}
	return found
}

func (w *naive) ownSay(q *Question, name rolecall.RoleName) (e rolecall.Effect) {
	for _, rule := range w.roles[name].Rules {
		for _, pattern := range rule.Patterns {
			if rule.Effect > e && q.holds(rule.When) && pattern.Matches(q.Permission) {
				e = rule.Effect
			}
		}
	}
	return e
}

func (w *naive) roleSays(q *Question, name rolecall.RoleName) (e rolecall.Effect) {
	family := w.lineage(name)
	for _, one := range family {
		say := w.ownSay(q, one)
		beaten := slices.ContainsFunc(family, func(heir rolecall.RoleName) bool {
			s := w.ownSay(q, heir)
			return heir != one && s != 0 && s != rolecall.Except && slices.Contains(w.lineage(heir), one)
		})
		if say > e && (!beaten || say == rolecall.Forbid) {
			e = say
		}
	}
	if e == rolecall.Except {
		return 0
	}
	return e
}

// ancestors returns the texts of the scopes on the way to t, Global first.
func ancestors(t string) []string {
	list := []string{"/"}
	for i := 1; i < len(t); i++ {
		if t[i] == '/' {
			list = append(list, t[:i])
		}
	}
	if t != "/" {
		list = append(list, t)
	}
	return list
}
