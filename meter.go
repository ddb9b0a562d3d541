package rolecall

import (
	"context"
	"fmt"
	"math/bits"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
)

// How a meter counts where its MeterOptions say nothing.
const (
	meterCapacity = 1 << 16
	meterDepth    = 1
)

// mostCapacity bounds what a host may ask for.
const mostCapacity = 1 << 26

// MeterOptions configure a Meter. A nil *MeterOptions is the zero MeterOptions.
type MeterOptions struct {
	// Capacity is how many different uses a meter keeps between two collections. Zero is 65,536. Each takes 32 to 64 bytes
	// whether it is met or not, and about 200 once it is. Beyond 67,108,864 NewMeter panics: no meter is without bounds.
	Capacity int
	// Depth is how many segments of a scope are kept apart, at most 4: with 1, everything inside a project is that
	// project. Zero is 1.
	Depth int
	// Clock tells the present. Nil is time.Now.
	Clock func() time.Time
}

// A Use is one thing that was used: Subject was allowed Permission at Scope or inside it, or somewhere where Scope is zero.
type Use struct {
	Subject    Subject    `json:"subject"`
	Permission Permission `json:"permission"`
	Scope      Scope      `json:"scope"`
}

// A Reading is what a meter saw from one instant until another one.
type Reading struct {
	From, Until time.Time
	Uses        []Use // each once, in no order
	// Dropped is how many allows were not kept for want of room. Where it is not zero, nothing follows from a use that is
	// not listed.
	Dropped uint64
}

// A Meter keeps who was allowed what and where, each once, so that it can be told later what nobody uses. It is safe for
// concurrent use and takes no lock; what it knows already costs a resolver's check a few nanoseconds. Its memory is
// bounded: what does not fit is counted, not kept.
//
// A resolver given a meter (Options.Meter) tells it of each allow of Check and Decide. What is asked of snapshots and
// views it does not see: guards tell it by Observe and ObserveBatch, and a host by Record. Nothing is written down by
// itself: who has a meter collects from it regularly, say every few minutes and at the end of the program, and keeps the
// readings. The package review makes reports of them.
//
// Uses are told apart by hashes that differ from process to process: of 64 bits for subject and permission, of 32 for the
// place. That two uses of one subject and permission at two given projects share one is as likely as one in four billion.
//
// Make one with NewMeter.
type Meter struct {
	depth    uint8
	capacity int
	clock    func() time.Time
	table    atomic.Pointer[useTable]
}

// NewMeter returns a meter that begins now.
func NewMeter(o *MeterOptions) *Meter {
	m := &Meter{depth: meterDepth, capacity: meterCapacity, clock: time.Now}
	if o != nil {
		if o.Capacity > mostCapacity {
			panic(fmt.Sprintf("rolecall: a meter keeps up to %d uses, not %d", mostCapacity, o.Capacity))
		}
		if o.Capacity > 0 {
			m.capacity = o.Capacity
		}
		if o.Depth > 0 {
			m.depth = uint8(min(o.Depth, inlineHashes))
		}
		if o.Clock != nil {
			m.clock = o.Clock
		}
	}
	m.table.Store(newUseTable(m.capacity, m.clock()))
	return m
}

// Observe records an allow. It is an Observer, for the guards that answer by themselves; what a resolver with this meter
// answers is recorded already.
func (m *Meter) Observe(_ context.Context, o Observation) {
	if o.Err == nil {
		m.Record(o.Subject, o.Permission, o.Scope)
	}
}

// ObserveBatch records that a subject was shown something: each permission asked for, somewhere, where any answer was yes.
// It is a BatchObserver, and does not know of which permission or where.
func (m *Meter) ObserveBatch(_ context.Context, o BatchObservation) {
	if o.Err != nil || o.Granted == 0 || !o.Subject.ok() {
		return
	}
	for _, p := range o.Permissions {
		hash := ^useHash(&o.Subject, &p, &Scope{}, 0)
		if p.ok() && hash != 0 && !m.table.Load().has(hash) {
			m.add(hash, o.Subject, p, Scope{})
		}
	}
}

// Record records that who did p at t, allowed by an answer that no resolver gave: one of a view, or a list. What is
// invalid is passed over.
func (m *Meter) Record(who Subject, p Permission, t Scope) {
	if who.ok() && p.ok() && t.valid() {
		m.record(m.ahead(&who, &p, &t), &who, &p, &t)
	}
}

