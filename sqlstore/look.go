package sqlstore

import (
	"context"
	"crypto/rand"
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

func (s *Store) head(ctx context.Context, x Session) (head, error) {
	h, _, err := s.headAfter(ctx, x, head{})
	return h, err
}

// locked is head for a transaction in which the policy then stays where it is.
func (s *Store) locked(ctx context.Context, x Session) (h head, err error) {
	text := "SELECT id, history, revision, stamp, oldest, forgotten FROM {policy} WHERE tenant = ? FOR UPDATE"
	if s.dialect.kind == SQLite {
		text = "UPDATE {policy} SET revision = revision WHERE tenant = ? RETURNING id, history, revision, stamp, oldest, forgotten"
	}
	var revision, oldest int64
	err = one(ctx, x, []any{&h.policy, &h.history, &revision, &h.stamp, &oldest, &h.forgotten}, s.dialect.sql(text), s.options.Tenant)
	return s.named(h, revision, oldest), explain(ctx, err)
}

// headAfter returns the stamp of was's revision as well, as it is at the same moment; empty where there is none.
func (s *Store) headAfter(ctx context.Context, x Session, was head) (h head, then string, err error) {
	var revision, oldest int64
	err = one(ctx, x, []any{&h.policy, &h.history, &revision, &h.stamp, &oldest, &h.forgotten, &then},
		s.dialect.sql(`SELECT p.id, p.history, p.revision, p.stamp, p.oldest, p.forgotten,
			coalesce((SELECT e.stamp FROM {entry} e WHERE e.policy = p.id AND e.revision = ?), '')
		FROM {policy} p WHERE p.tenant = ?`), int64(was.revision), s.options.Tenant)
	return s.named(h, revision, oldest), then, explain(ctx, err)
}

// named completes a head that was read.
func (s *Store) named(h head, revision, oldest int64) head {
	h.history = s.memory.here(h.history)
	h.revision, h.oldest = rolecall.Revision(revision), rolecall.Revision(oldest)
	return h
}

// look reads where the policy stands, and notices a database that was restored to an earlier point: then what was there
// at the last look is there no more. It gives the line of revisions a new name in that case, once for all processes.
func (s *Store) look(ctx context.Context) (head, error) {
	for {
		was := s.memory.last()
		h, then, err := s.headAfter(ctx, s.pool(), was)
		switch {
		case err != nil:
			return head{}, err
		case was.lost(h, then):
			if err := s.rename(ctx, h); err != nil {
				return head{}, err
			}
		case s.memory.note(was, h):
			return h, nil
		}
	}
}

// lost says that was is not on the line that leads to h. What was there at its revision is known by its stamp, which is
// kept as long as Changes tell what came after it.
func (was head) lost(h head, then string) bool {
	switch {
	case was.history != h.history:
		return false
	case h.revision <= was.revision:
		return h.revision < was.revision || h.stamp != was.stamp
	case was.revision == 0 || was.revision < h.oldest:
		return false
	default:
		return then != was.stamp
	}
}

// rename gives the line of revisions that h is on a new name. Who may only read calls it so for itself.
func (s *Store) rename(ctx context.Context, h head) error {
	name, there := rand.Text(), s.memory.there(h.history)
	err := s.pool().Exec(ctx, s.dialect.sql("UPDATE {policy} SET history = ? WHERE tenant = ? AND history = ?"),
		name, s.options.Tenant, there)
	if s.dialect.mayOnlyRead(err) {
		s.memory.call(there, h.history, name)
		return nil
	}
	if err != nil {
		return fmt.Errorf("the database was restored to an earlier point and its history has to be renamed: %w", explain(ctx, err))
	}
	return nil
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
