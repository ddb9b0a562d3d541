package rolecall

import (
	"iter"
	"math/bits"
	"slices"
)

// A PermissionSet is some of the permissions of a catalog, a bit each. The zero PermissionSet is empty. It is immutable
// and safe for concurrent use.
type PermissionSet struct {
	catalog *Catalog
	has     permset
}

// PermissionSet returns what the subject may do at t, as Permissions does.
func (v *View) PermissionSet(t Scope, facts Facts) (PermissionSet, error) {
	c := v.policy.catalog
	if err := c.checkFacts(facts); err != nil {
		return PermissionSet{}, err
	}
	var way path
	if err := v.walk(&t, &way); err != nil {
		return PermissionSet{}, err
	}
	set := PermissionSet{c, newPermset(len(c.permissions))}
	var once askedOnce
	facts = once.of(facts)
	at := v.sight(&way)
	for n := range c.permissions {
		if v.ask(at, n, &way, facts) == Granted {
			set.has.add(n)
		}
	}
	return set, nil
}

// Has says whether p is in the set. A permission that is not declared never is.
func (s PermissionSet) Has(p Permission) bool {
	if s.catalog == nil {
		return false
	}
	n := s.catalog.index.find(p)
	return n >= 0 && s.has.has(n)
}

// Len returns how many permissions are in the set.
func (s PermissionSet) Len() int { return s.has.count() }

// All yields the permissions in the set, in order of name.
func (s PermissionSet) All() iter.Seq[Permission] {
	return func(yield func(Permission) bool) {
		if s.catalog == nil {
			return
		}
		for n, p := range s.catalog.permissions {
			if s.has.has(n) && !yield(p) {
				return
			}
		}
	}
}

// Equal says whether two sets of one catalog have the same permissions.
func (s PermissionSet) Equal(other PermissionSet) bool {
	return s.Len() == other.Len() && slices.Equal(slices.Collect(s.All()), slices.Collect(other.All()))
}

// A permset is a set of permission numbers.
type permset []uint64

func newPermset(n int) permset { return make(permset, (n+63)/64) }

func (s permset) has(i int) bool { return s[i/64]>>(i%64)&1 == 1 }
func (s permset) add(i int)      { s[i/64] |= 1 << (i % 64) }
func (s permset) remove(i int)   { s[i/64] &^= 1 << (i % 64) }

func (s permset) or(other permset) {
	for i, w := range other {
		s[i] |= w
	}
}

func (s permset) and(other permset) {
	for i, w := range other {
		s[i] &= w
	}
}

func (s permset) drop(other permset) {
	for i, w := range other {
		s[i] &^= w
	}
}

func (s permset) empty() bool {
	for _, w := range s {
		if w != 0 {
			return false
		}
	}
	return true
}

func (s permset) count() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}
