package rolecall

import (
	"context"
	"fmt"
	"iter"
	"sync/atomic"
	"time"

	"github.com/rolecall-go/rolecall/internal/backoff"
)

// How a resolver waits where its Options say nothing.
const (
	defaultPoll    = 10 * time.Second
	defaultTimeout = 30 * time.Second
	leastTimeout   = 5 * time.Second
	firstPause     = 20 * time.Millisecond
)

// Options configure a Resolver. A nil *Options is the zero Options.
type Options struct {
	// MaxStaleness is how long ago the resolver may last have confirmed that its snapshot is the newest. Beyond it
	// Check, Decide and Snapshot fail with ErrStale, so that a resolver that is cut off from its store does not go on
	// allowing what was revoked. Run confirms regularly, and so do Refresh and Update. Zero means that the age does
	// not matter: the resolver then answers from what it has.
	MaxStaleness time.Duration
	// Clock tells the present for windows, for the times of changes and for staleness; nil is time.Now. A clock that
	// goes back never makes a snapshot fresher: with the monotonic reading that time.Now has, the longer of wall and
	// monotonic time counts, so that neither a step back nor a machine asleep goes unnoticed; a clock without such a
	// reading that shows an instant before the last confirmation makes the snapshot stale until the next one.
	Clock func() time.Time
	// Poll is how long Run waits for the store to tell of a change before it looks by itself. Zero is a third of
	// MaxStaleness, or ten seconds without one. It is also the longest pause between attempts after errors.
	Poll time.Duration
	// Timeout is how long the store may hand out nothing in the middle of a load or of a catch-up before the attempt
	// is given up. Zero is thirty seconds, or MaxStaleness where that is less, but no less than five seconds.
	Timeout time.Duration
	// Observe is told of every answer of Check and Decide. Nil costs nothing to speak of.
	Observe Observer
	// Meter records what Check and Decide allow, to find out later what nobody uses. Nil records nothing.
	Meter *Meter
}

func (o *Options) problems() Problems {
	var ps Problems
	for _, d := range []struct {
		name string
		of   time.Duration
	}{{"MaxStaleness", o.MaxStaleness}, {"Poll", o.Poll}, {"Timeout", o.Timeout}} {
		if d.of < 0 {
			ps = append(ps, problem(ErrInvalid, "options", d.of.String(), "%s is not negative", d.name))
		}
	}
	if o.MaxStaleness > 0 && o.Poll >= o.MaxStaleness {
		ps = append(ps, problem(ErrInvalid, "options", o.Poll.String(), "Poll is shorter than MaxStaleness, which is %v", o.MaxStaleness))
	}
	return ps
}

// A Resolver answers checks from the newest policy of a store that it knows of. It keeps one snapshot and swaps it
// whole, so that no answer rests on half a change. It is safe for concurrent use; Check, Decide, Snapshot, Revision and
// Health take no lock and never wait for a writer or for the store.
//
// What this resolver commits it enforces when Update returns. What others commit arrives through Run, or when Refresh,
// WaitFor, Changes or Update catch up. Where the feed fails, or tells of a policy that does not fit the catalog, the
// last good snapshot stays and Health tells the error; MaxStaleness bounds how long.
//
// The zero Resolver answers every question with ErrStale.
type Resolver struct {
	store        Store
	catalog      *Catalog
	clock        func() time.Time
	maxStaleness time.Duration
	poll         time.Duration
	timeout      time.Duration
	observe      Observer
	meter        *Meter
	current      atomic.Pointer[present]
	turn         chan struct{} // held by the one who catches up
	looks        atomic.Uint64 // how many times catching up has begun
	caughtUp     atomic.Uint64 // which of these was the last one that succeeded
	following    atomic.Int32  // how many Runs are going on
}

// A present is what a resolver knows at one moment; it is swapped whole.
type present struct {
	history   string
	snapshot  *Snapshot
	confirmed time.Time // every change committed before it is in the snapshot; zero where that cannot be said
	failure   error     // of the last attempt to catch up, nil where it succeeded
}

// Open loads the whole policy of a store and returns a resolver that serves it. Where anything is wrong with the store,
// with any statement or with the options, there is no resolver. Open starts no goroutine: call Run in one of your own
// so that changes made elsewhere arrive.
func Open(ctx context.Context, store Store, c *Catalog, o *Options) (*Resolver, error) {
	if o == nil {
		o = &Options{}
	}
	ps := o.problems()
	if store == nil {
		ps = append(ps, problem(ErrInvalid, "resolver", "", "a resolver needs a store"))
	}
	if err := ps.err(); err != nil {
		return nil, fmt.Errorf("open resolver: %w", err)
	}
	r := &Resolver{
		store: store, catalog: c, clock: o.Clock, maxStaleness: o.MaxStaleness, poll: o.Poll, timeout: o.Timeout,
		observe: o.Observe, meter: o.Meter, turn: make(chan struct{}, 1),
	}
	if r.clock == nil {
		r.clock = time.Now
	}
	if r.poll == 0 {
		r.poll = defaultPoll
		if r.maxStaleness > 0 {
			r.poll = max(r.maxStaleness/3, 1)
		}
	}
	if r.timeout == 0 {
		r.timeout = defaultTimeout
		if r.maxStaleness > 0 {
			r.timeout = min(defaultTimeout, max(r.maxStaleness, leastTimeout))
		}
	}
	loaded, err := r.load(ctx)
	if err != nil {
		return nil, fmt.Errorf("open resolver: %w", err)
	}
	r.current.Store(&loaded)
	return r, nil
}

