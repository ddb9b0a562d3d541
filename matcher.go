package rolecall

import (
	"runtime"
	"weak"
)

// A matcher is a pattern with the permissions that it covers, computed once a catalog.
type matcher struct {
	pattern Pattern
	any     permset // everywhere but in an Allow
	allow   permset // in an Allow
}

// of returns the permissions that a statement of that effect covers by the pattern.
func (m *matcher) of(e Effect) permset {
	if e == Allow {
		return m.allow
	}
	return m.any
}

func (m *matcher) covers(e Effect, permission int) bool { return m.of(e).has(permission) }

// matcher returns the matcher of a pattern, one for all policies that have it. It is safe for concurrent use. It keeps no
// matcher that no policy has any more: who may write overrides could fill the memory with those that come and go.
func (c *Catalog) matcher(p Pattern) *matcher {
	if kept, ok := c.matchers.Load(p); ok {
		if m := kept.(weak.Pointer[matcher]).Value(); m != nil {
			return m
		}
	}
	m := c.match(p)
	kept := weak.Make(m)
	c.matchers.Store(p, kept)
	runtime.AddCleanup(m, func(p Pattern) { c.matchers.CompareAndDelete(p, kept) }, p)
	return m
}

func (c *Catalog) match(p Pattern) *matcher {
	m := &matcher{pattern: p, any: newPermset(len(c.permissions))}
	if !p.HasStar() {
		if i := c.index.find(NewPermission(string(p))); i >= 0 {
			m.any.add(i)
		}
		m.allow = m.any // a name, which is spelled in full
		return m
	}
	m.allow = newPermset(len(c.permissions))
	for i, permission := range c.permissions {
		if p.Matches(permission) {
			m.any.add(i)
		}
		if p.AllowMatches(permission) {
			m.allow.add(i)
		}
	}
	return m
}

// claim is of what a statement of that effect covers by the pattern, declared now or later.
func (m *matcher) claim(e Effect) *claim {
	if m.pattern.HasStar() {
		return &claim{m.of(e), []Pattern{m.pattern}}
	}
	return &claim{permissions: m.of(e)}
}
