package rolecall

import "math/bits"

// Persistent structures: an update copies the path it touches and shares the rest, so a snapshot costs what changed.
// Nodes carry the token of the draft that made them; that draft alone may change them in place, so loading millions of
// statements copies nothing. Once the draft is finished nobody holds its token and every node is immutable.
//
//	table   hash → record: a 64-way trie over the bits of the hash, with eight records in a leaf
//	vector  number → record: pages of 32 under a 32-way radix tree, as deep as the highest number needs

// A token marks the nodes that one draft may change in place.
type token struct{ _ byte }

const (
	fanBits  = 6
	fan      = 1 << fanBits
	leafSize = 8
	hashBits = 32
)

type table[T any] struct {
	root *node[T]
	size int
	hash func(*T) uint32
}

// A node is a leaf, or has nodes instead of records. A leaf has a tag for each of its records, a byte that is part of the
// hash, so that one operation passes over the records with other tags.
type node[T any] struct {
	owner *token
	nodes *[fan]*node[T]
	tags  uint64 // 0 where a record is missing
	value [leafSize]*T
	more  *node[T] // a leaf where hashes are equal to the last bit
}

const (
	everyByte = 0x0101010101010101
	lowBits   = 0x7F7F7F7F7F7F7F7F // all but the high bit of each byte
)

func tagOf(hash uint32) uint64 { return max(uint64(hash>>24), 1) }

// match returns a word with a bit set in each byte whose record may have that hash; see at.
func (n *node[T]) match(hash uint32) uint64 { return zeroBytes(n.tags ^ tagOf(hash)*everyByte) }

// at returns the record of the lowest bit of a match.
func (n *node[T]) at(match uint64) *T { return n.value[byteOf(match)] }

// zeroBytes returns a word with the high bit set in each byte of x that is zero.
func zeroBytes(x uint64) uint64 { return ^((x&lowBits + lowBits) | x | lowBits) }

func byteOf(match uint64) int { return bits.TrailingZeros64(match) / 8 % leafSize }

// leaf returns the leaf in which records of that hash are, nil where there is none. The caller goes through the matches
// of it and of those behind it, and compares names: hashes are never trusted.
func (t *table[T]) leaf(hash uint32) *node[T] {
	n := t.root
	for n != nil && n.nodes != nil {
		n, hash = n.nodes[hash%fan], hash>>fanBits
	}
	return n
}

// put stores next in place of old, or beside the others where old is nil.
func (t *table[T]) put(own *token, old, next *T) {
	if old == nil {
		t.size++
	}
	hash, at, shift := t.hash(next), &t.root, 0
	for {
		n := (*at).owned(own)
		*at = n
		if n.nodes == nil {
			if n.set(own, hash, old, next, shift >= hashBits) {
				return
			}
			t.split(own, n, shift)
		}
		at = &n.nodes[hash>>shift%fan]
		shift += fanBits
	}
}

// remove takes out old, which is there.
func (t *table[T]) remove(own *token, old *T) {
	t.size--
	h, at := t.hash(old), &t.root
	for (*at).nodes != nil {
		*at = (*at).owned(own)
		at, h = &(*at).nodes[h%fan], h>>fanBits
	}
	*at = (*at).without(own, old)
}

func (n *node[T]) owned(own *token) *node[T] {
	switch {
	case n == nil:
		return &node[T]{owner: own}
	case n.owner == own:
		return n
	}
	c := *n
	c.owner = own
	if n.nodes != nil {
		nodes := *n.nodes
		c.nodes = &nodes
	}
	return &c
}

// set reports false where the leaf is full and may be split.
func (n *node[T]) set(own *token, hash uint32, old, next *T, last bool) bool {
	if i := n.indexOf(old); i >= 0 {
		n.value[i] = next
		return true
	}
	if free := zeroBytes(n.tags); free != 0 && old == nil {
		i := byteOf(free)
		n.tags |= tagOf(hash) << (8 * i)
		n.value[i] = next
		return true
	}
	if !last {
		return false
	}
	n.more = n.more.owned(own)
	return n.more.set(own, hash, old, next, last)
}

