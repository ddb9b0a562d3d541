package rolecall

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"sync"
	"time"

	"github.com/rolecall-go/rolecall/internal/visible"
)

// A Provenance tells where statements come from: which change made a statement what it is, who made that change, when
// and why. It knows what it was told, entry by entry, by Trace or by Add; of everything else it says ErrCompacted, which
// means that it could not find out, never that nobody did it. It answers for every revision that it was told of, so
// that one Provenance serves decisions made on earlier snapshots, too.
//
// It keeps the author of each entry and some 400 bytes for each statement that was ever there; what statements said is
// not kept. An answer costs a map look-up. It is safe for concurrent use. The zero Provenance was told of nothing yet, and
// the first entry added is its beginning.
type Provenance struct {
	mu      sync.RWMutex
	begun   bool
	after   Revision // what was made at this revision or before it is not told
	upTo    Revision
	origins []Origin // one an entry that did something to a statement that is traced
	steps   map[StatementKey][]step
	only    map[StatementKey]bool // what is traced, nil for everything
}

// A step is what an entry did to one statement.
type step struct {
	origin uint32
	did    deed
}

type deed uint8

const (
	added = deed(iota)
	changed
	removed
)

// An Origin is the change that made something what it is.
type Origin struct {
	Revision Revision `json:"revision"`
	Meta
}

// String tells the revision, who, when and why.
func (o Origin) String() string {
	text := "revision " + strconv.FormatUint(uint64(o.Revision), 10) + ", by " + o.author()
	if !o.Time.IsZero() {
		text += ", " + FormatTime(o.Time)
	}
	if o.Reason != "" {
		text += ": " + visible.Text(o.Reason, "")
	}
	return text
}

func (o Origin) author() string {
	if o.Actor.IsZero() {
		return "the host"
	}
	if o.OnBehalf.IsZero() {
		return o.Actor.String()
	}
	return o.Actor.String() + " for " + o.OnBehalf.String()
}

// Trace reads the history of a store as far back as it is kept, up to the revision of s, and returns where everything
// comes from. It costs one reading of that history; keep the result and Add what comes later. A store that is on another
// line of revisions than s is ErrCompacted.
func Trace(ctx context.Context, store Store, s *Snapshot) (*Provenance, error) {
	return trace(ctx, store, s, nil)
}

// TraceOnly is Trace for some statements, for example Decision.Keys. It reads as much and keeps little.
func TraceOnly(ctx context.Context, store Store, s *Snapshot, keys ...StatementKey) (*Provenance, error) {
	only := map[StatementKey]bool{}
	for _, key := range keys {
		only[key] = true
	}
	return trace(ctx, store, s, only)
}

func trace(ctx context.Context, store Store, s *Snapshot, only map[StatementKey]bool) (*Provenance, error) {
	if s.policy == nil {
		return nil, errNoInstant()
	}
	p, err := traceUpTo(ctx, store, s.Revision(), only)
	if err == nil {
		err = sameLine(ctx, store, s)
	}
	if err != nil {
		return nil, fmt.Errorf("trace policy: %w", err)
	}
	return p, nil
}

// traceUpTo begins again where the store compacts its history faster than it is read.
func traceUpTo(ctx context.Context, store Store, at Revision, only map[StatementKey]bool) (*Provenance, error) {
	for begin := Revision(0); ; {
		after, err := oldestKept(ctx, store, begin, at)
		if err != nil {
			return nil, err
		}
		p := &Provenance{begun: true, after: after, upTo: after, only: only}
		err = p.read(ctx, store, at)
		if !errors.Is(err, ErrCompacted) || after == at {
			return p, err
		}
		begin = after + 1
	}
}

// oldestKept returns the earliest revision from begin to at after which the store still tells its history, at where
// there is none. It halves what is left.
func oldestKept(ctx context.Context, store Store, begin, at Revision) (Revision, error) {
	var failure error
	steps := sort.Search(int(at-begin), func(n int) bool {
		if failure != nil {
			return true
		}
		err := firstError(ctx, store, begin+Revision(n))
		if errors.Is(err, ErrCompacted) {
			return false
		}
		failure = err
		return true
	})
	return begin + Revision(steps), failure
}

func firstError(ctx context.Context, store Store, after Revision) error {
	for _, err := range store.Changes(ctx, after) {
		return err
	}
	return nil
}

func (p *Provenance) read(ctx context.Context, store Store, at Revision) error {
	if p.upTo == at {
		return nil
	}
	for e, err := range store.Changes(ctx, p.upTo) {
		if err != nil {
			return err
		}
		if err := p.Add(e); err != nil {
			return err
		}
		if e.Revision == at {
			break
		}
	}
	return nil
}

// sameLine says that the store is still on the line of revisions that s is on, as far as both tell theirs.
func sameLine(ctx context.Context, store Store, s *Snapshot) error {
	teller, able := store.(HistoryStore)
	if !able || s.History() == "" {
		return nil
	}
	now, err := teller.History(ctx)
	if err == nil && now != s.History() {
		err = problem(ErrCompacted, "history", s.History(), "the store is on another line of revisions than this snapshot")
	}
	return err
}

