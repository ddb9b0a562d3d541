package storetest

import (
	"context"
	"fmt"

	"github.com/rolecall-go/rolecall"
)

func handleCases() []Case {
	return []Case{
		{"handles-share-the-data", "What is committed through one handle is there for every other one when Commit returns.", handlesShare},
		{"handles-conflict", "Of proposals on one revision through two handles, one is kept.", handlesConflict},
		{"handles-wake-each-other", "A commit through one handle ends the Wait of another one.", handlesWake},
	}
}

// pair returns two handles of one store.
func pair(ctx context.Context, s Stores) (a, b *trial, err error) {
	if s.Again == nil {
		return nil, nil, fmt.Errorf("Stores.Again: %w", ErrNotGiven)
	}
	a, err = begin(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	other, err := s.Again(ctx, a.store)
	if err != nil {
		return nil, nil, fmt.Errorf("call Again: %w", err)
	}
	return a, &trial{other, a.want}, nil
}

func handlesShare(ctx context.Context, s Stores) error {
	a, b, err := pair(ctx, s)
	if err != nil {
		return err
	}
	for i := range 10 {
		if err := a.put(ctx, grant(fmt.Sprint(i))); err != nil {
			return err
		}
		b.want = a.want
		if err := b.holds(ctx); err != nil {
			return fmt.Errorf("through the other handle: %w", err)
		}
		if err := tells(ctx, b.store, a.want.Revision()-1, a.want.Revision()); err != nil {
			return fmt.Errorf("through the other handle: %w", err)
		}
		a, b = b, a
	}
	got, err := load(ctx, b.store)
	if err != nil {
		return err
	}
	if got.History() != a.want.History() {
		return fmt.Errorf("Load through the other handle: got State.History %q, want %q", got.History(), a.want.History())
	}
	return nil
}

func handlesConflict(ctx context.Context, s Stores) error {
	a, b, err := pair(ctx, s)
	if err != nil {
		return err
	}
	p, err := b.propose(rolecall.Put(grant("bob")))
	if err != nil {
		return err
	}
	if err := a.put(ctx, grant("ada")); err != nil {
		return err
	}
	if err := wantError("Commit through the other handle on what was before", b.store.Commit(ctx, p), rolecall.ErrConflict); err != nil {
		return err
	}
	return a.holds(ctx)
}

func handlesWake(ctx context.Context, s Stores) error {
	a, b, err := pair(ctx, s)
	if err != nil {
		return err
	}
	for i := range 3 {
		after := a.want.Revision()
		woken := make(chan error, 1)
		go func() { woken <- b.store.Wait(ctx, after) }()
		if err := a.put(ctx, grant(fmt.Sprint(i))); err != nil {
			return err
		}
		if err := <-woken; err != nil {
			return fmt.Errorf("Wait(%d) through the other handle: got %w, want nil", after, err)
		}
	}
	return nil
}
