package rolecall

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// How a resolver waits where its Options say nothing.
const (
	defaultPoll    = 10 * time.Second
	defaultTimeout = 30 * time.Second
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
	// is given up. Zero is thirty seconds.
	Timeout time.Duration
	// Observe is told of every answer of Check and Decide. Nil costs nothing to speak of.
	Observe Observer
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
	current      atomic.Pointer[present]
	turn         chan struct{} // held by the one who catches up
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
	if err := o.problems().err(); err != nil {
		return nil, fmt.Errorf("open resolver: %w", err)
	}
	r := &Resolver{
		store: store, catalog: c, clock: o.Clock, maxStaleness: o.MaxStaleness, poll: o.Poll, timeout: o.Timeout,
		observe: o.Observe, turn: make(chan struct{}, 1),
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
	c, err := r.check(ctx, who, p, t, facts)
	if r.observe != nil {
		r.observe(ctx, Observation{Subject: who, Permission: p, Scope: t, Revision: c.revision(), Err: err})
	}
	return err
}

func (r *Resolver) check(ctx context.Context, who Subject, p Permission, t Scope, facts []Facts) (*present, error) {
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
		err = &DeniedError{who, p, t, reason, c.snapshot.Revision()}
	}
	return c, err
}

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
	d, err := r.decide(ctx, q)
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
		return fmt.Errorf("policy was last confirmed at %s: %w", c.confirmed.UTC().Format(time.RFC3339), ErrStale)
	}
	return nil
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

// advance serves s where it is later than what is there, and never the other way round. A confirmed that is not zero
// says that s holds every change committed before that instant.
func (r *Resolver) advance(history string, s *Snapshot, confirmed time.Time) {
	now := r.clock()
	r.swap(func(p *present) {
		if p.history != history {
			return
		}
		if s.Revision() > p.snapshot.Revision() {
			p.snapshot = s
		}
		if confirmed.IsZero() {
			return
		}
		if confirmed.After(p.confirmed) || now.Before(p.confirmed) {
			p.confirmed = confirmed
		}
		p.failure = nil
	})
}

// Refresh brings the resolver up to what the store has now. Several callers take turns.
func (r *Resolver) Refresh(ctx context.Context) error {
	if r.current.Load() == nil {
		return errNotOpened
	}
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return fmt.Errorf("refresh policy: %w", ctx.Err())
	}
	if err := r.catchUp(ctx); err != nil {
		err = fmt.Errorf("refresh policy: %w", err)
		if ctx.Err() == nil {
			r.swap(func(p *present) { p.failure = err })
		}
		return err
	}
	return nil
}

// A brokenFeed is a feed that does not continue the snapshot: only a full load helps.
type brokenFeed struct{ error }

func (b brokenFeed) Unwrap() error { return b.error }

// catchUp applies what the feed has, and loads everything anew where that does not work. Where the feed is cut in the
// middle what came before the cut counts, but confirms nothing.
func (r *Resolver) catchUp(ctx context.Context) error {
	began := r.clock()
	at := r.current.Load()
	next, feed := r.follow(ctx, at.snapshot)
	same, err := r.sameHistory(ctx, at.history)
	if err != nil {
		return errors.Join(feed, err)
	}
	if _, broken := errors.AsType[brokenFeed](feed); broken || !same || errors.Is(feed, ErrCompacted) {
		return r.reload(ctx, at)
	}
	if feed != nil {
		r.advance(at.history, next, time.Time{})
		return feed
	}
	r.advance(at.history, next, began)
	return nil
}

// follow returns s with the later entries of the store applied, as far as it came. Entries that s already has are
// skipped.
func (r *Resolver) follow(ctx context.Context, s *Snapshot) (*Snapshot, error) {
	err := r.patiently(ctx, func(ctx context.Context, alive func()) error {
		for e, err := range r.store.Changes(ctx, s.Revision()) {
			if err != nil {
				return err
			}
			alive()
			if e.Revision <= s.Revision() {
				continue
			}
			if e.Revision != s.Revision()+1 {
				return brokenFeed{fmt.Errorf("the store's changes jump from revision %d to %d", s.Revision(), e.Revision)}
			}
			next, err := s.Apply(e)
			if err != nil {
				return brokenFeed{err}
			}
			s = next
		}
		return nil
	})
	return s, err
}

// A HistoryStore is a Store that tells its history without handing out the policy. A resolver asks it after reading
// changes, and so notices a store that was restored to an earlier point and has moved on from there; with other stores
// it notices when their Changes yield ErrCompacted.
type HistoryStore interface {
	Store
	// History returns what Load returns as State.History.
	History(ctx context.Context) (string, error)
}

func (r *Resolver) sameHistory(ctx context.Context, history string) (bool, error) {
	store, able := r.store.(HistoryStore)
	if !able {
		return true, nil
	}
	now, err := store.History(ctx)
	return now == history, err
}