// Check says whether who may do p at t, now: nil for yes, an error that is ErrDenied for no (a *DeniedError), another
// error where that could not be found out. Facts answer conditions; without them none holds.
func (r *Resolver) Check(ctx context.Context, who Subject, p Permission, t Scope, facts ...Facts) error {
	var use inkling
	if r.meter != nil {
		use = r.meter.ahead(&who, &p, &t)
	}
	c, err := r.check(ctx, &who, &p, &t, facts)
	if err == nil && r.meter != nil {
		r.meter.record(use, &who, &p, &t)
	}
	if r.observe != nil {
		r.tell(ctx, &Observation{Subject: who, Permission: p, Scope: t, Revision: c.revision(), Err: err})
	}
	return err
}

// check takes what is large by reference, so that a check that nobody observes does not copy it once more.
func (r *Resolver) check(ctx context.Context, who *Subject, p *Permission, t *Scope, facts []Facts) (*present, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c := r.current.Load()
	i := instant{clock: r.clock}
	if err := r.fresh(c, &i); err != nil {
		return nil, err
	}
	err := c.snapshot.check(&i, who, p, t, facts)
	if reason, no := err.(Reason); no {
		err = &DeniedError{*who, *p, *t, reason, c.snapshot.Revision()}
	}
	return c, err
}

// tell tells the observer, which gets a copy.
func (r *Resolver) tell(ctx context.Context, o *Observation) { r.observe(ctx, *o) }

// revision returns the revision of what was asked, zero where nothing could be.
func (p *present) revision() Revision {
	if p == nil {
		return 0
	}
	return p.snapshot.Revision()
}

// Decide answers a request with its reasons. A zero Request.Now is the present instant. Where the error is not nil the
// question could not be answered, and the Decision denies.
func (r *Resolver) Decide(ctx context.Context, q Request) (Decision, error) {
	var use inkling
	if r.meter != nil {
		use = r.meter.ahead(&q.Subject, &q.Permission, &q.Scope)
	}
	d, err := r.decide(ctx, q)
	if d.Allowed() && r.meter != nil {
		r.meter.record(use, &q.Subject, &q.Permission, &q.Scope)
	}
	if r.observe != nil {
		o := Observation{Subject: q.Subject, Actor: q.Actor, Permission: q.Permission, Scope: q.Scope, Err: err}
		if err == nil {
			shown := d // so that an answer that nobody observes stays where it is
			o.Revision, o.Err, o.Decision = d.Revision(), d.Err(), &shown
		}
		r.observe(ctx, o)
	}
	return d, err
}

func (r *Resolver) decide(ctx context.Context, q Request) (Decision, error) {
	if err := ctx.Err(); err != nil {
		return Decision{}, err
	}
	c := r.current.Load()
	i := instant{clock: r.clock}
	if err := r.fresh(c, &i); err != nil {
		return Decision{}, err
	}
	return c.snapshot.decide(&i, q)
}

// Snapshot returns the policy as it is now, for many questions that must agree with each other. It stays as it is:
// whoever keeps it decides for how long that is fresh enough.
func (r *Resolver) Snapshot() (*Snapshot, error) {
	c := r.current.Load()
	i := instant{clock: r.clock}
	if err := r.fresh(c, &i); err != nil {
		return nil, err
	}
	return c.snapshot.At(i.now()), nil
}

// Revision returns the revision of the policy that the resolver has.
func (r *Resolver) Revision() Revision {
	if c := r.current.Load(); c != nil {
		return c.snapshot.Revision()
	}
	return 0
}

// Health is the state of a resolver, for probes and metrics.
type Health struct {
	History   string        // the store's line of revisions
	Revision  Revision      // what is being served, if it is not too stale
	Confirmed time.Time     // when the resolver last knew that nothing newer was committed; zero where it cannot say
	Age       time.Duration // the time since then
	Stale     bool          // checks fail with ErrStale
	Err       error         // why the last attempt to catch up failed, nil where it did not
}

// Health returns the present state. It does not ask the store.
func (r *Resolver) Health() Health {
	c := r.current.Load()
	if c == nil {
		return Health{Stale: true}
	}
	i := instant{clock: r.clock}
	h := Health{History: c.history, Revision: c.snapshot.Revision(), Confirmed: c.confirmed, Err: c.failure}
	if !c.confirmed.IsZero() {
		h.Age = elapsed(c.confirmed, i.now())
	}
	h.Stale = r.fresh(c, &i) != nil
	return h
}