// Add tells of the next entry of the history, for example out of Resolver.Changes or of an audit log. An entry that is
// not the next one is ErrInvalid, and changes nothing; one that is known already does no harm.
func (p *Provenance) Add(e Entry) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.begun && e.Revision > 0 {
		p.begun, p.after, p.upTo = true, e.Revision-1, e.Revision-1
	}
	switch {
	case e.Revision > p.after && e.Revision <= p.upTo:
		return nil
	case e.Revision != p.upTo+1:
		return problem(ErrInvalid, "entry", fmt.Sprint(e.Revision), "revision %d is not the next one after %d", e.Revision, p.upTo)
	}
	if slices.ContainsFunc(e.Deltas, func(d Delta) bool { return d.Before == nil && d.After == nil }) {
		return problem(ErrInvalid, "entry", fmt.Sprint(e.Revision), "a delta has a statement before or after it")
	}
	p.upTo = e.Revision
	if p.steps == nil {
		p.steps = map[StatementKey][]step{}
	}
	noted := false
	for _, d := range e.Deltas {
		key := d.Key()
		if p.only != nil && !p.only[key] {
			continue
		}
		if !noted {
			p.origins, noted = append(p.origins, Origin{e.Revision, e.Meta}), true
		}
		p.steps[key] = append(p.steps[key], step{uint32(len(p.origins) - 1), deedOf(d, e.Time)})
	}
	return nil
}

// deedOf takes a statement for a new one, too, where it had ended before, or has another effect.
func deedOf(d Delta, at time.Time) deed {
	switch {
	case d.Before == nil:
		return added
	case d.After == nil:
		return removed
	case endedBy(d.Before, at) && !endedBy(d.After, at):
		return added
	}
	before, was := d.Before.(Override)
	after, is := d.After.(Override)
	if was && is && before.Effect != after.Effect {
		return added
	}
	return changed
}

// endedBy says whether a statement says nothing any more at an instant.
func endedBy(s Statement, at time.Time) bool {
	var w Window
	switch s := s.(type) {
	case Grant:
		w = s.Window
	case Override:
		w = s.Window
	case Membership:
		w = s.Window
	}
	return !w.NotAfter.IsZero() && !at.Before(w.NotAfter)
}

// Span returns what is known: the changes after one revision, up to another one.
func (p *Provenance) Span() (after, upTo Revision) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.after, p.upTo
}

// Of returns the change that made the statement with that key what it is at a revision. ErrUnknown says that there was
// no such statement then. ErrCompacted says that the history at hand does not tell: it begins later, or the statement was
// there when it began. ErrStale says that Of was not told of that revision yet.
func (p *Provenance) Of(key StatementKey, at Revision) (Origin, error) {
	return p.find(key, at, func(steps []step) int { return len(steps) - 1 })
}

// Since returns the change since which a statement with that key has been there without a break, whatever was changed
// of it meanwhile, like Of. One that had ended came anew with the change that renewed it, and an override with that which
// gave it another effect.
func (p *Provenance) Since(key StatementKey, at Revision) (Origin, error) {
	return p.find(key, at, func(steps []step) int {
		last := len(steps) - 1
		for last >= 0 && steps[last].did != added {
			last--
		}
		return last
	})
}

// find returns the origin of the step that choose picks out of those up to a revision, the last of which left the
// statement standing; a choice below 0 is not told.
func (p *Provenance) find(key StatementKey, at Revision, choose func([]step) int) (Origin, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	switch {
	case p.only != nil && !p.only[key]:
		return Origin{}, problem(ErrInvalid, key.String(), "", "this statement is not among those that were traced")
	case !p.begun || at < p.after:
		return Origin{}, p.untold(key)
	case at > p.upTo:
		return Origin{}, problem(ErrStale, key.String(), "", "the history was read up to revision %d, and the question is about %d", p.upTo, at)
	}
	steps := p.steps[key]
	steps = steps[:sort.Search(len(steps), func(i int) bool { return p.origins[steps[i].origin].Revision > at })]
	if n := len(steps); n > 0 && steps[n-1].did == removed {
		gone := p.origins[steps[n-1].origin]
		return Origin{}, problem(ErrUnknown, key.String(), "", "there is no such statement at revision %d; it was removed in %s", at, gone)
	}
	i := -1
	if len(steps) > 0 {
		i = choose(steps)
	}
	if i < 0 {
		return Origin{}, p.untold(key)
	}
	return p.origins[steps[i].origin], nil
}

func (p *Provenance) untold(key StatementKey) error {
	if !p.begun {
		return problem(ErrCompacted, key.String(), "", "no history is at hand")
	}
	return problem(ErrCompacted, key.String(), "", "the history at hand begins after revision %d and does not tell", p.after)
}

// UnmarshalJSON reads an origin: {"revision", "actor", "onBehalf", "reason", "time"}.
func (o *Origin) UnmarshalJSON(data []byte) error {
	return decodeInto(o, data, func(o *Origin) []field {
		return append([]field{{"revision", &o.Revision, required}}, o.Meta.fields()...)
	})
}
