package rolecall

import "math/bits"

// Persistent structures: an update copies the path it touches and shares the rest, so a snapshot costs what changed.
// Nodes carry the token of the draft that made them; that draft alone may change them in place, so loading millions of
// statements copies nothing. Once the draft is finished nobody holds its token and every node is immutable.
//
//	table   hash → record: a 64-way trie over the bits of the hash; a slot holds a branch or a bucket of eight
//	vector  number → record: pages of 64 under a 32-way radix tree, as deep as the highest number needs

// A token marks the nodes that one draft may change in place.
type token struct{ _ byte }

const (
	fanBits    = 6
	fan        = 1 << fanBits
	bucketSize = 8
	hashBits   = 32
)

type table[T any] struct {
	root *branch[T]
	size int
	hash func(*T) uint32
}

type branch[T any] struct {
	owner *token
	slots [fan]slot[T]
}

// A slot has a branch, or a bucket, or neither.
type slot[T any] struct {
	sub    *branch[T]
	bucket *bucket[T]
}

// A bucket has a tag for each of its records, a byte that is part of the hash, so that one operation passes over the
// records with other tags.
type bucket[T any] struct {
	tags  uint64 // 0 where a record is missing
	value [bucketSize]*T
	more  *bucket[T] // where hashes are equal to the last bit
	owner *token
}

const (
	everyByte = 0x0101010101010101
	lowBits   = 0x7F7F7F7F7F7F7F7F // all but the high bit of each byte
)

func tagOf(hash uint32) uint64 { return max(uint64(hash>>24), 1) }

// match returns a word with a bit set in each byte whose record may have that hash; see at.
func (b *bucket[T]) match(hash uint32) uint64 { return zeroBytes(b.tags ^ tagOf(hash)*everyByte) }

// at returns the record of the lowest bit of a match.
func (b *bucket[T]) at(match uint64) *T { return b.value[byteOf(match)] }

// zeroBytes returns a word with the high bit set in each byte of x that is zero.
func zeroBytes(x uint64) uint64 { return ^((x&lowBits + lowBits) | x | lowBits) }

func byteOf(match uint64) int { return bits.TrailingZeros64(match) / 8 % bucketSize }

// bucketOf returns the bucket in which records of that hash are, nil where there is none. The caller goes through the
// matches of it and of those behind it, and compares names: hashes are never trusted.
func (t *table[T]) bucketOf(hash uint32) *bucket[T] {
	b, h := t.root, hash
	for b != nil {
		s := &b.slots[h%fan]
		if s.bucket != nil {
			return s.bucket
		}
		b, h = s.sub, h>>fanBits
	}
	return nil
}

// put stores next in place of old, or beside the others where old is nil.
func (t *table[T]) put(own *token, old, next *T) {
	if old == nil {
		t.size++
	}
	hash := t.hash(next)
	t.root = t.root.owned(own)
	b, shift := t.root, 0
	for {
		s := &b.slots[hash>>shift%fan]
		shift += fanBits
		if s.sub != nil {
			s.sub = s.sub.owned(own)
			b = s.sub
			continue
		}
		s.bucket = s.bucket.owned(own)
		if s.bucket.set(own, hash, old, next, shift >= hashBits) {
			return
		}
		s.sub = t.split(own, s.bucket, shift)
		s.bucket = nil
		b = s.sub
	}
}

// remove takes out old, which is there.
func (t *table[T]) remove(own *token, old *T) {
	t.size--
	t.root = t.root.owned(own)
	b, h := t.root, t.hash(old)
	for {
		s := &b.slots[h%fan]
		h >>= fanBits
		if s.sub != nil {
			s.sub = s.sub.owned(own)
			b = s.sub
			continue
		}
		s.bucket = s.bucket.without(own, old)
		return
	}
}

func (b *branch[T]) owned(own *token) *branch[T] {
	switch {
	case b == nil:
		return &branch[T]{owner: own}
	case b.owner == own:
		return b
	}
	c := *b
	c.owner = own
	return &c
}

func (b *bucket[T]) owned(own *token) *bucket[T] {
	switch {
	case b == nil:
		return &bucket[T]{owner: own}
	case b.owner == own:
		return b
	}
	c := *b
	c.owner = own
	return &c
}

// set reports false where the bucket is full and may be split.
func (b *bucket[T]) set(own *token, hash uint32, old, next *T, last bool) bool {
	if i := b.indexOf(old); i >= 0 {
		b.value[i] = next
		return true
	}
	if free := zeroBytes(b.tags); free != 0 && old == nil {
		i := byteOf(free)
		b.tags |= tagOf(hash) << (8 * i)
		b.value[i] = next
		return true
	}
	if !last {
		return false
	}
	b.more = b.more.owned(own)
	return b.more.set(own, hash, old, next, last)
}

func (b *bucket[T]) indexOf(old *T) int {
	for i, v := range b.value {
		if v == old && old != nil {
			return i
		}
	}
	return -1
}

// without returns the chain of buckets without old; nil where nothing is left.
func (b *bucket[T]) without(own *token, old *T) *bucket[T] {
	b = b.owned(own)
	i := b.indexOf(old)
	if i < 0 {
		b.more = b.more.without(own, old)
		return b
	}
	b.value[i] = nil
	b.tags &^= 0xFF << (8 * i)
	if b.tags == 0 {
		return b.more
	}
	return b
}

// split spreads a full bucket over a new branch by the next bits of the hash.
func (t *table[T]) split(own *token, full *bucket[T], shift int) *branch[T] {
	b := &branch[T]{owner: own}
	for _, v := range full.value {
		hash := t.hash(v)
		s := &b.slots[hash>>shift%fan]
		s.bucket = s.bucket.owned(own)
		s.bucket.set(own, hash, nil, v, true)
	}
	return b
}

// all yields every record in no particular order.
func (t *table[T]) all(yield func(*T) bool) { t.root.all(yield) }

func (b *branch[T]) all(yield func(*T) bool) bool {
	if b == nil {
		return true
	}
	for i := range b.slots {
		s := &b.slots[i]
		if !s.sub.all(yield) {
			return false
		}
		for k := s.bucket; k != nil; k = k.more {
			for _, v := range k.value {
				if v != nil && !yield(v) {
					return false
				}
			}
		}
	}
	return true
}

const (
	pageBits = 6
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
