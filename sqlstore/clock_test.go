package sqlstore_test

import (
	"database/sql"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/memstore"
	"github.com/rolecall-go/rolecall/sqlstore"
)

// A movable clock is one that a test moves. It has no monotonic reading.
type movable struct {
	mu sync.Mutex
	at time.Time
}

func (m *movable) now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.at
}

func (m *movable) move(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at = m.at.Add(d)
}

// Clocks jump, the writer's one way and the replica's the other. Changes are in the order in which they were committed
// whatever their times; a replica whose clock has jumped, either way, answers nothing until it has looked again, and
// then what is so at the instant that its clock shows.
func TestClocksJump(t *testing.T) {
	memory := memstore.New()
	t.Run("memstore", func(t *testing.T) { clocksJump(t, memory, memory) })
	eachDatabase(t, func(t *testing.T, d database, db *sql.DB) {
		o := sqlstore.Options{Tenant: newTenant()}
		clocksJump(t, openStore(t, d, db, o), openStore(t, d, db, o))
	})
}

func clocksJump(t *testing.T, near, far rolecall.Store) {
	const staleness = time.Minute
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ours, theirs := &movable{at: noon}, &movable{at: noon}
	writer := openResolver(t, near, &rolecall.Options{Clock: ours.now})
	replica := openResolver(t, far, &rolecall.Options{Clock: theirs.now, MaxStaleness: staleness})
	timed := grant("freelance")
	timed.Window = rolecall.Window{NotBefore: noon.Add(-time.Hour), NotAfter: noon.Add(time.Hour)}
	said := []time.Time{noon}
	update(t, writer, reader, timed)

	const year = 365 * 24 * time.Hour
	jumps := []time.Duration{time.Hour, -time.Hour, -time.Nanosecond, staleness + 1, -2 * year, 2 * year, -time.Hour, 30 * year, -30 * year}
	for i, jump := range jumps {
		if err := replica.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		was := theirs.now()
		theirs.move(jump)
		may(t, replica, "freelance", rolecall.ErrStale)
		theirs.move(-jump) // where a clock has gone back, coming by again is not being fresh again
		if jump < 0 {
			may(t, replica, "freelance", rolecall.ErrStale)
		}
		theirs.move(jump)

		ours.move(-jump)
		said = append(said, ours.now())
		if i%2 == 0 {
			update(t, writer, grant("eve"))
		} else {
			remove(t, writer, grant("eve"))
		}
		if err := replica.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := map[bool]error{true: nil, false: rolecall.ErrDenied}
		may(t, replica, "eve", want[i%2 == 0])
		may(t, replica, "freelance", want[timed.Open(theirs.now())])
		if h := replica.Health(); h.Stale || h.Age != 0 {
			t.Errorf("Health after a jump of %v from %v and a Refresh: %+v, want fresh", jump, was, h)
		}
	}
	var times []time.Time
	for e, err := range far.Changes(t.Context(), 0) {
		if err != nil || int(e.Revision) != len(times)+1 {
			t.Fatalf("Changes: got entry %d, %v, want %d", e.Revision, err, len(times)+1)
		}
		times = append(times, e.Time)
	}
	if diff := cmp.Diff(said, times); diff != "" {
		t.Errorf("the times of the entries, in the order of revisions (-want +got):\n%s", diff)
	}
	injected(t, "jumps of a clock", 2*len(jumps))
}