// reload replaces the present, which was at, by the whole policy of the store. A store that is behind at in the same
// history is refused. What this resolver committed meanwhile stays.
func (r *Resolver) reload(ctx context.Context, at *present) error {
	loaded, err := r.load(ctx)
	if err != nil {
		return err
	}
	if was, is := at.snapshot.Revision(), loaded.snapshot.Revision(); loaded.history == at.history && is < was {
		return fmt.Errorf("the store is at revision %d, behind revision %d that it had before", is, was)
	}
	r.swap(func(p *present) {
		if p.history != loaded.history || p.snapshot.Revision() <= loaded.snapshot.Revision() {
			*p = loaded
		}
	})
	return nil
}

func (r *Resolver) load(ctx context.Context) (present, error) {
	p := present{confirmed: r.clock()}
	err := r.patiently(ctx, func(ctx context.Context, alive func()) error {
		st, err := r.store.Load(ctx)
		if err != nil {
			return err
		}
		if st.Statements == nil {
			return errors.New("the store hands out a state without statements")
		}
		st.Statements = whileAlive(ctx, st.Statements, alive)
		p.history = st.History
		p.snapshot, err = LoadSnapshot(r.catalog, st)
		return err
	})
	if err != nil {
		return present{}, fmt.Errorf("load policy: %w", err)
	}
	return p, nil
}

// whileAlive passes statements on, says of each that the store is alive, and ends with the error of ctx.
func whileAlive(ctx context.Context, in iter.Seq2[Statement, error], alive func()) iter.Seq2[Statement, error] {
	return func(yield func(Statement, error) bool) {
		for s, err := range in {
			alive()
			if err == nil {
				err = ctx.Err()
			}
			if !yield(s, err) || err != nil {
				return
			}
		}
	}
}

// patiently runs do under a context that ends when do has not called alive for the resolver's timeout (at most twice
// that, because alive is called once a statement and so only leaves a mark).
func (r *Resolver) patiently(ctx context.Context, do func(ctx context.Context, alive func()) error) error {
	stalled := fmt.Errorf("the store handed out nothing for %v", r.timeout)
	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var moved atomic.Bool
	var timer *time.Timer
	timer = time.AfterFunc(math.MaxInt64, func() {
		if !moved.Swap(false) {
			cancel(stalled)
			return
		}
		timer.Reset(r.timeout)
	})
	timer.Reset(r.timeout)
	defer timer.Stop()
	err := do(inner, func() { moved.Store(true) })
	if err != nil && context.Cause(inner) == stalled {
		return fmt.Errorf("%w: %w", stalled, err)
	}
	return err
}

// Run keeps the resolver at what the store has until ctx ends, and returns the error of ctx. Errors do not end it: it
// tries again, after pauses that grow from 20 ms to Options.Poll, and Health tells them meanwhile.
func (r *Resolver) Run(ctx context.Context) error {
	if r.current.Load() == nil {
		return errNotOpened
	}
	var pauses backoff
	for ctx.Err() == nil {
		err := r.Refresh(ctx)
		if err == nil {
			err = r.idle(ctx)
		}
		if err == nil {
			pauses = backoff{}
			continue
		}
		pauses.pause(ctx, r.poll)
	}
	return ctx.Err()
}

// errNothingNew is a store that says it has something new and has not.
var errNothingNew = errors.New("the store tells of a later revision but has none")

// idle waits for news from the store and takes it in, until an attempt fails.
func (r *Resolver) idle(ctx context.Context) error {
	for {
		before := r.Revision()
		told, err := r.wait(ctx, before)
		if err != nil {
			return err
		}
		if err := r.Refresh(ctx); err != nil {
			return err
		}
		if told && r.Revision() == before {
			return errNothingNew
		}
	}
}

// wait waits until the store tells of a revision later than after, or until it is time to look again (false).
func (r *Resolver) wait(ctx context.Context, after Revision) (told bool, err error) {
	timed, cancel := context.WithTimeout(ctx, r.poll)
	defer cancel()
	err = r.store.Wait(timed, after)
	if err != nil && timed.Err() != nil && ctx.Err() == nil {
		return false, nil
	}
	return err == nil, err
}

// A backoff is how long to wait after failures in a row. The zero backoff has seen none.
type backoff struct{ next time.Duration }

