package rolecall

import "slices"

// Whom, where and of what a change can alter a verdict. It is found from the statements that change, without deciding
// anything, and may be more than is altered; but it is never less.
//
// That nothing is missing follows from taking a change apart: first everything goes that goes, then roles change, then
// everything comes that comes. Of what goes only denials and a Replace give anything, of what comes only allows do, and
// each gives only of what it speaks, at its place and inside. A group that joins or leaves another one alters which of
// the two is nearer as well: there all that is said counts.

// An extent is where something speaks: a scope and everything inside, in private scopes inside too or not.
type extent struct {
	scope   Scope
	pierces bool
}

// A touch is what a change can alter for one holder, and for everybody below it.
type touch map[extent]*claim

// touched is what a change can alter, by holder.
type touched struct {
	before, after *policy
	losses        bool // what can be lost counts as well as what can be gained
	by            map[Subject]touch
}

// touchOf finds what deltas can alter between two policies.
func touchOf(before, after *policy, deltas []Delta, losses bool) *touched {
	c := &touched{before: before, after: after, losses: losses, by: map[Subject]touch{}}
	for _, d := range deltas {
		c.delta(d)
	}
	return c
}

func (c *touched) policies() [2]*policy { return [2]*policy{c.before, c.after} }

func (c *touched) delta(d Delta) {
	switch s := either(d.After, d.Before).(type) {
	case Grant:
		if d.Before != nil {
			c.grant(s.Subject, c.before, d.Before.(Grant), false)
		}
		if d.After != nil {
			c.grant(s.Subject, c.after, d.After.(Grant), true)
		}
	case Override:
		if d.Before != nil {
			c.override(s.Subject, d.Before.(Override), false)
		}
		if d.After != nil {
			c.override(s.Subject, d.After.(Override), true)
		}
	case Membership:
		c.membership(s, d)
	case Suspension:
		if d.After == nil || c.losses {
			for _, p := range c.policies() {
				for _, b := range p.bearersOf(s.Subject) {
					c.says(s.Subject, p, b, true)
				}
			}
		}
	case PrivateScope:
		if d.After == nil || c.losses {
			c.opened(s.Scope)
		}
	case Role:
		c.role(s.Name)
	}
}

func either(a, b Statement) Statement {
	if a != nil {
		return a
	}
	return b
}

func (c *touched) note(who Subject, at extent, one *claim) {
	if one.empty() {
		return
	}
	t := c.by[who]
	if t == nil {
		t = touch{}
		c.by[who] = t
	}
	if other := t[at]; other != nil && other != one {
		one = other.and(one)
	}
	t[at] = one
}

// grant notes what a grant that comes, or goes, can alter for somebody.
func (c *touched) grant(who Subject, p *policy, g Grant, comes bool) {
	can := p.roles.find(g.Role).can
	if comes || c.losses {
		c.note(who, extent{g.Scope, g.Pierce || g.Eligible}, &can.gives)
	}
	if g.Eligible || comes && !c.losses {
		return
	}
	c.note(who, extent{g.Scope, true}, &can.denies)
	if g.Replace {
		c.note(who, extent{g.Scope, true}, c.everything())
	}
}

func (c *touched) everything() *claim {
	all := newClaim(c.after.catalog)
	for i := range c.after.catalog.permissions {
		all.permissions.add(i)
	}
	all.stars = []Pattern{star}
	return all
}

func (c *touched) override(who Subject, o Override, comes bool) {
	if !c.losses && comes != (o.Effect == Allow) {
		return // an allow that goes gives nothing, nor does a denial that comes
	}
	c.note(who, extent{o.Scope, o.Effect != Allow}, c.after.catalog.matcher(o.Pattern).claim(o.Effect))
}

// says notes for somebody what all that a holder says can alter where it comes to bear, or does no more.
func (c *touched) says(who Subject, p *policy, h *holder, comes bool) {
	for i := range h.grants {
		c.grant(who, p, p.grant(h, &h.grants[i]), comes)
	}
	for i := range h.overrides() {
		c.override(who, p.override(h, &h.overrides()[i]), comes)
	}
}

