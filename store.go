package rolecall

import (
	"context"
	"iter"
	"time"
)

// A State is a whole policy at one revision, as a store hands it out.
type State struct {
	// History identifies the line of revisions. It changes when a store was restored to an earlier point, after which
	// revisions no longer compare.
	History  string
	Revision Revision
	// Statements yields every statement once, in any order. An error ends it.
	Statements iter.Seq2[Statement, error]
}

// A Store keeps a policy and the history of its changes, and judges neither. Implementations are safe for concurrent
// use and honour the cancellation of ctx.
type Store interface {
	// Load returns the whole policy as of one moment during the call.
	Load(ctx context.Context) (State, error)
	// Commit keeps p as the next revision, atomically with its history entry. Where the store is no longer at p's base, or
	// p was judged on another line of revisions than the store's (p.History), it changes nothing and returns ErrConflict: a
	// proposal is judged on a snapshot of what the store handed out. Any other error may leave it unknown whether p was
	// kept. The store copies what it keeps of p.Entry: its deltas share their slices with snapshots.
	Commit(ctx context.Context, p *Proposal) error
	// Changes yields the history after a revision, oldest first, without gaps, and ends where the present is reached.
	// Where the history after that revision is no longer kept, or that revision is not in it, it yields ErrCompacted.
	Changes(ctx context.Context, after Revision) iter.Seq2[Entry, error]
	// Wait returns when the store has a revision later than after, or with the error of ctx.
	Wait(ctx context.Context, after Revision) error
}

// A PastStore is a Store that hands out the policy as it was. LoadSnapshot makes a snapshot of that, which answers the
// same questions as the present one.
type PastStore interface {
	Store
	// At returns the policy as it was at a revision, or ErrCompacted where the store can no longer tell, or is not
	// there yet.
	At(ctx context.Context, revision Revision) (State, error)
	// AtTime returns the policy as it was at an instant: what stood before the first change that was made after it, by
	// the times of the changes. Where that is no longer known it returns ErrCompacted.
	AtTime(ctx context.Context, t time.Time) (State, error)
}
