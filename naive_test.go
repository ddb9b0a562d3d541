package rolecall_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rolecall-go/rolecall"
)

// This file is the naive evaluator: the decision of docs/model.md, step by step, as plainly and as slowly as it can be
// written. It shares nothing with the library but the value types: it has its own pattern matching, its own windows and
// its own tree of scopes, and searches plain lists from front to back. Hold it against that, not against the engine.

// A verdict is the answer to a question.
type verdict string

const (
	allowed    = verdict("allowed")
	denied     = verdict("denied")
	separation = verdict("error separation")
)

// A world is a policy as plain lists of statements.
type world struct {
	roles       []rolecall.Role
	members     []rolecall.Membership
	grants      []rolecall.Grant
	overrides   []rolecall.Override
	suspensions []rolecall.Suspension
	privates    []rolecall.PrivateScope
	constraints []rolecall.Constraint
}

// An asker is what a request says of who asks.
type asker struct {
	subject   rolecall.Subject
	now       time.Time
	groups    []rolecall.Subject // vouched for
	actor     rolecall.Subject
	byRole    bool // narrowed to roles
	roles     []rolecall.RoleName
	byPattern bool // narrowed to patterns
	patterns  []rolecall.Pattern
}

// A question is a whole request.
type question struct {
	*asker
	permission rolecall.Permission
	scope      rolecall.Scope
	facts      facts
}

// facts say which conditions hold; what is not in the map does not.
type facts map[rolecall.Condition]truth

type truth int

const (
	no = truth(iota)
	yes
	fails  // cannot say: an error
	panics // cannot say: a panic
)

// Holds makes facts a rolecall.Facts.
func (f facts) Holds(c rolecall.Condition) (bool, error) {
	switch f[c] {
	case fails:
		return false, errors.New("the database is down")
	case panics:
		panic("the host's code is broken")
	}
	return f[c] == yes, nil
}

// A point is a holder and the text of a scope (step 4).
type point struct {
	holder rolecall.Subject
	scope  string
}

// decide takes the steps of section 3 in their order.
func (w world) decide(q question) verdict {
	if q.byRole && w.breaksDynamicConstraint(q.roles) { // "an error (`separation`), not a decision"
		return separation
	}
	if w.suspended(q.subject) || w.suspended(q.actor) { // step 1
		return denied
	}
	if q.byPattern && !slices.ContainsFunc(q.patterns, func(p rolecall.Pattern) bool { return matches(p, q.permission) }) {
		return denied // "narrowed to patterns: p must match one of them"
	}
	says := w.says(q)
	speaking := slices.Collect(maps.Keys(says))
	left := 0
	for _, p := range speaking { // step 8
		if says[p] == rolecall.Forbid {
			return denied
		}
	}
	for _, p := range speaking {
		if slices.ContainsFunc(speaking, func(other point) bool { return w.nearer(q, other, p) }) {
			continue // "drop each that a nearer speaking point overrides"
		}
		if says[p] != rolecall.Allow {
			return denied
		}
		left++
	}
	if left == 0 {
		return denied
	}
	return allowed
}

// says is what each point says that says something.
func (w world) says(q question) map[point]rolecall.Effect {
	var points, replacing []point
	for _, h := range w.holders(q) { // step 2
		for _, c := range ancestors(q.scope.String()) { // step 4
			points = append(points, point{h, c})
			if w.replaces(q, point{h, c}) {
				replacing = append(replacing, point{h, c})
			}
		}
	}
	says := map[point]rolecall.Effect{}
	for _, p := range points {
		replaced := slices.ContainsFunc(replacing, func(r point) bool { return w.nearer(q, r, p) }) // step 7
		if said := w.pointSays(q, p, replaced); said != 0 {
			says[p] = said
		}
	}
	return says
}

// suspended says whether s is switched off (step 1).
func (w world) suspended(s rolecall.Subject) bool {
	return slices.Contains(w.suspensions, rolecall.Suspension{Subject: s})
}

// holders are s, every group reachable, and Everyone (step 2).
func (w world) holders(q question) []rolecall.Subject {
	found := w.reachable(q, q.subject, func(rolecall.Subject) bool { return true })
	if q.subject == rolecall.Everyone() {
		return found
	}
	return append(found, rolecall.Everyone())
}

