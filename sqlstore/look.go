package sqlstore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rolecall-go/rolecall"
)

// A head is where a policy stands.
type head struct {
	policy   int64
	history  string
	revision rolecall.Revision
	stamp    string            // of the entry of that revision
	oldest   rolecall.Revision // the history after it is kept

	forgotten string // the latest of the times of the changes that are not kept, as instantText
}

func (s *Store) head(ctx context.Context, x Session) (h head, err error) {
	var revision, oldest int64
	err = one(ctx, x, []any{&h.policy, &h.history, &revision, &h.stamp, &oldest, &h.forgotten},
		s.dialect.sql("SELECT id, history, revision, stamp, oldest, forgotten FROM {policy} WHERE tenant = ?"), s.options.Tenant)
	h.revision, h.oldest = rolecall.Revision(revision), rolecall.Revision(oldest)
	return h, explain(ctx, err)
}

// look reads where the policy stands, and notices a database that was restored to an earlier point: then what was there
// at the last look is there no more. It gives the line of revisions a new name in that case, once for all processes.
func (s *Store) look(ctx context.Context) (head, error) {
	for {
		was := s.memory.last()
		h, err := s.head(ctx, s.pool())
		if err != nil {
			return head{}, err
		}
		restored, err := s.restored(ctx, was, h)
		if err != nil {
			return head{}, err
		}
		if restored {
			err = s.pool().Exec(ctx, s.dialect.sql("UPDATE {policy} SET history = ? WHERE tenant = ? AND history = ?"),
				rand.Text(), s.options.Tenant, h.history)
			if err != nil {
				return head{}, fmt.Errorf("the database was restored to an earlier point and its history has to be renamed: %w", explain(ctx, err))
			}
			continue
		}
		if s.memory.note(was, h) {
			return h, nil
		}
	}
}

// restored says that h does not follow what was seen before.
func (s *Store) restored(ctx context.Context, was, h head) (bool, error) {
	switch {
	case was.history != h.history:
		return false, nil
	case h.revision <= was.revision:
		return h.revision < was.revision || h.stamp != was.stamp, nil
	case was.revision <= h.oldest:
		return false, nil
	}
	var stamp string
	err := one(ctx, s.pool(), []any{&stamp}, s.dialect.sql("SELECT stamp FROM {entry} WHERE policy = ? AND revision = ?"),
		h.policy, int64(was.revision))
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil // compacted meanwhile
	}
	return stamp != was.stamp, explain(ctx, err)
}

// History returns the name of the line of revisions. It changes when the database was restored to an earlier point.
func (s *Store) History(ctx context.Context) (string, error) {
	h, err := s.look(ctx)
	return h.history, err
}

// Wait returns when the store has a revision later than after: at once after a commit through this Store or after Wake,
// otherwise within Options.Poll.
func (s *Store) Wait(ctx context.Context, after rolecall.Revision) error {
	for {
		rung := s.bell.next()
		h, err := s.look(ctx)
		if err != nil || h.revision > after {
			return err
		}
		timer := time.NewTimer(s.options.Poll)
		select {
		case <-rung:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// Wake makes those who Wait look at once. Call it when something tells of a commit made elsewhere: LISTEN on
// Options.Channel, a message bus. A needless call costs a query for each who waits.
func (s *Store) Wake() { s.bell.ring() }

// A bell tells those who listen that they should look.
type bell struct {
	mu   *sync.Mutex
	rung *chan struct{}
}

func newBell() bell {
	c := make(chan struct{})
	return bell{new(sync.Mutex), &c}
}

func (b bell) next() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return *b.rung
}

func (b bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(*b.rung)
	*b.rung = make(chan struct{})
}
