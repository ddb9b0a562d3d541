// Package storetest checks that a rolecall.Store keeps the promises of that interface, and breaks stores on purpose so
// that a host can see how it stands up to that. A store passes the kit and needs little else:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, storetest.Stores{
//			New: func(ctx context.Context) (rolecall.Store, error) { return mystore.Open(ctx, t.TempDir()) },
//		})
//	}
//
// Each promise is a Case with a name, the rule and a function. A failure says what was called, got and wanted. The kit
// knows nothing of how a store works; it uses the exported API of rolecall only. It judges what it can see: that data
// survive a crash is for a store's own tests to show.
//
// The other half of the package decorates a store with a fault, for the tests of a host or a resolver: FailAfter,
// Stall, LoseWakeups, DuplicateWakeups, RepeatChanges, CompactAlways and LoseAcknowledgement. A decorated store is a
// rolecall.HistoryStore and a rolecall.PastStore where the one below is.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/rolecall-go/rolecall"
)

// Stores makes the stores that the cases run on. A store that is an io.Closer is closed after its case.
type Stores struct {
	// New returns an empty store, at revision 0, that shares nothing with the ones before. It is required.
	New func(ctx context.Context) (rolecall.Store, error)
	// Compacting returns an empty store that keeps its n latest changes and answers ErrCompacted for earlier ones. Nil
	// skips the cases about compaction.
	Compacting func(ctx context.Context, n int) (rolecall.Store, error)
	// Again returns another way to the data of a store that New returned, as another process has it. Nil skips the
	// cases about that.
	Again func(ctx context.Context, s rolecall.Store) (rolecall.Store, error)
	// Big is the number of statements that big-batches puts in one change; it takes all but one away in the next.
	// Zero is 65537, one more than sixteen bits count, which a store should pass at least once. Where that takes long,
	// under the race detector for example, a smaller number leaves the other promises to be checked often.
	Big int
}

// A Case is one promise of the Store interface.
type Case struct {
	Name string
	Rule string
	// Run returns what is wrong, nil where the promise is kept, and ErrNotGiven where it was not tested.
	Run func(ctx context.Context, s Stores) error
}

// ErrNotGiven says that a case was not tested, because neither Stores nor its stores give what it needs. No answer of a
// store stands for it.
var ErrNotGiven = errors.New("what the case needs is not given")

// patience bounds a case, so that a store that never answers fails instead of hanging. It is long, because big-batches
// in its full size on a slow database under the race detector takes minutes.
const patience = 8 * time.Minute

// Run checks every promise, each in a subtest. A case that is skipped says what Stores lacks for it to be tested.
func Run(t *testing.T, s Stores) {
	t.Helper()
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) {
			switch err := c.run(t.Context(), s); {
			case errors.Is(err, ErrNotGiven):
				t.Skipf("NOT TESTED: %s\n%v", c.Rule, err)
			case err != nil:
				t.Errorf("%s\n%v", c.Rule, err)
			}
		})
	}
}

// Test checks every promise for which Stores gives what it needs, and returns all that are not kept, joined. It does not
// tell which ones were not tested.
func Test(ctx context.Context, s Stores) error {
	var broken []error
	for _, c := range Cases() {
		if err := c.run(ctx, s); err != nil && !errors.Is(err, ErrNotGiven) {
			broken = append(broken, fmt.Errorf("%s: %s\n%w", c.Name, c.Rule, err))
		}
	}
	return errors.Join(broken...)
}

// run runs the case and closes what it opened.
func (c Case) run(ctx context.Context, s Stores) (err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var opened []rolecall.Store
	defer func() {
		for _, store := range opened {
			if closer, ok := store.(io.Closer); ok {
				err = errors.Join(err, closer.Close())
			}
		}
	}()
	note := func(store rolecall.Store, err error) (rolecall.Store, error) {
		if err == nil {
			opened = append(opened, store)
		}
		return store, err
	}
	noted := Stores{New: func(ctx context.Context) (rolecall.Store, error) { return note(s.New(ctx)) }, Big: s.Big}
	if s.Compacting != nil {
		noted.Compacting = func(ctx context.Context, n int) (rolecall.Store, error) { return note(s.Compacting(ctx, n)) }
	}
	if s.Again != nil {
		noted.Again = func(ctx context.Context, store rolecall.Store) (rolecall.Store, error) {
			return note(s.Again(ctx, store))
		}
	}
	return c.Run(ctx, noted)
}

// Cases returns the promises, in the order in which they are best mended.
func Cases() []Case {
	var all []Case
	for _, group := range [][]Case{loadCases(), commitCases(), changesCases(), waitCases(), idCases(), cancelCases(), handleCases(), pastCases()} {
		all = append(all, group...)
	}
	return all
}
