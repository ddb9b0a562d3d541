package rolecall

import "slices"

// A claim is of which permissions something speaks. It is not changed once it is shared.
type claim struct {
	permissions permset   // numbers of the declared ones
	stars       []Pattern // and whatever is declared later and matches one of these
}

func newClaim(c *Catalog) *claim { return &claim{permissions: newPermset(len(c.permissions))} }

func (c *claim) empty() bool { return c.permissions.empty() && len(c.stars) == 0 }

func (c *claim) add(other *claim) {
	c.permissions.or(other.permissions)
	for _, star := range other.stars {
		c.stars = appendMissing(c.stars, star)
	}
}

// and returns what either speaks of.
func (c *claim) and(other *claim) *claim {
	both := &claim{slices.Clone(c.permissions), slices.Clone(c.stars)}
	both.add(other)
	return both
}

// A capacity is what a role can do to those who hold it. Of what is declared later a pattern with a star speaks.
type capacity struct {
	allows claim // whatever the facts; of what is declared later only where nothing strict has a star
	gives  claim // allows for some facts
	denies claim // denies or forbids for some facts
	strict bool  // something stricter than an allow has a star
}

// compileCapacity works out what the role can do.
func (r *role) compileCapacity() {
	n := len(r.say)
	c := &capacity{allows: claim{permissions: newPermset(n)}, gives: claim{permissions: newPermset(n)}, denies: claim{permissions: newPermset(n)}}
	for i, says := range r.say {
		switch {
		case says == uint8(Allow):
			c.allows.permissions.add(i)
			c.gives.permissions.add(i)
		case says == uint8(Deny), says == uint8(Forbid):
			c.denies.permissions.add(i)
		case says == conditional:
			c.mayBe(r, i)
		}
	}
	for _, one := range r.lineage {
		for _, rule := range one.Rules {
			c.ruleStars(rule)
		}
	}
	r.can = c
}

// mayBe adds a permission of which the role says something else from fact to fact.
func (c *capacity) mayBe(r *role, permission int) {
	for _, rule := range r.rulesOn(permission) {
		switch rule.effect {
		case Allow:
			c.gives.permissions.add(permission)
		case Deny, Forbid:
			c.denies.permissions.add(permission)
		}
	}
}

func (c *capacity) ruleStars(rule Rule) {
	for _, star := range rule.Patterns {
		if !star.HasStar() {
			continue
		}
		switch rule.Effect {
		case Allow:
			c.gives.stars = appendMissing(c.gives.stars, star)
			if rule.When == "" {
				c.allows.stars = appendMissing(c.allows.stars, star)
			}
		case Deny, Forbid:
			c.denies.stars = appendMissing(c.denies.stars, star)
		}
		c.strict = c.strict || rule.Effect != Allow
	}
}

func appendMissing[E comparable](list []E, one E) []E {
	if slices.Contains(list, one) {
		return list
	}
	return append(list, one)
}
