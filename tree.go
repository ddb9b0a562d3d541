package rolecall

import (
	"cmp"
	"maps"
	"slices"
)

// Scopes in order of the tree: everything inside a scope follows it at once.

// compareTree puts scopes in order of the tree.
func compareTree(a, b Scope) int {
	for i := 0; i < len(a.path) && i < len(b.path); i++ {
		x, y := a.path[i], b.path[i]
		switch {
		case x == y:
		case x == '/':
			return -1
		case y == '/':
			return 1
		default:
			return cmp.Compare(x, y)
		}
	}
	return cmp.Compare(len(a.path), len(b.path))
}

// inTree returns scopes in order of the tree.
func inTree(scopes map[Scope]bool) []Scope { return slices.SortedFunc(maps.Keys(scopes), compareTree) }

// within returns those of some scopes, which are in order of the tree, that lie inside of one and are not it.
func within(scopes []Scope, t Scope) []Scope {
	from, found := slices.BinarySearchFunc(scopes, t, compareTree)
	if found {
		from++
	}
	to := from
	for to < len(scopes) && t.Contains(scopes[to]) {
		to++
	}
	return scopes[from:to]
}

// outermost returns the scopes that are inside no other one. They are in order of the tree.
func outermost(scopes []Scope) []Scope {
	var kept []Scope
	for _, t := range scopes {
		if n := len(kept); n == 0 || !kept[n-1].Contains(t) {
			kept = append(kept, t)
		}
	}
	return kept
}
