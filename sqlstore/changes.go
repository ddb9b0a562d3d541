package sqlstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/rolecall-go/rolecall"
)

// A page of the history is at most so many entries, and no more after so many deltas; so memory is bounded by that or
// by the largest single change.
const (
	pageEntries = 256
	pageDeltas  = 10_000
)

// Changes yields the history after a revision, up to the present of the call. No connection is held while an entry is
// with the caller.
func (s *Store) Changes(ctx context.Context, after rolecall.Revision) iter.Seq2[rolecall.Entry, error] {
	return func(yield func(rolecall.Entry, error) bool) {
		h, err := s.look(ctx)
		if err != nil {
			yield(rolecall.Entry{}, err)
			return
		}
		if err := h.offers(after); err != nil {
			yield(rolecall.Entry{}, err)
			return
		}
		for at := after; at < h.revision; {
			page, err := s.page(ctx, h, at)
			if err != nil {
				yield(rolecall.Entry{}, s.gap(ctx, at, err))
				return
			}
			for _, e := range page {
				if err := ctx.Err(); err != nil {
					yield(rolecall.Entry{}, err)
					return
				}
				if !yield(e, nil) {
					return
				}
			}
			at += rolecall.Revision(len(page))
		}
	}
}

// errGap says that rows of the history are missing. What stands is whole all the same, so whoever follows is told to
// load it.
var errGap = fmt.Errorf("the history has a gap: %w", rolecall.ErrCompacted)

// gap finds out whether the history was compacted while it was read.
func (s *Store) gap(ctx context.Context, after rolecall.Revision, err error) error {
	if !errors.Is(err, errGap) {
		return err
	}
	h, failure := s.look(ctx)
	if failure == nil {
		failure = h.offers(after)
	}
	return cmp.Or(failure, fmt.Errorf("after revision %d: %w", after, err))
}

// page returns at least one of the entries after a revision, up to h.
func (s *Store) page(ctx context.Context, h head, after rolecall.Revision) ([]rolecall.Entry, error) {
	entries, sizes, err := s.entries(ctx, h, after)
	if err != nil || len(entries) == 0 {
		return nil, cmp.Or(explain(ctx, err), errGap)
	}
	last := after + rolecall.Revision(len(entries))
	rows, err := s.pool().Query(ctx, s.dialect.sql(`SELECT revision, {before}, after FROM {delta}
		WHERE policy = ? AND revision > ? AND revision <= ? ORDER BY revision, ordinal`), h.policy, int64(after), int64(last))
	if err != nil {
		return nil, explain(ctx, err)
	}
	defer rows.Close()
	for rows.Next() {
		r, d, err := scanDelta(rows)
		if err != nil {
			return nil, explain(ctx, err)
		}
		e := &entries[r-after-1]
		e.Deltas = append(e.Deltas, d)
	}
	if err := rows.Err(); err != nil {
		return nil, explain(ctx, err)
	}
	for i, e := range entries {
		if len(e.Deltas) != sizes[i] {
			return nil, errGap
		}
	}
	return entries, nil
}

// entries returns consecutive entries of a page without their deltas, and how many of these each has.
func (s *Store) entries(ctx context.Context, h head, after rolecall.Revision) (list []rolecall.Entry, sizes []int, err error) {
	rows, err := s.pool().Query(ctx, s.dialect.sql(`SELECT revision, actor, on_behalf, reason, time, deltas FROM {entry}
		WHERE policy = ? AND revision > ? AND revision <= ? ORDER BY revision LIMIT ?`), h.policy, int64(after), int64(h.revision), pageEntries)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for total := 0; rows.Next() && total < pageDeltas; {
		e, size, err := scanEntry(rows)
		if err != nil {
			return nil, nil, err
		}
		if e.Revision != after+1+rolecall.Revision(len(list)) {
			return nil, nil, errGap
		}
		list, sizes, total = append(list, e), append(sizes, size), total+size
	}
	return list, sizes, rows.Err()
}

func scanEntry(rows Rows) (e rolecall.Entry, deltas int, err error) {
	var revision, size int64
	var actor, onBehalf, at string
	if err := rows.Scan(&revision, &actor, &onBehalf, &e.Reason, &at, &size); err != nil {
		return e, 0, err
	}
	e.Revision = rolecall.Revision(revision)
	e.Time, err = parseTime(at)
	return e, int(size), errors.Join(err, e.Actor.UnmarshalText([]byte(actor)), e.OnBehalf.UnmarshalText([]byte(onBehalf)))
}

func scanDelta(rows Rows) (r rolecall.Revision, d rolecall.Delta, err error) {
	var revision int64
	var before, after []byte
	if err := rows.Scan(&revision, &before, &after); err != nil {
		return 0, d, err
	}
	var read reader
	if d.Before, err = read.statement(before); err != nil {
		return 0, d, err
	}
	d.After, err = read.statement(after)
	return rolecall.Revision(revision), d, err
}
