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
func (s PermissionSet) Len() int {
	n := 0
	for _, w := range s.has {
		n += bits.OnesCount64(w)
	}
	return n
}

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