// reachable searches, breadth first, what start is in over memberships valid at now, start itself included. A
// vouched-for group is as a direct membership of s. Groups that may not be entered are not followed (step 2).
func (w world) reachable(q question, start rolecall.Subject, enter func(rolecall.Subject) bool) []rolecall.Subject {
	found := []rolecall.Subject{start}
	for i := 0; i < len(found); i++ {
		var above []rolecall.Subject
		for _, m := range w.members {
			if m.Member == found[i] && valid(m.Window, q.now) {
				above = append(above, m.Group)
			}
		}
		if found[i] == q.subject {
			above = append(above, q.groups...)
		}
		for _, g := range above {
			if !slices.Contains(found, g) && enter(g) {
				found = append(found, g)
			}
		}
	}
	return found
}

// live says whether h may give an Allow: it is not suspended and not reached through suspended groups only (step 2).
func (w world) live(q question, h rolecall.Subject) bool {
	if h == rolecall.Everyone() {
		return true
	}
	return slices.Contains(w.reachable(q, q.subject, func(g rolecall.Subject) bool { return !w.suspended(g) }), h)
}

// nearerHolder: "h is nearer than k when k is reachable from h; s is nearest of all, Everyone farthest" (step 2).
func (w world) nearerHolder(q question, h, k rolecall.Subject) bool {
	switch {
	case h == k:
		return false
	case h == q.subject || k == rolecall.Everyone():
		return true
	case k == q.subject || h == rolecall.Everyone():
		return false
	}
	return slices.Contains(w.reachable(q, h, func(rolecall.Subject) bool { return true }), k)
}

// roleSays is what the granted role says of p, with all that it inherits (step 3).
func (w world) roleSays(q question, name rolecall.RoleName) rolecall.Effect {
	family := w.inherited(name)
	var strictest rolecall.Effect
	for _, r := range family {
		say := w.ownSay(q, r)
		overridden := slices.ContainsFunc(family, func(heir rolecall.RoleName) bool {
			s := w.ownSay(q, heir)
			return s != 0 && s != rolecall.Except && heir != r && slices.Contains(w.inherited(heir), r)
		})
		if !overridden || say == rolecall.Forbid {
			strictest = max(strictest, say)
		}
	}
	if strictest == rolecall.Except {
		return 0
	}
	return strictest
}

// ownSay is the strictest of the role's own rules that match p and whose condition holds (step 3).
func (w world) ownSay(q question, name rolecall.RoleName) rolecall.Effect {
	var strictest rolecall.Effect
	for _, rule := range w.role(name).Rules {
		for _, pattern := range rule.Patterns {
			if speaksOf(rule.Effect, pattern, q.permission) && q.met(rule.When, rule.Effect) {
				strictest = max(strictest, rule.Effect)
			}
		}
	}
	return strictest
}

// inherited returns the role and every role it inherits from, however far.
func (w world) inherited(name rolecall.RoleName) []rolecall.RoleName {
	found := []rolecall.RoleName{name}
	for i := 0; i < len(found); i++ {
		for _, parent := range w.role(found[i]).Inherits {
			if !slices.Contains(found, parent) {
				found = append(found, parent)
			}
		}
	}
	return found
}

func (w world) role(name rolecall.RoleName) rolecall.Role {
	i := slices.IndexFunc(w.roles, func(r rolecall.Role) bool { return r.Name == name })
	return w.roles[i]
}

// pointSays is what the grants and overrides placed at a point say of p together (step 4), without the Allows that do
// not count: these are as if they were not said (step 7).
func (w world) pointSays(q question, p point, replaced bool) rolecall.Effect {
	allowsCount := !replaced && w.live(q, p.holder)
	var overrides, grants rolecall.Effect // the strictest of each; Forbid is the strictest of all
	for _, o := range w.overrides {
		here := o.Subject == p.holder && o.Scope.String() == p.scope && valid(o.Window, q.now)
		if !here || !speaksOf(o.Effect, o.Pattern, q.permission) || !q.met(o.When, o.Effect) {
			continue
		}
		if o.Effect == rolecall.Allow && (!allowsCount || q.byRole || w.closedOff(q, p.scope)) {
			continue
		}
		overrides = max(overrides, o.Effect)
	}
	for _, g := range w.grants {
		here := g.Subject == p.holder && g.Scope.String() == p.scope && valid(g.Window, q.now)
		if !here || g.Eligible {
			continue
		}
		say := w.roleSays(q, g.Role)
		if !q.met(g.When, say) || say == rolecall.Allow && (!allowsCount || w.narrowedAway(q, g.Role) || !g.Pierce && w.closedOff(q, p.scope)) {
			continue
		}
		grants = max(grants, say)
	}
	if overrides == 0 || grants == rolecall.Forbid {
		return grants
	}
	return overrides
}

