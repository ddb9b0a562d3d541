package rolecall

import (
	"cmp"
	"maps"
	"slices"
)

// inOrder returns nodes in an order in which each comes after those above it, the same each time; and, sorted, those for
// which there is none, since they lie on a circle or below one.
func inOrder[N cmp.Ordered](nodes map[N]bool, above func(N) []N) (order, circular []N) {
	sorted, waits, below := slices.Sorted(maps.Keys(nodes)), map[N]int{}, map[N][]N{}
	var ready []N
	for _, n := range sorted {
		for _, up := range above(n) {
			if nodes[up] {
				waits[n]++
				below[up] = append(below[up], n)
			}
		}
		if waits[n] == 0 {
			ready = append(ready, n)
		}
	}
	for len(ready) > 0 {
		n := ready[len(ready)-1]
		ready = ready[:len(ready)-1]
		order = append(order, n)
		for _, down := range below[n] {
			if waits[down]--; waits[down] == 0 {
				ready = append(ready, down)
			}
		}
	}
	return order, slices.DeleteFunc(sorted, func(n N) bool { return waits[n] == 0 })
}

// circle goes up from one of the circular nodes to the next, until it closes. The first node is also the last.
func circle[N comparable](circular []N, above func(N) []N) []N {
	left, at := map[N]bool{}, map[N]int{}
	for _, n := range circular {
		left[n] = true
	}
	var walk []N
	for n := circular[0]; ; {
		if i, seen := at[n]; seen {
			return append(walk[i:], n)
		}
		at[n] = len(walk)
		walk = append(walk, n)
		up := above(n)
		n = up[slices.IndexFunc(up, func(up N) bool { return left[up] })]
	}
}
