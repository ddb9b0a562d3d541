package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/rolecall-go/rolecall"
)

// A Tx is a store inside a transaction of the host. It never begins, commits or rolls back.
type Tx struct {
	store   *Store
	session Session
}

// In binds the store to a transaction that the host has begun on the same database:
//
//	err := store.In(tx).Commit(ctx, proposal)
//
// The host's rows, the policy and the entry in the history are then kept together when the host commits, or not at all.
// Nothing else changes before that: a resolver learns of it as of any other commit. To enforce it at once call
// Resolver.WaitFor with the proposal's next revision once the transaction is committed.
func (s *Store) In(tx *sql.Tx) *Tx { return s.InSession(through{tx}) }

// InSession is In for a transaction of another kind.
func (s *Store) InSession(x Session) *Tx { return &Tx{s, x} }

// Commit writes p into the transaction. ErrConflict says that the policy has moved on; after that, as after any other
// error, roll the transaction back. Further proposals in the same transaction are based on p.Next.
//
// From here to the end of the transaction other commits to this policy wait. So call it last, and do nothing slow after
// it. In SQLite begin the transaction with BEGIN IMMEDIATE where it reads before it writes.
func (t *Tx) Commit(ctx context.Context, p *rolecall.Proposal) error {
	_, err := t.store.write(ctx, t.session, p, t.store.memory.last())
	return err
}

// hold keeps the policy where p begins until the transaction ends, or returns ErrConflict.
func (t *Tx) hold(ctx context.Context, p *rolecall.Proposal) error {
	was := t.store.memory.last()
	h, err := t.store.locked(ctx, t.session)
	if err != nil {
		return t.store.dialect.conflict(err)
	}
	if !h.at(p) || was.lost(h, was.stamp) {
		return movedOn(p)
	}
	return nil
}

// Load returns the policy as the transaction sees it, with what was committed in it. The transaction can do nothing else
// until the statements were read. Where each statement of the transaction sees the present (READ COMMITTED) and somebody
// commits meanwhile, they end with ErrConflict.
func (t *Tx) Load(ctx context.Context) (rolecall.State, error) {
	h, err := t.store.head(ctx, t.session)
	if err != nil {
		return rolecall.State{}, err
	}
	return rolecall.State{History: h.history, Revision: h.revision, Statements: func(yield func(rolecall.Statement, error) bool) {
		for st, err := range t.store.statements(ctx, t.session, h.policy) {
			if !yield(st, err) || err != nil {
				return
			}
		}
		if err := t.still(ctx, h); err != nil {
			yield(nil, err)
		}
	}}, nil
}

// still says that the policy stands where it did.
func (t *Tx) still(ctx context.Context, then head) error {
	now, err := t.store.head(ctx, t.session)
	if err == nil && now != then {
		err = fmt.Errorf("the policy went on from revision %d to %d while it was read: %w", then.revision, now.revision, rolecall.ErrConflict)
	}
	return err
}
