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
	if _, err := s.look(ctx); err != nil {
		return rolecall.State{}, err
	}
	var how *sql.TxOptions
	if s.dialect.kind == PostgreSQL {
		how = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	tx, err := s.db.BeginTx(ctx, how)
	if err != nil {
		return rolecall.State{}, explain(ctx, err)
	}
	h, err := s.head(ctx, tx)
	if err != nil {
		return rolecall.State{}, errors.Join(err, rollback(tx))
	}
	return rolecall.State{History: h.history, Revision: h.revision, Statements: once(func(yield func(rolecall.Statement, error) bool) {
		defer rollback(tx)
		for st, err := range ahead(s.statements(ctx, tx, h.policy)) {
			if !yield(st, err) {
				return
			}
		}
	})}, nil
}

// rollback ends a transaction that may have ended.
func rollback(tx *sql.Tx) error {
	if err := tx.Rollback(); !errors.Is(err, sql.ErrTxDone) {
		return err
	}
	return nil
}

// once yields an error the second time.
func once(seq iter.Seq2[rolecall.Statement, error]) iter.Seq2[rolecall.Statement, error] {
	var used atomic.Bool
	return func(yield func(rolecall.Statement, error) bool) {
		if used.Swap(true) {
			yield(nil, errors.New("the statements of a state can be ranged over once; load it again"))
			return
		}
		seq(yield)
	}
}

func (s *Store) statements(ctx context.Context, q querier, policy int64) iter.Seq2[rolecall.Statement, error] {
	return func(yield func(rolecall.Statement, error) bool) {
		rows, err := q.QueryContext(ctx, s.dialect.sql("SELECT body FROM {statement} WHERE policy = ?"), policy)
		if err != nil {
			yield(nil, explain(ctx, err))
			return
		}
		defer rows.Close()
		read := newReader()
		var body sql.RawBytes
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

func scanStatement(rows *sql.Rows, body *sql.RawBytes, read reader) (rolecall.Statement, error) {
	if err := rows.Scan(body); err != nil {
		return nil, err
	}
	st, err := read.statement(*body)
	if err != nil {
		return nil, fmt.Errorf("stored statement %.200q: %w", *body, err)
	}
	return st, nil
}