// closedOff says whether privacy stops an Allow placed at scope c: a private scope lies below c, down to and including
// t, and p is not a built-in permission (step 5).
func (w world) closedOff(q question, c string) bool {
	if strings.HasPrefix(q.permission.String(), "rolecall.") {
		return false
	}
	return slices.ContainsFunc(w.privates, func(private rolecall.PrivateScope) bool {
		at := private.Scope.String()
		return at != c && inside(at, c) && inside(q.scope.String(), at)
	})
}

// nearer is the order of points (step 6).
func (w world) nearer(q question, a, b point) bool {
	return a != b && (a.holder == b.holder || w.nearerHolder(q, a.holder, b.holder)) && inside(a.scope, b.scope)
}

// replaces says whether a Replace grant speaks for the point, whatever its role says (step 7).
func (w world) replaces(q question, p point) bool {
	return slices.ContainsFunc(w.grants, func(g rolecall.Grant) bool {
		return g.Replace && !g.Eligible && g.Subject == p.holder && g.Scope.String() == p.scope &&
			valid(g.Window, q.now) && q.met(g.When, rolecall.Deny)
	})
}

// met answers a condition; what cannot be said takes the answer that permits less: an Allow is dropped, an Except, a
// Deny, a Forbid or a Replace is kept (section 3, Conditions).
func (q question) met(c rolecall.Condition, effect rolecall.Effect) bool {
	if c == "" {
		return true
	}
	switch q.facts[c] {
	case yes:
		return true
	case no:
		return false
	}
	return effect != rolecall.Allow
}

// narrowedAway says whether the narrowing to roles takes the Allow of a grant of this role away: none of the active
// roles is it or is inherited by it and itself says Allow (section 3, Narrowing).
func (w world) narrowedAway(q question, granted rolecall.RoleName) bool {
	return q.byRole && !slices.ContainsFunc(q.roles, func(active rolecall.RoleName) bool {
		return slices.Contains(w.inherited(granted), active) && w.roleSays(q, active) == rolecall.Allow
	})
}

// breaksDynamicConstraint counts the active roles and what they inherit (section 3, Narrowing).
func (w world) breaksDynamicConstraint(active []rolecall.RoleName) bool {
	return slices.ContainsFunc(w.constraints, func(c rolecall.Constraint) bool {
		n := 0
		for _, r := range c.Roles {
			if slices.ContainsFunc(active, func(a rolecall.RoleName) bool { return slices.Contains(w.inherited(a), r) }) {
				n++
			}
		}
		return c.Kind == rolecall.Dynamic && n >= c.Limit
	})
}

// valid: half-open, valid from NotBefore, no longer at NotAfter (section 3, Windows).
func valid(w rolecall.Window, now time.Time) bool {
	if !w.NotBefore.IsZero() && now.Before(w.NotBefore) {
		return false
	}
	return w.NotAfter.IsZero() || now.Before(w.NotAfter)
}

// ancestors returns the texts of t and of every scope above it, Global first.
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

// inside says whether c is d or inside it.
func inside(c, d string) bool { return slices.Contains(ancestors(c), d) }

// speaksOf says whether a statement of that effect speaks of the permission. In an Allow a star never includes the
// rolecall.* permissions unless that prefix is spelled, and two of them only when spelled in full (section 7).
func speaksOf(effect rolecall.Effect, pattern rolecall.Pattern, p rolecall.Permission) bool {
	name, spelled := p.String(), string(pattern)
	if effect == rolecall.Allow && strings.HasPrefix(name, "rolecall.") && name != spelled {
		if name == "rolecall.escalate" || name == "rolecall.constraint.update" || !strings.HasPrefix(spelled, "rolecall.") {
			return false
		}
	}
	return matches(pattern, p)
}

// matches says whether the pattern covers the permission (section 2).
func matches(pattern rolecall.Pattern, p rolecall.Permission) bool {
	return segmentsMatch(strings.Split(string(pattern), "."), strings.Split(p.String(), "."))
}

// segmentsMatch: a star stands for one or more whole segments (section 2).
func segmentsMatch(pattern, name []string) bool {
	if len(pattern) == 0 || len(name) == 0 {
		return len(pattern) == len(name)
	}
	if pattern[0] != "*" {
		return pattern[0] == name[0] && segmentsMatch(pattern[1:], name[1:])
	}
	for taken := 1; taken <= len(name); taken++ {
		if segmentsMatch(pattern[1:], name[taken:]) {
			return true
		}
	}
	return false
}
