package storetest

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/rolecall-go/rolecall"
)

func waitCases() []Case {
	return []Case{
		{"wait-returns-at-once", "Wait returns at once where the store has a later revision already.", waitReturnsAtOnce},
		{"wait-wakes", "Wait returns when a later revision is committed.", waitWakes},
		{"wait-does-not-return-early", "Wait does not return nil before there is a later revision.", waitNotEarly},
		{"wait-ends-with-ctx", "Wait ends with the error of ctx.", waitEndsWithCtx},
	}
}

func waitReturnsAtOnce(ctx context.Context, s Stores) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	if err := t.put(ctx, grant("ada")); err != nil {
		return err
	}
	for after := range rolecall.Revision(2) {
		took, err := t.fastestWait(ctx, after)
		if err != nil {
			return fmt.Errorf("Wait(%d) of a store at revision 2: got %w, want nil", after, err)
		}
		if took > atOnce {
			return fmt.Errorf("Wait(%d) of a store at revision 2: took %v at least, want it to return at once", after, took)
		}
	}
	return nil
}

// atOnce is the longest that the fastest of several calls takes that waits for nothing but the store, on a slow machine.
const atOnce = time.Second

// fastestWait calls Wait until it returns at once, some times at most, and returns how long it took at least.
func (t *trial) fastestWait(ctx context.Context, after rolecall.Revision) (time.Duration, error) {
	least := time.Duration(math.MaxInt64)
	for range 5 {
		began := time.Now()
		if err := t.store.Wait(ctx, after); err != nil {
			return 0, err
		}
		if least = min(least, time.Since(began)); least <= atOnce {
			break
		}
	}
	return least, nil
}

// Three wait, for each of some commits. Where one comes late it is woken at once.
func waitWakes(ctx context.Context, s Stores) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	const waiters = 3
	for i := range 5 {
		after := t.want.Revision()
		woken := make(chan error, waiters)
		for range waiters {
			go func() { woken <- t.store.Wait(ctx, after) }()
		}
		if err := t.put(ctx, grant(fmt.Sprint(i))); err != nil {
			return err
		}
		for range waiters {
			if err := <-woken; err != nil {
				return fmt.Errorf("Wait(%d) with a commit meanwhile: got %w, want nil", after, err)
			}
		}
	}
	return nil
}

func waitNotEarly(ctx context.Context, s Stores) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	for _, after := range []rolecall.Revision{1, 2, 100} {
		short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		err := t.store.Wait(short, after)
		cancel()
		if err == nil {
			return fmt.Errorf("Wait(%d) of a store that stays at revision 1: got nil, want the error of ctx", after)
		}
	}
	return nil
}

func waitEndsWithCtx(ctx context.Context, s Stores) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	cancelled, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- t.store.Wait(cancelled, 1) }()
	cancel()
	if err := wantError("Wait(1) when its ctx is cancelled", <-ended, context.Canceled); err != nil {
		return err
	}
	return wantError("Wait(1) with a ctx that was cancelled before", t.store.Wait(cancelled, 1), context.Canceled)
}
