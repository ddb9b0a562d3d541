package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/rolecall-go/rolecall"
)

// At returns the policy as it was at a revision, or ErrCompacted where the history does not go back that far or the
// revision is not there yet. As after Load, the state holds a connection until its statements were read. To ask it
// questions:
//
//	state, err := store.At(ctx, revision)
//	…
//	snapshot, err := rolecall.LoadSnapshot(catalog, state)
func (s *Store) At(ctx context.Context, revision rolecall.Revision) (rolecall.State, error) {
	return s.moment(ctx, func(x Session, h head) (rolecall.Revision, stream, error) {
		return revision, s.as(ctx, x, h, revision), h.offers(revision)
	})
}

// AtTime returns the policy as it was at an instant: what stood before the first change that was made after it, by the
// times of the changes. ErrCompacted says that this is no longer known.
func (s *Store) AtTime(ctx context.Context, t time.Time) (rolecall.State, error) {
	return s.moment(ctx, func(x Session, h head) (rolecall.Revision, stream, error) {
		revision, err := s.revisionAt(ctx, x, h, t)
		return revision, s.as(ctx, x, h, revision), err
	})
}

// offers says whether the history tells of a revision.
func (h head) offers(r rolecall.Revision) error {
	if r < h.oldest || r > h.revision {
		return h.lacks(fmt.Sprintf("revision %d", r))
	}
	return nil
}

func (h head) lacks(what string) error {
	return fmt.Errorf("%s: the history at hand is from revision %d to %d: %w", what, h.oldest, h.revision, rolecall.ErrCompacted)
}

// revisionAt returns the last revision before the first change that was made after an instant.
func (s *Store) revisionAt(ctx context.Context, x Session, h head, t time.Time) (rolecall.Revision, error) {
	if instantText(t) < h.forgotten {
		return 0, h.lacks(t.String())
	}
	var next int64
	err := one(ctx, x, []any{&next}, s.dialect.sql("SELECT revision FROM {entry} WHERE policy = ? AND time > ? ORDER BY revision LIMIT 1"),
		h.policy, instantText(t))
	if errors.Is(err, sql.ErrNoRows) {
		return h.revision, nil
	}
	return rolecall.Revision(max(next, 1)) - 1, explain(ctx, err)
}

// as yields the policy of a revision: each statement that stands and was not touched since, and of each that was what
// the first change since then found.
func (s *Store) as(ctx context.Context, x Session, h head, revision rolecall.Revision) stream {
	if revision == h.revision {
		return s.statements(ctx, x, h.policy)
	}
	return s.bodies(ctx, x, `SELECT s.body FROM {statement} s WHERE s.policy = ? AND NOT EXISTS (
			SELECT 1 FROM {delta} d WHERE d.policy = s.policy AND d.hash = s.hash AND d.revision > ?)
		UNION ALL
		SELECT d.{before} FROM {delta} d WHERE d.policy = ? AND d.revision > ? AND d.{before} IS NOT NULL AND NOT EXISTS (
			SELECT 1 FROM {delta} e WHERE e.policy = d.policy AND e.hash = d.hash AND e.revision > ? AND e.revision < d.revision)`,
		h.policy, int64(revision), h.policy, int64(revision), int64(revision))
}
