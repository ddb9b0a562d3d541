// Package memstore keeps a policy and its history in memory: for tests, for examples, and for hosts that build their
// policy at start.
//
//	r, err := rolecall.Open(ctx, memstore.New(), catalog, nil)
//
// Nothing survives the process. Several resolvers may share one store; each learns of what the others commit by its Run.
package memstore

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"iter"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/rolecall-go/rolecall"
)

// checkpointEvery is the number of revisions between two of which the whole snapshot is kept. Snapshots share what did
// not change between them, so a kept one costs about what was changed since the one before.
const checkpointEvery = 256

// Options bound what a store keeps.
type Options struct {
	// History is the number of changes to keep, the latest ones. Zero keeps all. What is older is compacted: Changes,
	// At and AtTime answer ErrCompacted for it. A negative number keeps none.
	History int
	// Line names the line of revisions, as State.History tells it. Empty is a name that no other store has. Where the
	// snapshot that the store starts with is on a line, and this store alone goes on with it, give its name: what was
	// judged on the snapshot can then be committed.
	Line string
}

// A Store is a rolecall.Store in memory. It is safe for concurrent use; it must not be copied.
type Store struct {
	history string
	keep    int // 0: everything, otherwise the number of entries to offer, -1: none

	mu       sync.Mutex
	revision rolecall.Revision
	current  *rolecall.Snapshot // nil where nothing was ever said
	oldest   rolecall.Revision  // the earliest revision on offer
	first    rolecall.Revision  // the revision before records[0]; at most oldest
	base     *rolecall.Snapshot // the policy at first, nil where it is empty
	records  []record           // one a revision, never changed once there
	dropped  time.Time          // the latest of the times of the entries before records[0], zero where there were none
	changed  chan struct{}      // closed by the next commit
}

type record struct {
	entry    rolecall.Entry
	latest   time.Time          // of the times of all entries up to this one
	snapshot *rolecall.Snapshot // at this revision; nil but at checkpoints
}

// New returns an empty store, at revision 0, that keeps its whole history.
func New() *Store { return NewWithOptions(nil, nil) }

// With returns a store that starts with the policy of snapshot, at its revision, without a history of how it came to be. A
// policy at revision 0 has none: AtTime takes it as having been so always. Of a later one AtTime can tell of no instant
// before the first change that the store keeps. A nil snapshot is an empty policy at revision 0.
func With(snapshot *rolecall.Snapshot) *Store { return NewWithOptions(snapshot, nil) }

// NewWithOptions returns a store that starts with the policy of snapshot. Nil options keep everything.
func NewWithOptions(snapshot *rolecall.Snapshot, o *Options) *Store {
	s := &Store{history: rand.Text(), current: snapshot, base: snapshot, changed: make(chan struct{})}
	if snapshot != nil {
		s.revision = snapshot.Revision()
		s.oldest, s.first = s.revision, s.revision
	}
	if o != nil {
		s.keep = max(o.History, -1)
		s.history = cmp.Or(o.Line, s.history)
	}
	return s
}

// History returns the identity of the store's line of revisions, which is another one for every store: see Options.Line.
func (s *Store) History(ctx context.Context) (string, error) { return s.history, ctx.Err() }