func (n *node[T]) indexOf(old *T) int {
	for i, v := range n.value {
		if v == old && old != nil {
			return i
		}
	}
	return -1
}

// without returns the chain of leaves without old; nil where nothing is left.
func (n *node[T]) without(own *token, old *T) *node[T] {
	n = n.owned(own)
	i := n.indexOf(old)
	if i < 0 {
		n.more = n.more.without(own, old)
		return n
	}
	n.value[i] = nil
	n.tags &^= 0xFF << (8 * i)
	if n.tags == 0 {
		return n.more
	}
	return n
}

// split spreads a full leaf over nodes of its own, by the next bits of the hash.
func (t *table[T]) split(own *token, n *node[T], shift int) {
	n.nodes = new([fan]*node[T])
	for i, v := range n.value {
		hash := t.hash(v)
		at := &n.nodes[hash>>shift%fan]
		*at = (*at).owned(own)
		(*at).set(own, hash, nil, v, true)
		n.value[i] = nil
	}
	n.tags = 0
}

// all yields every record in no particular order.
func (t *table[T]) all(yield func(*T) bool) { t.root.all(yield) }

func (n *node[T]) all(yield func(*T) bool) bool {
	if n == nil {
		return true
	}
	for _, v := range n.value {
		if v != nil && !yield(v) {
			return false
		}
	}
	if n.nodes != nil {
		for _, below := range n.nodes {
			if !below.all(yield) {
				return false
			}
		}
	}
	return n.more.all(yield)
}

const (
	pageBits = 5
	pageSize = 1 << pageBits
	kidsBits = 5
	kids     = 1 << kidsBits
)

type vector[T any] struct {
	root   fork[T]
	levels int // of nodes above the pages
	end    uint32
	free   *freed
}

// A fork has a node, or a page at the lowest level.
type fork[T any] struct {
	sub  *radix[T]
	page *page[T]
}

type radix[T any] struct {
	owner *token
	kids  [kids]fork[T]
}

type page[T any] struct {
	owner   *token
	records [pageSize]*T
}

// freed is a stack of numbers to be used again, so that numbers stay as few as what they number.
type freed struct {
	number uint32
	next   *freed
}

// at returns the record of that number, which has been given out.
func (v *vector[T]) at(number uint32) *T {
	f := &v.root
	for shift := v.shift(); shift >= pageBits; shift -= kidsBits {
		f = &f.sub.kids[number>>shift%kids]
	}
	return f.page.records[number%pageSize]
}

// shift returns how many bits of a number lie below those that choose a kid of the root.
func (v *vector[T]) shift() int { return pageBits + (v.levels-1)*kidsBits }

// next takes a number for a new record.
func (v *vector[T]) next() uint32 {
	if f := v.free; f != nil {
		v.free = f.next
		return f.number
	}
	v.end++
	return v.end - 1
}

// release gives a number back.
func (v *vector[T]) release(own *token, number uint32) {
	v.set(own, number, nil)
	v.free = &freed{number, v.free}
}

func (v *vector[T]) set(own *token, number uint32, value *T) {
	for number>>(v.shift()+kidsBits) > 0 {
		top := &radix[T]{owner: own}
		top.kids[0] = v.root
		v.root = fork[T]{sub: top}
		v.levels++
	}
	f := &v.root
	for shift := v.shift(); shift >= pageBits; shift -= kidsBits {
		f.sub = f.sub.owned(own)
		f = &f.sub.kids[number>>shift%kids]
	}
	f.page = f.page.owned(own)
	f.page.records[number%pageSize] = value
}

func (n *radix[T]) owned(own *token) *radix[T] {
	switch {
	case n == nil:
		return &radix[T]{owner: own}
	case n.owner == own:
		return n
	}
	c := *n
	c.owner = own
	return &c
}

func (p *page[T]) owned(own *token) *page[T] {
	switch {
	case p == nil:
		return &page[T]{owner: own}
	case p.owner == own:
		return p
	}
	c := *p
	c.owner = own
	return &c
}
