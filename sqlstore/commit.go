package sqlstore

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rolecall-go/rolecall"
)

// batch is the number of rows that one statement writes. SQLite and PostgreSQL take some thirty thousand arguments.
const batch = 500

// Commit keeps p as the next revision in a transaction of its own, or returns ErrConflict.
func (s *Store) Commit(ctx context.Context, p *rolecall.Proposal) error {
	tx, err := s.db.BeginTx(ctx, s.dialect.writing())
	if err != nil {
		return explain(ctx, err)
	}
	defer rollback(tx)
	was := s.memory.last()
	h, err := s.write(ctx, through{tx}, p, was)
	if err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return explain(ctx, s.dialect.conflict(err))
	}
	if was.at(p) {
		s.memory.note(was, h)
	}
	s.Wake()
	return nil
}

// write puts p into a transaction, and returns where the policy stands after it. The first statement locks the tenant's
// row, or finds it moved on from p's base, or that to be another one than was.
func (s *Store) write(ctx context.Context, tx Session, p *rolecall.Proposal, was head) (head, error) {
	entry := p.Entry()
	row, err := entryRow(entry)
	if err != nil {
		return head{}, err
	}
	h, err := s.advance(ctx, tx, p, was)
	if errors.Is(err, sql.ErrNoRows) {
		return head{}, movedOn(p)
	}
	if err != nil {
		return head{}, explain(ctx, s.dialect.conflict(err))
	}
	w := writer{ctx, tx, s.dialect, h.policy}
	err = w.exec(`INSERT INTO {entry} (policy, revision, stamp, actor, on_behalf, reason, time, deltas)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, append([]any{h.policy, int64(entry.Revision), h.stamp}, row...)...)
	for chunk, from := range chunks(entry.Deltas) {
		if err == nil {
			err = w.deltas(entry.Revision, from, chunk)
		}
	}
	if err == nil && s.options.History != 0 {
		err = w.compact(s.oldestAt(entry.Revision))
	}
	if err == nil && s.options.Channel != "" {
		err = tx.Exec(ctx, "SELECT pg_notify($1, $2)", s.options.Channel, s.options.Tenant)
	}
	return h, explain(ctx, s.dialect.conflict(err))
}

func movedOn(p *rolecall.Proposal) error {
	return fmt.Errorf("commit to revision %d of history %q, where the store is no longer: %w", p.Base(), p.History(), rolecall.ErrConflict)
}

// advance moves the tenant's row from p's base to the next revision. sql.ErrNoRows says that it is not there.
func (s *Store) advance(ctx context.Context, tx Session, p *rolecall.Proposal, was head) (head, error) {
	if was.history == p.History() && was.revision > p.Base() {
		return head{}, sql.ErrNoRows // also where the database was restored and has come to that revision again
	}
	h := head{history: p.History(), revision: p.Base() + 1, stamp: rand.Text()}
	text := "UPDATE {policy} SET revision = ?, stamp = ? WHERE tenant = ? AND revision = ? AND history = ?"
	args := []any{int64(h.revision), h.stamp, s.options.Tenant, int64(p.Base()), s.memory.there(p.History())}
	if was.at(p) {
		text += " AND stamp = ?"
		args = append(args, was.stamp)
	}
	if s.dialect.kind == MariaDB {
		return s.advanceMaria(ctx, tx, p.Base(), h.stamp, text, args)
	}
	var oldest int64
	err := one(ctx, tx, []any{&h.policy, &oldest}, s.dialect.sql(text+" RETURNING id, oldest"), args...)
	h.oldest = rolecall.Revision(oldest)
	return h, err
}

// advanceMaria does without UPDATE … RETURNING, and tells by the stamp whether the row was updated. In a transaction
// whose view is old MariaDB would also update a row that it cannot read, after which the transaction would read a policy
// that never was; so what it reads must be the base.
func (s *Store) advanceMaria(ctx context.Context, tx Session, base rolecall.Revision, stamp, text string, args []any) (head, error) {
	before, err := s.head(ctx, tx)
	if err == nil && before.revision == base {
		err = tx.Exec(ctx, s.dialect.sql(text), args...)
	}
	if err != nil {
		return head{}, err
	}
	after, err := s.head(ctx, tx)
	if err == nil && after.stamp != stamp {
		err = sql.ErrNoRows
	}
	return after, err
}

// oldestAt returns the revision after which the history is kept when the store is at r.
func (s *Store) oldestAt(r rolecall.Revision) rolecall.Revision {
	keep := rolecall.Revision(max(s.options.History, 0))
	return r - min(r, keep)
}

func chunks(deltas []rolecall.Delta) func(yield func([]rolecall.Delta, int) bool) {
	return func(yield func([]rolecall.Delta, int) bool) {
		from := 0
		for chunk := range slices.Chunk(deltas, batch) {
			if !yield(chunk, from) {
				return
			}
			from += len(chunk)
		}
	}
}

// A writer writes rows of one policy.
type writer struct {
	ctx     context.Context
	tx      Session
	dialect dialect
	policy  int64
}

func (w writer) exec(text string, args ...any) error {
	return w.tx.Exec(w.ctx, w.dialect.sql(text), args...)
}

// entryRow returns what the row of an entry says of it: who, on whose behalf, why, when and how much.
func entryRow(e rolecall.Entry) ([]any, error) {
	actor, err := e.Actor.MarshalText()
	if err != nil {
		return nil, err
	}
	onBehalf, err := e.OnBehalf.MarshalText()
	return []any{string(actor), string(onBehalf), e.Reason, instantText(e.Time), int64(len(e.Deltas))}, err
}

// deltas writes what was done to some statements, and does it to them.
func (w writer) deltas(r rolecall.Revision, from int, deltas []rolecall.Delta) error {
	var history, put, gone []any
	for i, d := range deltas {
		key := d.Key().String()
		hash := sha256.Sum256([]byte(key))
		before, err := bodyOf(d.Before)
		if err != nil {
			return err
		}
		after, err := bodyOf(d.After)
		if err != nil {
			return err
		}
		history = append(history, w.policy, int64(r), int64(from+i), hash[:], before, after)
		if !after.Valid {
			gone = append(gone, hash[:])
			continue
		}
		kind, _, _ := strings.Cut(key, " ")
		put = append(put, w.policy, hash[:], kind, key, after.String)
	}
	if err := w.exec("INSERT INTO {delta} (policy, revision, ordinal, hash, {before}, after) VALUES "+rows(len(deltas), 6), history...); err != nil {
		return err
	}
	if len(gone) > 0 {
		if err := w.exec("DELETE FROM {statement} WHERE policy = ? AND hash IN "+rows(1, len(gone)), append([]any{w.policy}, gone...)...); err != nil {
			return err
		}
	}
	if len(put) == 0 {
		return nil
	}
	return w.exec("INSERT INTO {statement} (policy, hash, kind, {key}, body) VALUES "+rows(len(put)/5, 5)+
		" {orReplaceBody}", put...)
}

// bodyOf returns a statement as JSON, null where there is none.
func bodyOf(s rolecall.Statement) (sql.NullString, error) {
	if s == nil {
		return sql.NullString{}, nil
	}
	body, err := rolecall.MarshalStatement(s)
	return sql.NullString{String: string(body), Valid: true}, err
}

// rows returns the places of n rows of some columns: (?, ?), (?, ?).
func rows(n, columns int) string {
	row := "(" + strings.Repeat("?, ", columns-1) + "?)"
	return strings.Repeat(row+", ", n-1) + row
}

// compact deletes the history up to and including a revision, but for the entry of that one: its stamp is what a store
// that last saw that revision finds a restored database by.
func (w writer) compact(oldest rolecall.Revision) error {
	var latest string
	err := one(w.ctx, w.tx, []any{&latest}, w.dialect.sql("SELECT coalesce(max(time), '') FROM {entry} WHERE policy = ? AND revision <= ?"),
		w.policy, int64(oldest))
	if err != nil {
		return err
	}
	if err := w.exec("UPDATE {policy} SET oldest = ?, forgotten = CASE WHEN forgotten < ? THEN ? ELSE forgotten END WHERE id = ? AND oldest < ?",
		int64(oldest), latest, latest, w.policy, int64(oldest)); err != nil {
		return err
	}
	if err := w.exec("DELETE FROM {delta} WHERE policy = ? AND revision <= ?", w.policy, int64(oldest)); err != nil {
		return err
	}
	return w.exec("DELETE FROM {entry} WHERE policy = ? AND revision < ?", w.policy, int64(oldest))
}
