package review

import (
	"context"
	"time"

	"github.com/rolecall-go/rolecall"
)

// AsOf returns the policy as it was at an instant, judged at that instant: who held what on 3 March? It answers as the
// policy of then would have. What that names and c no longer declares is taken as declared; what it gave by a star alone is
// not named, so to ask about a permission that is declared no longer pass a catalog that declares it still.
// rolecall.ErrCompacted says that the store can no longer tell.
func AsOf(ctx context.Context, store rolecall.PastStore, c *rolecall.Catalog, t time.Time) (*rolecall.Snapshot, error) {
	state, err := store.AtTime(ctx, t)
	if err != nil {
		return nil, err
	}
	s, err := load(c, state)
	if err != nil {
		return nil, err
	}
	return s.At(t), nil
}

// AtRevision returns the policy of a revision like AsOf. It has no instant yet: call Snapshot.At before it is asked.
func AtRevision(ctx context.Context, store rolecall.PastStore, c *rolecall.Catalog, revision rolecall.Revision) (*rolecall.Snapshot, error) {
	state, err := store.At(ctx, revision)
	if err != nil {
		return nil, err
	}
	return load(c, state)
}

// load makes a snapshot of a state that may name what is no longer declared.
func load(c *rolecall.Catalog, state rolecall.State) (*rolecall.Snapshot, error) {
	var statements []rolecall.Statement
	for one, err := range state.Statements {
		if err != nil {
			return nil, err
		}
		statements = append(statements, one)
	}
	wider, err := widened(c, statements)
	if err != nil {
		return nil, err
	}
	state.Statements = func(yield func(rolecall.Statement, error) bool) {
		for _, one := range statements {
			if !yield(one, nil) {
				return
			}
		}
	}
	return rolecall.LoadSnapshot(wider, state)
}
