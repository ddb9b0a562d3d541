package storetest

import (
	"context"
	"fmt"
	"time"

	"github.com/rolecall-go/rolecall"
)

func pastCases() []Case {
	return []Case{
		{"past-by-revision", "A store with At returns the policy of every revision as it was then.", pastByRevision},
		{"past-by-time", "A store with AtTime returns what stood before the first change made after the instant, whatever order the clock gave the changes.", pastByTime},
		{"past-is-of-one-moment", "What is committed after At returned is not in the state, however late it is read.", pastIsOfOneMoment},
		{"past-that-is-gone", "At and AtTime are ErrCompacted where the history no longer tells, or not yet.", pastThatIsGone},
	}
}

// beginPast makes a new store that hands out the past, with the role reader in it.
func beginPast(ctx context.Context, make func(context.Context) (rolecall.Store, error)) (*trial, rolecall.PastStore, error) {
	store, err := make(ctx)
	if err != nil {
		return nil, nil, err
	}
	past, able := store.(rolecall.PastStore)
	if !able {
		return nil, nil, fmt.Errorf("the store is no rolecall.PastStore: %w", ErrNotGiven)
	}
	t, err := beginOn(ctx, store)
	return t, past, err
}

// lived changes the policy of a trial some times, and returns what it was at each revision. Grants are put, altered,
// taken away and put again.
func (t *trial) lived(ctx context.Context, changes int) ([]*rolecall.Snapshot, error) {
	empty, err := rolecall.NewSnapshot(t.want.Catalog())
	if err != nil {
		return nil, err
	}
	was := []*rolecall.Snapshot{empty, t.want}
	for i := range changes {
		bounded := grant(fmt.Sprint(i % 3))
		bounded.NotAfter = start.Add(time.Duration(i+1) * time.Hour)
		edits := []rolecall.Edit{rolecall.Put(bounded), rolecall.Put(grant("other"))}
		if i%4 == 3 {
			edits = []rolecall.Edit{rolecall.Remove(grant(fmt.Sprint((i - 1) % 3))), rolecall.Remove(grant("other"))}
		}
		if err := t.commit(ctx, edits...); err != nil {
			return nil, err
		}
		was = append(was, t.want)
	}
	return was, nil
}

// putAt makes a change at an instant.
func (t *trial) putAt(ctx context.Context, at time.Time, s rolecall.Statement) error {
	p, err := t.want.Propose(rolecall.Change{Meta: rolecall.Meta{Time: at}, Edits: []rolecall.Edit{rolecall.Put(s)}})
	if err != nil {
		return err
	}
	return t.keep(ctx, p)
}

func pastByRevision(ctx context.Context, s Stores) error {
	t, past, err := beginPast(ctx, s.New)
	if err != nil {
		return err
	}
	was, err := t.lived(ctx, 12)
	if err != nil {
		return err
	}
	for r, want := range was {
		state, err := past.At(ctx, rolecall.Revision(r))
		if err != nil {
			return fmt.Errorf("At(%d): %w", r, err)
		}
		if state.History != t.want.History() {
			return fmt.Errorf("At(%d): got State.History %q, want %q as Load says", r, state.History, t.want.History())
		}
		if err := saysSame(fmt.Sprintf("At(%d)", r), state, want); err != nil {
			return err
		}
	}
	return nil
}

func saysSame(call string, state rolecall.State, want *rolecall.Snapshot) error {
	got, err := snapshotOf(state)
	if err != nil {
		return fmt.Errorf("%s: %w", call, err)
	}
	return same(call, got, want)
}

