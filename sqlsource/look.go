package sqlsource

import (
	"context"
	"database/sql"
	"fmt"
	"iter"

	"github.com/rolecall-go/rolecall"
)

// look reads the tables, and keeps what is different from the last look as one change. What is not a policy is refused
// as a whole: then the last one stays, and the error says what is wrong with the tables.
func (s *Source) look(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return s.read(ctx, func(statements iter.Seq2[rolecall.Statement, error]) error { return s.keep(ctx, statements) })
}

// keep commits what is different in statements.
func (s *Source) keep(ctx context.Context, statements iter.Seq2[rolecall.Statement, error]) error {
	var failure error
	edits, err := s.seen.Sync(func(yield func(rolecall.Statement) bool) {
		for st, err := range statements {
			if failure = err; err != nil || !yield(st) {
				return
			}
		}
	}, func(rolecall.Statement) bool { return true })
	if failure != nil {
		return failure
	}
	if err != nil || len(edits) == 0 {
		return err
	}
	now := s.options.Clock()
	p, err := s.seen.At(now).Propose(rolecall.Change{Meta: rolecall.Meta{Reason: "the host's tables changed", Time: now}, Edits: edits})
	if err != nil {
		return err
	}
	if err := s.kept.Commit(ctx, p); err != nil {
		return err
	}
	s.seen = p.Next()
	return nil
}

// read hands what the tables say to take, in a transaction that sees one moment, unless it knows that they say the same
// as at the last time.
func (s *Source) read(ctx context.Context, take func(iter.Seq2[rolecall.Statement, error]) error) error {
	tx, err := s.db.BeginTx(ctx, s.options.Isolation)
	if err != nil {
		return fmt.Errorf("read the host's tables: %w", err)
	}
	defer tx.Rollback() // there is nothing to commit
	version := ""
	if s.options.Version != "" {
		if err := tx.QueryRowContext(ctx, s.options.Version).Scan(&version); err != nil {
			return fmt.Errorf("read the version of the host's tables: %w", err)
		}
		if s.seen != nil && version == s.version {
			return nil
		}
	}
	if err := take(s.statements(ctx, tx)); err != nil {
		return fmt.Errorf("read the host's tables: %w", err)
	}
	s.version = version
	return nil
}

// statements yields what the queries make; an error is the last thing that it yields.
func (s *Source) statements(ctx context.Context, tx *sql.Tx) iter.Seq2[rolecall.Statement, error] {
	return func(yield func(rolecall.Statement, error) bool) {
		for _, q := range s.queries {
			for st, err := range q.statements(ctx, tx) {
				if err != nil {
					yield(nil, fmt.Errorf("query %q: %w", q.Name, err))
					return
				}
				if !yield(st, nil) {
					return
				}
			}
		}
	}
}

func (q Query) statements(ctx context.Context, tx *sql.Tx) iter.Seq2[rolecall.Statement, error] {
	return func(yield func(rolecall.Statement, error) bool) {
		for _, st := range q.Fixed {
			if !yield(st, nil) {
				return
			}
		}
		if q.SQL == "" {
			return
		}
		rows, err := tx.QueryContext(ctx, q.SQL, q.Args...)
		if err != nil {
			yield(nil, err)
			return
		}
		defer rows.Close()
		for n := 1; rows.Next(); n++ {
			list, err := q.Map(rows)
			if err != nil {
				yield(nil, fmt.Errorf("row %d: %w", n, err))
				return
			}
			for _, st := range list {
				if st == nil {
					yield(nil, fmt.Errorf("row %d: a statement is nil", n))
					return
				}
				if !yield(st, nil) {
					return
				}
			}
		}
		if err := rows.Err(); err != nil {
			yield(nil, err)
		}
	}
}