// Load returns the present policy.
func (s *Store) Load(ctx context.Context) (rolecall.State, error) {
	if err := ctx.Err(); err != nil {
		return rolecall.State{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state(ctx, s.revision, s.current, nil), nil
}

// Commit keeps p as the next revision, or returns ErrConflict where the store is not at its base.
func (s *Store) Commit(ctx context.Context, p *rolecall.Proposal) error {
	entry := cloneEntry(p.Entry())
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if p.Base() != s.revision {
		return fmt.Errorf("commit to revision %d, but the store is at %d: %w", p.Base(), s.revision, rolecall.ErrConflict)
	}
	if h := p.History(); h != s.history {
		return fmt.Errorf("commit on history %s, but the store is on %s: %w", h, s.history, rolecall.ErrConflict)
	}
	s.revision, s.current = p.Next().Revision(), p.Next()
	s.append(entry)
	s.compact()
	close(s.changed)
	s.changed = make(chan struct{})
	return nil
}

func (s *Store) append(e rolecall.Entry) {
	r := record{entry: e, latest: e.Time}
	before := s.dropped
	if n := len(s.records); n > 0 {
		before = s.records[n-1].latest
	}
	if !before.IsZero() && before.After(r.latest) {
		r.latest = before
	}
	// An empty store has no snapshot to build on, so its first revision is a checkpoint too.
	if e.Revision%checkpointEvery == 0 || len(s.records) == 0 && s.base == nil {
		r.snapshot = s.current
	}
	s.records = append(s.records, r)
}

// compact moves oldest on, and drops what lies before the last checkpoint that is not later than oldest.
func (s *Store) compact() {
	if s.keep == 0 {
		return
	}
	if keep := rolecall.Revision(max(s.keep, 0)); s.revision > keep {
		s.oldest = max(s.oldest, s.revision-keep)
	}
	for i := int(s.oldest-s.first) - 1; i >= 0; i-- {
		if at := s.records[i].snapshot; at != nil {
			s.base, s.first, s.dropped = at, at.Revision(), s.records[i].latest
			s.records = slices.Clone(s.records[i+1:]) // readers may still hold the old ones
			return
		}
	}
}

// Changes yields the entries after a revision, oldest first, up to the present of the call.
func (s *Store) Changes(ctx context.Context, after rolecall.Revision) iter.Seq2[rolecall.Entry, error] {
	return func(yield func(rolecall.Entry, error) bool) {
		records, err := s.after(after)
		if err != nil {
			yield(rolecall.Entry{}, err)
			return
		}
		for _, r := range records {
			if err := ctx.Err(); err != nil {
				yield(rolecall.Entry{}, err)
				return
			}
			if !yield(cloneEntry(r.entry), nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(rolecall.Entry{}, err)
		}
	}
}

func (s *Store) after(revision rolecall.Revision) ([]record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.offers(revision); err != nil {
		return nil, err
	}
	return s.records[revision-s.first:], nil
}

// offers says whether the store can tell of that revision. The caller holds the lock.
func (s *Store) offers(revision rolecall.Revision) error {
	if revision < s.oldest || revision > s.revision {
		return fmt.Errorf("revision %d: the history at hand is from %d to %d: %w", revision, s.oldest, s.revision, rolecall.ErrCompacted)
	}
	return nil
}

// Wait returns when the store has a revision later than after.
func (s *Store) Wait(ctx context.Context, after rolecall.Revision) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		s.mu.Lock()
		later, changed := s.revision > after, s.changed
		s.mu.Unlock()
		if later {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// At returns the policy as it was at a revision, or ErrCompacted where that is not kept or not there yet. To ask it
// questions:
//
//	state, err := store.At(ctx, revision)
//	…
//	snapshot, err := rolecall.LoadSnapshot(catalog, state)
func (s *Store) At(ctx context.Context, revision rolecall.Revision) (rolecall.State, error) {
	if err := ctx.Err(); err != nil {
		return rolecall.State{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at(ctx, revision)
}

// AtTime returns the policy as it was at an instant: what stood before the first change that was made after it, by the
// times of the changes. ErrCompacted says that this is no longer known.
func (s *Store) AtTime(ctx context.Context, t time.Time) (rolecall.State, error) {
	if err := ctx.Err(); err != nil {
		return rolecall.State{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.dropped.IsZero() && t.Before(s.dropped) {
		return rolecall.State{}, s.offers(s.oldest - 1)
	}
	n := sort.Search(len(s.records), func(i int) bool { return s.records[i].latest.After(t) })
	if n == 0 && s.first > 0 && s.dropped.IsZero() {
		return rolecall.State{}, fmt.Errorf("since when the policy was as at revision %d, with which the store began, is not known: %w", s.first, rolecall.ErrCompacted)
	}
	return s.at(ctx, s.first+rolecall.Revision(n))
}

func (s *Store) at(ctx context.Context, revision rolecall.Revision) (rolecall.State, error) {
	if err := s.offers(revision); err != nil {
		return rolecall.State{}, err
	}
	if revision == s.revision {
		return s.state(ctx, revision, s.current, nil), nil
	}
	base, since := s.base, s.records[:revision-s.first]
	for i := len(since) - 1; i >= 0; i-- {
		if since[i].snapshot != nil {
			base, since = since[i].snapshot, since[i+1:]
			break
		}
	}
	return s.state(ctx, revision, base, since), nil
}

// state returns the policy of base with the changes of since.
func (s *Store) state(ctx context.Context, revision rolecall.Revision, base *rolecall.Snapshot, since []record) rolecall.State {
	return rolecall.State{
		History:  s.history,
		Revision: revision,
		Statements: func(yield func(rolecall.Statement, error) bool) {
			for st := range replay(base, since) {
				if err := ctx.Err(); err != nil {
					yield(nil, err)
					return
				}
				if !yield(cloneStatement(st), nil) {
					return
				}
			}
		},
	}
}

// replay yields the statements of base, as the changes of since left them.
func replay(base *rolecall.Snapshot, since []record) iter.Seq[rolecall.Statement] {
	return func(yield func(rolecall.Statement) bool) {
		now := map[rolecall.StatementKey]rolecall.Statement{}
		for _, r := range since {
			for _, d := range r.entry.Deltas {
				now[d.Key()] = d.After
			}
		}
		if base != nil {
			for st := range base.Statements() {
				if _, changed := now[rolecall.KeyOf(st)]; !changed && !yield(st) {
					return
				}
			}
		}
		for _, st := range now {
			if st != nil && !yield(st) {
				return
			}
		}
	}
}
