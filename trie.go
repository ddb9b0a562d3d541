package rolecall

// Persistent structures: an update copies the path it touches and shares the rest, so a snapshot costs what changed.
// Nodes carry the token of the draft that made them; that draft alone may change them in place, so loading millions of
// statements copies nothing. Once the draft is finished nobody holds its token and every node is immutable.
//
//	table   hash → record: a 64-way trie over the bits of the hash; a slot holds a branch or a bucket of eight
//	vector  number → record: a 64-way radix tree, as deep as the highest number needs

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

type bucket[T any] struct {
	owner *token
	n     int
	hash  [bucketSize]uint32
	value [bucketSize]*T
	more  *bucket[T] // where hashes are equal to the last bit
}

// bucketOf returns the bucket in which records of that hash are, nil where there is none.
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

// find returns the record of that hash which is accepts; the caller compares names, hashes are never trusted.
func (t *table[T]) find(hash uint32, is func(*T) bool) *T {
	for b := t.bucketOf(hash); b != nil; b = b.more {
		for i := range b.n {
			if b.hash[i] == hash && is(b.value[i]) {
				return b.value[i]
			}
		}
	}
	return nil
}

// put stores next under hash in place of old, or beside the others where old is nil.
func (t *table[T]) put(own *token, hash uint32, old, next *T) {
	if old == nil {
		t.size++
	}
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
		s.sub = split(own, s.bucket, shift)
		s.bucket = nil
		b = s.sub
	}
}

// remove takes out old, which is there.
func (t *table[T]) remove(own *token, hash uint32, old *T) {
	t.size--
	t.root = t.root.owned(own)
	b, h := t.root, hash
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
	for i := range b.n {
		if old != nil && b.value[i] == old {
			b.value[i] = next
			return true
		}
	}
	if b.more == nil && old == nil && b.n < bucketSize {
		b.hash[b.n], b.value[b.n] = hash, next
		b.n++
		return true
	}
	if !last {
		return false
	}
	b.more = b.more.owned(own)
	return b.more.set(own, hash, old, next, last)
}

// without returns the chain of buckets without old; nil where nothing is left.
func (b *bucket[T]) without(own *token, old *T) *bucket[T] {
	b = b.owned(own)
	for i := range b.n {
		if b.value[i] == old {
			b.n--
			b.hash[i], b.value[i] = b.hash[b.n], b.value[b.n]
			b.value[b.n] = nil
			if b.n == 0 {
				return b.more
			}
			return b
		}
	}
	b.more = b.more.without(own, old)
	return b
}

// split spreads a full bucket over a new branch by the next bits of the hash.
func split[T any](own *token, full *bucket[T], shift int) *branch[T] {
	b := &branch[T]{owner: own}
	for i := range full.n {
		s := &b.slots[full.hash[i]>>shift%fan]
		s.bucket = s.bucket.owned(own)
		s.bucket.set(own, full.hash[i], nil, full.value[i], true)
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
			for j := range k.n {
				if !yield(k.value[j]) {
					return false
				}
			}
		}
	}
	return true
}

type vector[T any] struct {
	root   *radix[T]
	levels int // of branches above the leaves
	end    uint32
	free   *freed
}

// A radix node has children, or records at the lowest level.
type radix[T any] struct {
	owner *token
	kids  *[fan]*radix[T]
	leaf  *[fan]*T
}

// freed is a stack of numbers to be used again, so that numbers stay as few as what they number.
type freed struct {
	number uint32
	next   *freed
}

// at returns the record of that number, which has been given out.
func (v *vector[T]) at(number uint32) *T {
	n := v.root
	for shift := v.levels * fanBits; shift > 0; shift -= fanBits {
		n = n.kids[number>>shift%fan]
	}
	return n.leaf[number%fan]
}

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
	for number>>(v.levels*fanBits) >= fan {
		top := &radix[T]{owner: own, kids: new([fan]*radix[T])}
		top.kids[0] = v.root
		v.root = top
		v.levels++
	}
	v.root = v.root.set(own, v.levels*fanBits, number, value)
}

func (n *radix[T]) set(own *token, shift int, number uint32, value *T) *radix[T] {
	n = n.owned(own, shift == 0)
	if shift == 0 {
		n.leaf[number%fan] = value
		return n
	}
	kid := &n.kids[number>>shift%fan]
	*kid = (*kid).set(own, shift-fanBits, number, value)
	return n
}

func (n *radix[T]) owned(own *token, leaf bool) *radix[T] {
	if n != nil && n.owner == own {
		return n
	}
	c := &radix[T]{owner: own}
	switch {
	case n == nil && leaf:
		c.leaf = new([fan]*T)
	case n == nil:
		c.kids = new([fan]*radix[T])
	case leaf:
		records := *n.leaf
		c.leaf = &records
	default:
		kids := *n.kids
		c.kids = &kids
	}
	return c
}