func pastByTime(ctx context.Context, s Stores) error {
	t, past, err := beginPast(ctx, s.New)
	if err != nil {
		return err
	}
	was, err := t.lived(ctx, 0)
	if err != nil {
		return err
	}
	// The role came at minute 0. A clock that goes back makes revision 3 older than revision 2; revisions 4 and 5 are made
	// at one instant.
	minute := func(n int) time.Time { return start.Add(time.Duration(n) * time.Minute) }
	for i, n := range []int{10, 5, 20, 20} {
		if err := t.putAt(ctx, minute(n), grant(fmt.Sprint(i))); err != nil {
			return err
		}
		was = append(was, t.want)
	}
	for _, c := range []struct {
		at   time.Time
		want rolecall.Revision
	}{
		{time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), 0}, {start.Add(-1), 0}, {start, 1}, {minute(7), 1}, {minute(10).Add(-1), 1},
		{minute(10), 3}, {minute(20).Add(-1), 3}, {minute(20), 5}, {minute(60), 5}, {time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), 5},
	} {
		state, err := past.AtTime(ctx, c.at)
		if err != nil {
			return fmt.Errorf("AtTime(%v), where the first change was made at %v: %w", c.at, start, err)
		}
		if err := saysSame(fmt.Sprintf("AtTime(%v), where the first change was made at %v", c.at, start), state, was[c.want]); err != nil {
			return err
		}
	}
	return nil
}

func pastIsOfOneMoment(ctx context.Context, s Stores) error {
	t, past, err := beginPast(ctx, s.New)
	if err != nil {
		return err
	}
	was, err := t.lived(ctx, 4)
	if err != nil {
		return err
	}
	for r := range was {
		state, err := past.At(ctx, rolecall.Revision(r))
		if err != nil {
			return fmt.Errorf("At(%d): %w", r, err)
		}
		if err := t.put(ctx, grant(fmt.Sprint("late", r))); err != nil {
			return err
		}
		if err := saysSame(fmt.Sprintf("At(%d), with commits before it is read", r), state, was[r]); err != nil {
			return err
		}
	}
	return nil
}

func pastThatIsGone(ctx context.Context, s Stores) error {
	if s.Compacting == nil {
		return fmt.Errorf("Stores.Compacting: %w", ErrNotGiven)
	}
	const kept, changes = 5, 12
	t, past, err := beginPast(ctx, func(ctx context.Context) (rolecall.Store, error) { return s.Compacting(ctx, kept) })
	if err != nil {
		return err
	}
	// Revision 1 was made at start, and each later one a minute after the one before. The clock of revision 4 was ahead.
	ahead := start.Add(7*time.Minute + 30*time.Second)
	for i := range changes {
		at := start.Add(time.Duration(i+1) * time.Minute)
		if i == 2 {
			at = ahead
		}
		if err := t.putAt(ctx, at, grant(fmt.Sprint(i))); err != nil {
			return err
		}
	}
	last := t.want.Revision()
	oldest := last - kept // made at minute 7
	for _, c := range []struct {
		call string
		ask  func() (rolecall.State, error)
		want error
	}{
		{"At(the oldest revision that is kept)", func() (rolecall.State, error) { return past.At(ctx, oldest) }, nil},
		{"At(one before that)", func() (rolecall.State, error) { return past.At(ctx, oldest-1) }, rolecall.ErrCompacted},
		{"At(0)", func() (rolecall.State, error) { return past.At(ctx, 0) }, rolecall.ErrCompacted},
		{"At(a revision to come)", func() (rolecall.State, error) { return past.At(ctx, last+1) }, rolecall.ErrCompacted},
		{"AtTime(the latest of the times of what is gone)", func() (rolecall.State, error) { return past.AtTime(ctx, ahead) }, nil},
		{"AtTime(just before that)", func() (rolecall.State, error) { return past.AtTime(ctx, ahead.Add(-1)) }, rolecall.ErrCompacted},
		{"AtTime(long before that)", func() (rolecall.State, error) { return past.AtTime(ctx, start.AddDate(-1, 0, 0)) }, rolecall.ErrCompacted},
	} {
		state, err := c.ask()
		if err := wantError(c.call, err, c.want); err != nil {
			return err
		}
		if c.want != nil {
			continue
		}
		if state.Revision != oldest {
			return fmt.Errorf("%s: got revision %d, want %d", c.call, state.Revision, oldest)
		}
		if _, err := snapshotOf(state); err != nil {
			return fmt.Errorf("%s: %w", c.call, err)
		}
	}
	return nil
}
