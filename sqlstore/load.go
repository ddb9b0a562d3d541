package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"

	"github.com/rolecall-go/rolecall"
)

// Load returns the policy of one moment. Its statements can be ranged over once; until then, or until ctx ends, the
// state holds a connection with a read transaction.
func (s *Store) Load(ctx context.Context) (rolecall.State, error) {
	return s.moment(ctx, func(x Session, h head) (rolecall.Revision, stream, error) {
		return h.revision, s.statements(ctx, x, h.policy), nil
	})
}

type stream = iter.Seq2[rolecall.Statement, error]

// moment opens a transaction that sees one moment, in which read says what state to hand out.
func (s *Store) moment(ctx context.Context, read func(x Session, h head) (rolecall.Revision, stream, error)) (rolecall.State, error) {
	tx, h, err := s.reading(ctx)
	if err != nil {
		return rolecall.State{}, err
	}
	revision, statements, err := read(through{tx}, h)
	if err != nil {
		return rolecall.State{}, errors.Join(err, rollback(tx))
	}
	return rolecall.State{History: h.history, Revision: revision, Statements: once(func(yield func(rolecall.Statement, error) bool) {
		defer rollback(tx)
		ahead(statements)(yield)
	})}, nil
}

// reading begins a transaction that sees one moment, and notes where the policy stands then: what is handed out later
// than the last look counts as seen, too. Where that cannot be noted it begins again.
func (s *Store) reading(ctx context.Context) (*sql.Tx, head, error) {
	for {
		was, err := s.look(ctx)
		if err != nil {
			return nil, head{}, err
		}
		tx, err := s.db.BeginTx(ctx, s.dialect.reading())
		if err != nil {
			return nil, head{}, explain(ctx, err)
		}
		h, then, err := s.headAfter(ctx, through{tx}, was)
		if err == nil && !was.lost(h, then) && s.memory.note(was, h) {
			return tx, h, nil
		}
		if err := errors.Join(err, rollback(tx)); err != nil {
			return nil, head{}, err
		}
	}
}

// rollback ends a transaction that may have ended.
func rollback(tx *sql.Tx) error {
	if err := tx.Rollback(); !errors.Is(err, sql.ErrTxDone) {
		return err
	}
	return nil
}

// once yields an error the second time.
func once(seq stream) stream {
	var used atomic.Bool
	return func(yield func(rolecall.Statement, error) bool) {
		if used.Swap(true) {
			yield(nil, errors.New("the statements of a state can be ranged over once; load it again"))
			return
		}
		seq(yield)
	}
}

func (s *Store) statements(ctx context.Context, x Session, policy int64) stream {
	return s.bodies(ctx, x, "SELECT body FROM {statement} WHERE policy = ?", policy)
}

// bodies yields the statements whose JSON a query answers with.
func (s *Store) bodies(ctx context.Context, x Session, query string, args ...any) stream {
	return func(yield func(rolecall.Statement, error) bool) {
		rows, err := x.Query(ctx, s.dialect.sql(query), args...)
		if err != nil {
			yield(nil, explain(ctx, err))
			return
		}
		defer rows.Close()
		read := newReader()
		var body []byte
		for rows.Next() {
			st, err := scanStatement(rows, &body, read)
			if !yield(st, explain(ctx, err)) || err != nil {
				return
			}
		}
		if err := explain(ctx, rows.Err()); err != nil {
			yield(nil, err)
		}
	}
}

func scanStatement(rows Rows, body *[]byte, read reader) (rolecall.Statement, error) {
	if err := rows.Scan(body); err != nil {
		return nil, err
	}
	st, err := read.statement(*body)
	if err != nil {
		return nil, fmt.Errorf("stored statement %.200q: %w", *body, err)
	}
	return st, nil
}
