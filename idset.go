package rolecall

import (
	"iter"
	"math/bits"
	"slices"
)

// An idset is a persistent set of numbers; nil is the empty set. Few numbers are one sorted list; many are chunks of
// 4096, each a sorted list or a bitmap, so that an update copies a kilobyte or two however large the set is.
type idset struct {
	owner  *token
	n      int
	bloom  uint64            // one bit a number modulo 64: most questions about numbers that are not there end here
	small  []uint32          // sorted; used while chunks is nil
	chunks []*chunk          // sorted by base
	room   [smallRoom]uint32 // for small, so that most sets are one piece of memory
}

type chunk struct {
	owner *token
	base  uint32 // number >> chunkBits
	list  []uint16
	bits  *[chunkWords]uint64 // used instead of list where it is not nil
}

const (
	smallSet   = 512
	smallRoom  = 6
	chunkBits  = 12
	chunkSpan  = 1 << chunkBits
	chunkWords = chunkSpan / 64
	chunkList  = 256 // longer lists become bitmaps
)

func (s *idset) has(id uint32) bool {
	if s == nil || s.bloom>>(id%64)&1 == 0 {
		return false
	}
	if s.chunks == nil {
		return hasSorted(s.small, id)
	}
	i, ok := s.chunkAt(id)
	return ok && s.chunks[i].has(uint16(id%chunkSpan))
}

func hasSorted(list []uint32, id uint32) bool {
	for len(list) > 16 {
		if mid := len(list) / 2; list[mid] <= id {
			list = list[mid:]
		} else {
			list = list[:mid]
		}
	}
	for _, x := range list {
		if x >= id {
			return x == id
		}
	}
	return false
}

// bloomOf returns the bloom of these numbers.
func bloomOf(ids []uint32) (bloom uint64) {
	for _, id := range ids {
		bloom |= 1 << (id % 64)
	}
	return bloom
}

func (s *idset) chunkAt(id uint32) (int, bool) {
	base := id >> chunkBits
	lo, hi := 0, len(s.chunks)
	if hi > 0 && s.chunks[hi-1].base <= base { // most numbers are new ones
		lo = hi - 1
	}
	for lo < hi {
		mid := (lo + hi) / 2
		if s.chunks[mid].base < base {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < len(s.chunks) && s.chunks[lo].base == base
}

func (c *chunk) has(low uint16) bool {
	if c.bits != nil {
		return c.bits[low/64]>>(low%64)&1 == 1
	}
	_, ok := slices.BinarySearch(c.list, low)
	return ok
}

// with returns the set with id.
func (s *idset) with(own *token, id uint32) *idset {
	if s.has(id) {
		return s
	}
	s = s.owned(own)
	s.n++
	s.bloom |= 1 << (id % 64)
	if s.chunks == nil && len(s.small) < smallSet {
		i, _ := slices.BinarySearch(s.small, id)
		s.small = insertAt(s.small, i, id)
		return s
	}
	if s.chunks == nil {
		old := s.small
		s.small, s.chunks = nil, []*chunk{}
		for _, x := range old {
			s.addToChunk(own, x)
		}
	}
	s.addToChunk(own, id)
	return s
}

func (s *idset) addToChunk(own *token, id uint32) {
	i, ok := s.chunkAt(id)
	if !ok {
		s.chunks = slices.Insert(s.chunks, i, &chunk{owner: own, base: id >> chunkBits})
	}
	c := s.chunks[i].owned(own)
	s.chunks[i] = c
	low := uint16(id % chunkSpan)
	if c.bits == nil && len(c.list) == chunkList {
		c.bits = new([chunkWords]uint64)
		for _, x := range c.list {
			c.bits[x/64] |= 1 << (x % 64)
		}
		c.list = nil
	}
	if c.bits != nil {
		c.bits[low/64] |= 1 << (low % 64)
		return
	}
	at, _ := slices.BinarySearch(c.list, low)
	c.list = insertAt(c.list, at, low)
}

// without returns the set without id, nil where nothing is left.
func (s *idset) without(own *token, id uint32) *idset {
	if !s.has(id) {
		return s
	}
	if s.n == 1 {
		return nil
	}
	s = s.owned(own)
	s.n--
	if s.chunks == nil {
		i, _ := slices.BinarySearch(s.small, id)
		s.small = slices.Delete(s.small, i, i+1)
		s.bloom = bloomOf(s.small)
		return s
	}
	i, _ := s.chunkAt(id)
	c := s.chunks[i].owned(own)
	s.chunks[i] = c
	if low := uint16(id % chunkSpan); c.bits != nil {
		c.bits[low/64] &^= 1 << (low % 64)
	} else {
		at, _ := slices.BinarySearch(c.list, low)
		c.list = slices.Delete(c.list, at, at+1)
	}
	if c.empty() {
		s.chunks = slices.Delete(s.chunks, i, i+1)
	}
	return s
}

func (c *chunk) empty() bool {
	return len(c.list) == 0 && (c.bits == nil || *c.bits == [chunkWords]uint64{})
}

func (s *idset) owned(own *token) *idset {
	if s != nil && s.owner == own {
		return s
	}
	c := &idset{owner: own}
	c.small = c.room[:0]
	if s == nil {
		return c
	}
	c.n, c.bloom = s.n, s.bloom
	c.small = append(c.small, s.small...)
	if s.chunks != nil {
		c.chunks = append(make([]*chunk, 0, len(s.chunks)+1), s.chunks...)
	}
	return c
}

func (c *chunk) owned(own *token) *chunk {
	if c.owner == own {
		return c
	}
	d := *c
	d.owner = own
	d.list = slices.Clone(c.list)
	if c.bits != nil {
		b := *c.bits
		d.bits = &b
	}
	return &d
}

// all yields the numbers in order.
func (s *idset) all() iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		if s == nil {
			return
		}
		for _, id := range s.small {
			if !yield(id) {
				return
			}
		}
		for _, c := range s.chunks {
			if !c.each(yield) {
				return
			}
		}
	}
}

func (c *chunk) each(yield func(uint32) bool) bool {
	for _, low := range c.list {
		if !yield(c.base<<chunkBits | uint32(low)) {
			return false
		}
	}
	if c.bits == nil {
		return true
	}
	for w, word := range c.bits {
		for ; word != 0; word &= word - 1 {
			if !yield(c.base<<chunkBits | uint32(w*64+bits.TrailingZeros64(word))) {
				return false
			}
		}
	}
	return true
}

// insertAt inserts into a slice that the caller owns, growing it by a quarter at most: most lists stay as they are
// once loaded, and there are millions of them.
func insertAt[E any](s []E, i int, e E) []E {
	if len(s) == cap(s) {
		grown := make([]E, len(s), len(s)+1+len(s)/4)
		copy(grown, s)
		s = grown
	}
	s = s[:len(s)+1]
	copy(s[i+1:], s[i:])
	s[i] = e
	return s
}