// pause waits, each time about twice as long as the last time, at most about longest, or until ctx ends.
func (b *backoff) pause(ctx context.Context, longest time.Duration) {
	b.next = min(max(2*b.next, firstPause), longest)
	timer := time.NewTimer(b.next/2 + rand.N(b.next/2+1))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// WaitFor returns when the resolver has that revision or a later one, catching up with the store as needed. So one who
// was told of a revision by another process does not read what was before it. It returns the store's first error, or
// that of ctx. A revision counts within one history of the store only.
func (r *Resolver) WaitFor(ctx context.Context, revision Revision) error {
	if r.current.Load() == nil {
		return errNotOpened
	}
	var pauses backoff
	for told := false; r.Revision() < revision; {
		before := r.Revision()
		err := r.Refresh(ctx)
		if told && r.Revision() == before {
			pauses.pause(ctx, r.poll)
		}
		if err == nil && r.Revision() < revision {
			told, err = r.wait(ctx, r.Revision())
		}
		if err != nil && r.Revision() < revision {
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

// subscribe returns nil when yield has had enough.
func (r *Resolver) subscribe(ctx context.Context, after Revision, yield func(Entry) bool) error {
	start := r.current.Load()
	if start == nil {
		return errNotOpened
	}
	var pauses backoff
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
			if err := r.WaitFor(ctx, e.Revision); err != nil {
				return err
			}
			if r.current.Load().history != start.history {
				return fmt.Errorf("the store has another history: %w", ErrCompacted)
			}
			if !yield(e) {
				return nil
			}
			after = e.Revision
		}
		if told && after == before {
			pauses.pause(ctx, r.poll)
		}
		var err error
		if told, err = r.wait(ctx, after); err != nil {
			return err
		}
	}
}

// Update changes the policy: fn gets the present policy and says what to change, which is judged and committed. Where
// somebody else committed meanwhile fn is asked again with what is there then, until ctx ends; so fn must do nothing
// but look and answer. Update returns the revision committed, which this resolver enforces from then on. A change that
// alters nothing is not committed: the revision is then that of the policy that already is so.
//
// The change is made with m, at the present instant where m.Time is zero; fn leaves its Change.Meta empty. An error of
// fn, or a refusal, is returned once it is known not to rest on an outdated snapshot. An error of the store other than
// a conflict may leave it unknown whether the change was kept: the resolver finds out when it next catches up.
func (r *Resolver) Update(ctx context.Context, m Meta, fn func(*Snapshot) (Change, error)) (Revision, error) {
	u := update{r: r, meta: m, fn: fn}
	for {
		revision, done, err := u.attempt(ctx)
		if err != nil {
			return 0, fmt.Errorf("update policy: %w", err)
		}
		if done {
			return revision, nil
		}
	}
}

// An update is one call of Update over its attempts.
type update struct {
	r       *Resolver
	meta    Meta
	fn      func(*Snapshot) (Change, error)
	current bool // the resolver has caught up since the call began
	pauses  backoff
}

// attempt makes one try. Neither done nor an error says: try again.
func (u *update) attempt(ctx context.Context) (revision Revision, done bool, err error) {
	if err := ctx.Err(); err != nil {
		return 0, false, err
	}
	base := u.r.current.Load()
	if base == nil {
		return 0, false, errNotOpened
	}
	p, refusal := u.propose(base.snapshot)
	if p == nil {
		return u.conclude(ctx, base, refusal)
	}
	began := u.r.clock()
	err = u.r.store.Commit(ctx, p)
	if err == nil {
		u.r.advance(base.history, p.Next(), began)
		return p.Next().Revision(), true, nil
	}
	if !errors.Is(err, ErrConflict) {
		return 0, false, fmt.Errorf("commit: %w", err)
	}
	moved, err := u.catchUp(ctx, base)
	if err == nil && !moved {
		u.pauses.pause(ctx, u.r.poll)
	}
	return 0, false, err
}

// conclude ends an update that has nothing to commit, or begins it again where it was judged on what is no longer so.
func (u *update) conclude(ctx context.Context, base *present, refusal error) (Revision, bool, error) {
	if !u.current {
		moved, err := u.catchUp(ctx, base)
		switch {
		case err != nil && refusal == nil:
			return 0, false, err
		case moved:
			return 0, false, nil
		}
	}
	return base.snapshot.Revision(), refusal == nil, refusal
}

func (u *update) catchUp(ctx context.Context, base *present) (moved bool, err error) {
	err = u.r.Refresh(ctx)
	u.current = u.current || err == nil
	return u.r.current.Load().snapshot != base.snapshot, err
}

// propose returns nothing where there is nothing to change.
func (u *update) propose(base *Snapshot) (*Proposal, error) {
	m, now := u.meta, u.r.clock()
	if m.Time.IsZero() {
		m.Time = now
	}
	base = base.At(now)
	change, err := u.fn(base)
	if err != nil {
		return nil, err
	}
	if change.Meta != (Meta{}) && change.Meta != u.meta {
		return nil, problem(ErrInvalid, "change", "", "who changes the policy, why and when is said to Update, not in the change that it is given")
	}
	if len(change.Edits) == 0 {
		return nil, nil
	}
	change.Meta = m
	p, err := base.Propose(change)
	if err != nil {
		return nil, err
	}
	if len(p.Entry().Deltas) == 0 {
		return nil, nil
	}
	return p, nil
}
