package rolecall

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"sync/atomic"
	"time"

	"github.com/rolecall-go/rolecall/internal/backoff"
)

// How a resolver keeps up with its store: it catches up entry by entry, loads the whole policy anew where it must, and
// waits for more.

// advance serves s where it is later than what is there, and never the other way round. A confirmed that is not zero
// says that s holds every change committed before that instant.
func (r *Resolver) advance(history string, s *Snapshot, confirmed time.Time) {
	r.swap(func(p *present) {
		now := r.clock() // later than what p was confirmed by
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
	return r.refresh(ctx, func() bool { return false })
}

// refreshShared is Refresh for those who commit nothing: of several at once one looks for all that came before it did. Those
// who conflicted take turns, since all at once they would conflict again.
func (r *Resolver) refreshShared(ctx context.Context) error {
	before := r.looks.Load()
	return r.refresh(ctx, func() bool { return r.caughtUp.Load() > before })
}

// refresh is Refresh unless, once it is its turn, others have brought what it is for.
func (r *Resolver) refresh(ctx context.Context, done func() bool) error {
	if r.current.Load() == nil {
		return errNotOpened
	}
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return fmt.Errorf("refresh policy: %w", ctx.Err())
	}
	if done() {
		return nil
	}
	look := r.looks.Add(1)
	if err := r.catchUp(ctx); err != nil {
		err = fmt.Errorf("refresh policy: %w", err)
		if ctx.Err() == nil {
			r.swap(func(p *present) { p.failure = err })
		}
		return err
	}
	r.caughtUp.Store(look)
	return nil
}

// A brokenFeed is a feed that does not continue the snapshot: only a full load helps.
type brokenFeed struct{ cause error }

func (b brokenFeed) Error() string { return b.cause.Error() }
func (b brokenFeed) Unwrap() error { return b.cause }

// catchUp applies what the feed has, and loads everything anew where that does not work. Where the feed is cut in the
// middle, or goes on with what does not fit and cannot be loaded either, what came before counts, but confirms nothing.
func (r *Resolver) catchUp(ctx context.Context) error {
	began := r.clock()
	at := r.current.Load()
	next, feed := r.follow(ctx, at.snapshot)
	same, err := r.sameHistory(ctx, at.history)
	if err != nil {
		return errors.Join(feed, err)
	}
	if _, broken := errors.AsType[brokenFeed](feed); broken || !same || errors.Is(feed, ErrCompacted) {
		if err := r.reload(ctx, at); err != nil {
			if same {
				r.advance(at.history, next, time.Time{}) // what came before what does not fit
			}
			return err
		}
		return nil
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

func (r *Resolver) sameHistory(ctx context.Context, history string) (same bool, err error) {
	store, able := r.store.(HistoryStore)
	if !able {
		return true, nil
	}
	err = r.patiently(ctx, func(ctx context.Context, _ func()) error {
		now, err := store.History(ctx)
		same = now == history
		return err
	})
	return same && err == nil, err
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
	r.following.Add(1)
	defer r.following.Add(-1)
	var pauses backoff.Pauses
	for ctx.Err() == nil {
		err := r.Refresh(ctx)
		for err == nil {
			if err = r.idle(ctx); err == nil {
				pauses = backoff.Pauses{}
			}
		}
		pauses.Wait(ctx, firstPause, r.poll)
	}
	return ctx.Err()
}

// errNothingNew is a store that says it has something new and has not.
var errNothingNew = errors.New("the store tells of a later revision but has none")

// idle waits for news from the store, or until it is time to look, and takes in what there is.
func (r *Resolver) idle(ctx context.Context) error {
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
	return nil
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
