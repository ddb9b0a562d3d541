package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"
	"unicode/utf8"

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
		for st, err := range s.statements(ctx, tx, h.policy) {
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
		var body sql.RawBytes
		for rows.Next() {
			st, err := scanStatement(rows, &body)
			if !yield(st, explain(ctx, err)) || err != nil {
				return
			}
		}
		if err := explain(ctx, rows.Err()); err != nil {
			yield(nil, err)
		}
	}
}

func scanStatement(rows *sql.Rows, body *sql.RawBytes) (rolecall.Statement, error) {
	if err := rows.Scan(body); err != nil {
		return nil, err
	}
	st, err := statementOf(*body)
	if err != nil {
		return nil, fmt.Errorf("stored statement %.200q: %w", *body, err)
	}
	return st, nil
}

// statementOf reads a statement, nil where there is none.
func statementOf(body []byte) (rolecall.Statement, error) {
	if body == nil {
		return nil, nil
	}
	if st := plain(body); st != nil {
		return st, nil
	}
	return rolecall.UnmarshalStatement(body)
}

// The spelling of grants and memberships that say no more than who, what and where. Nearly all of a large policy is of
// that kind, and reading JSON in general takes ten times as long.
var (
	plainGrant  = []string{`{"grant":{"subject":"`, `","role":"`, `","scope":"`, `"}}`}
	plainMember = []string{`{"member":{"member":"`, `","group":"`, `"}}`}
)

// plain reads such a statement, and returns nil for every other one and where anything is unusual.
func plain(body []byte) rolecall.Statement {
	var v [3]string
	if between(body, plainGrant, v[:]) {
		subject, err := rolecall.ParseSubject(v[0])
		scope, wrong := rolecall.ParseScope(v[2])
		if err == nil && wrong == nil {
			return rolecall.Grant{Subject: subject, Role: rolecall.RoleName(v[1]), Scope: scope}
		}
	}
	if between(body, plainMember, v[:]) {
		member, err := rolecall.ParseSubject(v[0])
		group, wrong := rolecall.ParseSubject(v[1])
		if err == nil && wrong == nil {
			return rolecall.Membership{Member: member, Group: group}
		}
	}
	return nil
}

// between puts into values what is between the marks, which are all of body otherwise. Values are not empty and need no
// escapes in JSON.
func between(body []byte, marks []string, values []string) bool {
	rest, found := bytes.CutPrefix(body, []byte(marks[0]))
	for i, mark := range marks[1:] {
		end := bytes.IndexByte(rest, '"')
		if !found || end <= 0 {
			return false
		}
		value := rest[:end]
		if bytes.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == '\\' }) || !utf8.Valid(value) {
			return false
		}
		values[i] = string(value)
		rest, found = bytes.CutPrefix(rest[end:], []byte(mark))
	}
	return found && len(rest) == 0
}
