package storetest

import (
	"cmp"
	"context"
	"fmt"

	"github.com/rolecall-go/rolecall"
)

func loadCases() []Case {
	return []Case{
		{"new-store-is-empty", "A new store is at revision 0 and holds nothing.", newStoreIsEmpty},
		{"history-is-named", "A store names its line of revisions, by the same words as long as it is the same.", historyIsNamed},
		{"history-is-its-own", "Two stores name their lines of revisions by different words.", historyIsItsOwn},
		{"load-returns-what-was-committed", "Load returns every field of every kind of statement.", loadReturnsWhatWasCommitted},
		{"load-yields-each-statement-once", "Load yields every statement once.", loadYieldsOnce},
		{"load-is-of-one-moment", "What is committed after Load returned is not in the state, however late it is read.", loadIsOfOneMoment},
		{"load-can-be-left", "Leaving a state half read costs the store nothing.", loadCanBeLeft},
		{"load-belongs-to-the-caller", "Altering a loaded statement does not alter what the store has.", loadBelongsToTheCaller},
	}
}

func newStoreIsEmpty(ctx context.Context, s Stores) error {
	store, err := s.New(ctx)
	if err != nil {
		return err
	}
	got, err := load(ctx, store)
	if err != nil {
		return err
	}
	for st := range got.Statements() {
		return fmt.Errorf("Load of a new store: got %s, want nothing", text(st))
	}
	if got.Revision() != 0 {
		return fmt.Errorf("Load of a new store: got revision %d, want 0", got.Revision())
	}
	return tells(ctx, store, 0, 0)
}

func historyIsNamed(ctx context.Context, s Stores) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	first := t.want.History()
	if first == "" {
		return fmt.Errorf("Load: got no State.History, want one")
	}
	for range 2 {
		if err := t.put(ctx, grant("ada")); err != nil {
			return err
		}
		later, err := load(ctx, t.store)
		if err != nil {
			return err
		}
		if later.History() != first {
			return fmt.Errorf("Load: got State.History %q after a commit, want %q as before", later.History(), first)
		}
	}
	store, able := t.store.(rolecall.HistoryStore)
	if !able {
		return nil
	}
	if got, err := store.History(ctx); err != nil || got != first {
		return fmt.Errorf("History: got %q, %v, want %q as Load says", got, err, first)
	}
	return nil
}

func historyIsItsOwn(ctx context.Context, s Stores) error {
	a, err := begin(ctx, s)
	if err != nil {
		return err
	}
	b, err := begin(ctx, s)
	if err != nil {
		return err
	}
	if a.want.History() == b.want.History() {
		return fmt.Errorf("Load: got State.History %q of two stores, want different ones", a.want.History())
	}
	return nil
}

func loadReturnsWhatWasCommitted(ctx context.Context, s Stores) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	if err := t.put(ctx, everyKind()...); err != nil {
		return err
	}
	return t.holds(ctx)
}

func loadYieldsOnce(ctx context.Context, s Stores) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	if err := t.put(ctx, numbered(20)...); err != nil {
		return err
	}
	state, err := t.store.Load(ctx)
	if err != nil {
		return fmt.Errorf("Load: %w", err)
	}
	seen := map[rolecall.StatementKey]bool{}
	for st, err := range state.Statements {
		if err != nil {
			return fmt.Errorf("Load: %w", err)
		}
		if seen[rolecall.KeyOf(st)] {
			return fmt.Errorf("Load: got %s twice, want it once", text(st))
		}
		seen[rolecall.KeyOf(st)] = true
	}
	return nil
}

// The store changes before the first statement is read, and again after each of the first ones.
func loadIsOfOneMoment(ctx context.Context, s Stores) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	if err := t.put(ctx, numbered(50)...); err != nil {
		return err
	}
	then := t.want
	state, err := t.store.Load(ctx)
	if err != nil {
		return fmt.Errorf("Load: %w", err)
	}
	disturb := func(i int) error {
		return t.commit(ctx, rolecall.Remove(grant(fmt.Sprintf("u%d", 49-i))), rolecall.Put(grant(fmt.Sprintf("late%d", i))))
	}
	if err := disturb(0); err != nil {
		return err
	}
	read, failure := 0, error(nil)
	statements := state.Statements
	state.Statements = func(yield func(rolecall.Statement, error) bool) {
		for st, err := range statements {
			if read++; read < 20 && failure == nil {
				failure = disturb(read)
			}
			if !yield(st, err) {
				return
			}
		}
	}
	got, err := snapshotOf(state)
	if failure != nil || err != nil {
		return fmt.Errorf("Load, with commits while it is read: %w", cmp.Or(failure, err))
	}
	if err := same("Load, with commits while it is read", got, then); err != nil {
		return err
	}
	return t.holds(ctx)
}

// times is how often something is left half done: more often than a store has connections.
const times = 150

func loadCanBeLeft(ctx context.Context, s Stores) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	if err := t.put(ctx, numbered(10)...); err != nil {
		return err
	}
	for i := range times {
		state, err := t.store.Load(ctx)
		if err != nil {
			return fmt.Errorf("Load after %d states were left half read: got %w, want nil", i, err)
		}
		for _, err := range state.Statements {
			if err != nil {
				return fmt.Errorf("Load after %d states were left half read: got %w, want nil", i, err)
			}
			break
		}
	}
	return t.holds(ctx)
}

func loadBelongsToTheCaller(ctx context.Context, s Stores) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	if err := t.put(ctx, sharing()...); err != nil {
		return err
	}
	state, err := t.store.Load(ctx)
	if err != nil {
		return fmt.Errorf("Load: %w", err)
	}
	for st, err := range state.Statements {
		if err != nil {
			return fmt.Errorf("Load: %w", err)
		}
		spoil(st)
	}
	return t.holds(ctx)
}

// sharing returns statements that hold slices.
func sharing() []rolecall.Statement {
	var some []rolecall.Statement
	for _, st := range everyKind() {
		switch st.(type) {
		case rolecall.Role, rolecall.Constraint:
			some = append(some, st)
		}
	}
	return some
}

// spoil overwrites what a statement holds by reference.
func spoil(s rolecall.Statement) {
	switch s := s.(type) {
	case rolecall.Role:
		for i := range s.Rules {
			for j := range s.Rules[i].Patterns {
				s.Rules[i].Patterns[j] = "doc.edit"
			}
			s.Rules[i].Effect = rolecall.Deny
		}
		for i := range s.Inherits {
			s.Inherits[i] = "spoilt"
		}
	case rolecall.Constraint:
		for i := range s.Roles {
			s.Roles[i] = "spoilt"
		}
	}
}
