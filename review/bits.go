package review

import (
	"math/bits"
	"slices"
)

// A permissionBits is a set of permissions by their number.
type permissionBits []uint64

func (b permissionBits) has(n int) bool { return b[n/64]>>(n%64)&1 == 1 }
func (b permissionBits) set(n int)      { b[n/64] |= 1 << (n % 64) }

func count(b permissionBits) int {
	n := 0
	for _, word := range b {
		n += bits.OnesCount64(word)
	}
	return n
}

func merge(into, from permissionBits) {
	for i := range into {
		into[i] |= from[i]
	}
}

func both(a, b permissionBits) permissionBits {
	c := slices.Clone(a)
	for i := range c {
		c[i] &= b[i]
	}
	return c
}

func without(a, b permissionBits) permissionBits {
	c := slices.Clone(a)
	for i := range c {
		c[i] &^= b[i]
	}
	return c
}