// fresh returns nil where c may still answer. The caller loads c before the clock is read, so that a clock that does
// not go back never shows an instant before the confirmation.
func (r *Resolver) fresh(c *present, i *instant) error {
	switch {
	case c == nil:
		return errNotOpened
	case r.maxStaleness == 0:
		return nil
	case c.confirmed.IsZero():
		return fmt.Errorf("policy is not known to be fresh since the clock went back: %w", ErrStale)
	}
	age := elapsed(c.confirmed, i.now())
	if age < 0 {
		r.distrust(c)
	}
	if age < 0 || age > r.maxStaleness {
		return r.stale(c)
	}
	return nil
}

func (r *Resolver) stale(c *present) error {
	hint := ""
	if r.following.Load() == 0 {
		hint = ", and nothing follows the store: keep Run going"
	}
	return fmt.Errorf("policy was last confirmed at %s%s: %w", c.confirmed.UTC().Format(time.RFC3339), hint, ErrStale)
}

// errNotOpened is the answer of a zero Resolver.
var errNotOpened = fmt.Errorf("the resolver was not made by Open: %w", ErrStale)

// elapsed is the longer of wall and monotonic time: the first misses steps back, the second a machine asleep.
func elapsed(from, to time.Time) time.Duration {
	return max(to.Sub(from), to.Round(0).Sub(from.Round(0)))
}

// distrust forgets the confirmation of c, so that a clock that went back does not make it look fresh again later.
func (r *Resolver) distrust(c *present) {
	doubtful := *c
	doubtful.confirmed = time.Time{}
	r.current.CompareAndSwap(c, &doubtful)
}

// swap puts what change makes of the present in its place, whatever else happens meanwhile.
func (r *Resolver) swap(change func(p *present)) {
	for {
		old := r.current.Load()
		next := *old
		change(&next)
		if r.current.CompareAndSwap(old, &next) {
			return
		}
	}
}

// WaitFor returns when the resolver has that revision or a later one, catching up with the store as needed. So one who
// was told of a revision by another process does not read what was before it. It returns the store's first error, or
// that of ctx. A revision counts within one history of the store only.
func (r *Resolver) WaitFor(ctx context.Context, revision Revision) error {
	if r.current.Load() == nil {
		return errNotOpened
	}
	var pauses backoff.Pauses
	there := func() bool { return r.Revision() >= revision }
	for told := false; !there(); {
		before := r.Revision()
		err := r.refresh(ctx, there)
		if told && r.Revision() == before {
			pauses.Wait(ctx, firstPause, r.poll)
		}
		if err == nil && !there() {
			told, err = r.wait(ctx, r.Revision())
		}
		if err != nil && !there() {
			return fmt.Errorf("wait for revision %d: %w", revision, err)
		}
	}
	return nil
}

// Changes subscribes to what is committed, by anybody, after a revision: first the history, then each change as it
// comes, without gaps or repetitions. When an entry is yielded the resolver already answers with it, or with a later
// one. The sequence ends silently when ctx ends, otherwise with an error: ErrCompacted where the store no longer has
// what follows, or another history; after any other error, subscribe again after the last revision seen.
func (r *Resolver) Changes(ctx context.Context, after Revision) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		err := r.subscribe(ctx, after, func(e Entry) bool { return yield(e, nil) })
		if err != nil && ctx.Err() == nil {
			yield(Entry{}, fmt.Errorf("follow changes: %w", err))
		}
	}
}

// stillOn returns nil where the store is on that history, as far as it tells.
func (r *Resolver) stillOn(ctx context.Context, history string) error {
	same, err := r.sameHistory(ctx, history)
	if err == nil && !same {
		return errAnotherHistory()
	}
	return err
}

func errAnotherHistory() error { return fmt.Errorf("the store has another history: %w", ErrCompacted) }

// subscribe returns nil when yield has had enough.
func (r *Resolver) subscribe(ctx context.Context, after Revision, yield func(Entry) bool) error {
	start := r.current.Load()
	if start == nil {
		return errNotOpened
	}
	var pauses backoff.Pauses
	for told := false; ; {
		before := after
		for e, err := range r.store.Changes(ctx, after) {
			switch {
			case err != nil:
				return err
			case e.Revision <= after:
				continue
			case e.Revision != after+1:
				return fmt.Errorf("the store's changes jump from revision %d to %d", after, e.Revision)
			}
			if after == before {
				if err := r.stillOn(ctx, start.history); err != nil {
					return err
				}
			}
			if err := r.WaitFor(ctx, e.Revision); err != nil {
				return err
			}
			if r.current.Load().history != start.history {
				return errAnotherHistory()
			}
			if !yield(e) {
				return nil
			}
			after = e.Revision
		}
		switch {
		case after > before:
			pauses = backoff.Pauses{}
		case told:
			pauses.Wait(ctx, firstPause, r.poll)
		}
		var err error
		if told, err = r.wait(ctx, after); err != nil {
			return err
		}
	}
}