func (c *touched) membership(m Membership, d Delta) {
	for _, comes := range []bool{false, true} {
		p := c.before
		if comes {
			p = c.after
		}
		for _, h := range p.above(m.Group) {
			switch {
			case m.Member.IsGroup():
				c.says(m.Member, p, h, true)
				c.says(m.Member, p, h, false)
			case comes && d.After != nil, !comes && d.Before != nil:
				c.says(m.Member, p, h, comes)
			}
		}
	}
}

// opened notes what is said above a scope that was private, or becomes so: it can be heard there, or no more.
func (c *touched) opened(t Scope) {
	for _, p := range c.policies() {
		var way path
		p.walk(&t, &way)
		for _, at := range way.places[:min(way.n, int(t.depth))] {
			for h := range p.speakersAt(at) {
				c.heardInside(p, h, at, t)
			}
		}
	}
}

// heardInside notes what a holder allows at a place as far as it is heard in a scope inside only when that is not private.
func (c *touched) heardInside(p *policy, h *holder, at *place, t Scope) {
	for _, g := range h.grantsAt(at) {
		if g.marks&(markPierce|markEligible) == 0 {
			can := p.roles.get(g.role).can
			c.note(h.subject, extent{t, false}, &can.gives)
		}
	}
	for _, o := range h.overridesAt(at) {
		if o.effect == Allow {
			inside := p.override(h, &o)
			inside.Scope = t
			c.override(h.subject, inside, true)
		}
	}
}

// role notes for every grant of a changed role, or of one that inherits from it, what that comes to say otherwise. Grants
// that go or come with the role are noted by themselves.
func (c *touched) role(name RoleName) {
	old, next := c.before.roles.find(name), c.after.roles.find(name)
	if next == nil {
		return
	}
	stars := old == nil || !sameStars(old.Role, next.Role)
	for _, heir := range c.after.roles.roles {
		if heir != nil && heir.is(next.number) {
			c.heir(heir, stars)
		}
	}
}

func (c *touched) heir(heir *role, stars bool) {
	gives, denies := newClaim(c.after.catalog).and(&heir.can.gives), newClaim(c.after.catalog)
	old := c.before.roles.find(heir.Name)
	if old != nil {
		denies.add(&old.can.denies)
	}
	if old != nil && c.losses {
		gives.add(&old.can.gives)
		denies.add(&heir.can.denies)
	}
	same := c.settled(old, heir)
	for _, one := range []*claim{gives, denies} {
		if one.permissions.drop(same); !stars {
			one.stars = nil
		}
	}
	for _, use := range c.after.usesOf(heir) {
		g := use.(Grant)
		c.note(g.Subject, extent{g.Scope, g.Pierce || g.Eligible}, gives)
		if !g.Eligible {
			c.note(g.Subject, extent{g.Scope, true}, denies)
		}
	}
}

// settled returns the permissions of which a role says the same before and after, whatever the facts, or where only gains
// count denies at least as strictly.
func (c *touched) settled(old, next *role) permset {
	if old == nil {
		return nil
	}
	same := newPermset(len(old.say))
	for i, says := range old.say {
		now := next.say[i]
		stricter := !c.losses && now >= uint8(Deny) && says <= now
		if now != conditional && (says == now || stricter) {
			same.add(i)
		}
	}
	return same
}

// sameStars says whether two definitions of a role say the same of what is declared later.
func sameStars(a, b Role) bool {
	if !slices.Equal(a.Inherits, b.Inherits) {
		return false
	}
	stars := func(r Role) Role {
		only := Role{}
		for _, rule := range r.Rules {
			rule.Patterns = slices.DeleteFunc(slices.Clone(rule.Patterns), func(p Pattern) bool { return !p.HasStar() })
			if len(rule.Patterns) > 0 {
				only.Rules = append(only.Rules, rule)
			}
		}
		return only.canonical()
	}
	return stars(a).equal(stars(b))
}

// privateInside says whether some private scope lies inside of a scope.
func (p *policy) privateInside(t Scope) bool {
	at := p.place(t)
	if p.privates == nil || at == nil {
		return false
	}
	return at.number == globalNumber || p.privateBelow(at)
}

func (p *policy) privateBelow(at *place) bool {
	for number := range at.children.all() {
		if child := p.places.at(number); child.private || p.privateBelow(child) {
			return true
		}
	}
	return false
}