// An inkling is the hash of what may become a use, and what lies in its slot. It is had before the check, so that the
// processor waits for the slot and for what the check reads at the same time.
type inkling struct {
	table *useTable
	hash  uint64
	there uint64
}

// ahead looks for a use before it is known whether it is one.
func (m *Meter) ahead(who *Subject, p *Permission, t *Scope) inkling {
	table, hash := m.table.Load(), useHash(who, p, t, min(t.depth, m.depth))
	return inkling{table, hash, table.at(hash).Load()}
}

// record adds a use unless it was there.
func (m *Meter) record(i inkling, who *Subject, p *Permission, t *Scope) {
	if i.there != i.hash && !i.table.has(i.hash) {
		m.add(i.hash, *who, *p, *t)
	}
}

// useHash is never zero, which marks a free slot.
func useHash(who *Subject, p *Permission, t *Scope, depth uint8) uint64 {
	place := uint32(0)
	if depth > 0 {
		place = t.hash[(depth-1)%inlineHashes]
	}
	h := (bits.RotateLeft64(who.hash, 32)^p.hash)*0x9E3779B97F4A7C15 + uint64(place)
	h = (h ^ h>>29) * 0xBF58476D1CE4E5B9
	return max(h^h>>32, 1)
}

// add puts a use into the present table, or counts it as dropped where there is no room. Where a collection took that
// table meanwhile, it may have been read already, and the use goes into the next one, too.
func (m *Meter) add(hash uint64, who Subject, p Permission, t Scope) {
	for {
		table := m.table.Load()
		if table.free.Add(-1) < 0 {
			table.free.Add(1)
			table.dropped.Add(1)
		} else if !table.put(hash, m.use(who, p, t)) {
			table.free.Add(1)
		}
		if m.table.Load() == table {
			return
		}
	}
}

// use returns a use that keeps nothing else alive, a request's buffer for example.
func (m *Meter) use(who Subject, p Permission, t Scope) *Use {
	for t.depth > m.depth {
		t, _ = t.Parent()
	}
	who.kind, who.id = SubjectKind(strings.Clone(string(who.kind))), strings.Clone(who.id)
	p.name, t.path = strings.Clone(p.name), strings.Clone(t.path)
	return &Use{who, p, t}
}

// Collect returns what was used since the last time, and begins anew. What was allowed before it is in this reading or an
// earlier one; what is allowed meanwhile is in this one or in the next.
func (m *Meter) Collect() Reading {
	now := m.clock()
	table := m.table.Swap(newUseTable(m.capacity, now))
	r := Reading{From: table.from, Until: m.clock(), Dropped: table.dropped.Load()} // what was put in meanwhile is not later
	for i := range table.uses {
		u := table.uses[i].Load()
		for u == nil && table.hashes[i].Load() != 0 { // it is there already to whoever asks, and about to be put in
			runtime.Gosched()
			u = table.uses[i].Load()
		}
		if u != nil {
			r.Uses = append(r.Uses, *u)
		}
	}
	return r
}

// A useTable is a hash table with linear probing, at most half full, in which nothing is ever removed or replaced.
type useTable struct {
	hashes  []atomic.Uint64
	uses    []atomic.Pointer[Use] // of the hash in the same slot, a little later than that
	free    atomic.Int64
	dropped atomic.Uint64
	from    time.Time
}

func newUseTable(capacity int, from time.Time) *useTable {
	size := 8
	for size < 2*capacity {
		size *= 2
	}
	t := &useTable{hashes: make([]atomic.Uint64, size), uses: make([]atomic.Pointer[Use], size), from: from}
	t.free.Store(int64(capacity))
	return t
}

// at returns the slot in which a hash is looked for first.
func (t *useTable) at(hash uint64) *atomic.Uint64 { return &t.hashes[hash&uint64(len(t.hashes)-1)] }

func (t *useTable) has(hash uint64) bool {
	mask := uint64(len(t.hashes) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		switch t.hashes[i].Load() {
		case hash:
			return true
		case 0:
			return false
		}
	}
}

// put adds a use, for which there is room, and says whether it was not there.
func (t *useTable) put(hash uint64, u *Use) bool {
	mask := uint64(len(t.hashes) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		if t.hashes[i].CompareAndSwap(0, hash) {
			t.uses[i].Store(u)
			return true
		}
		if t.hashes[i].Load() == hash {
			return false
		}
	}
}
