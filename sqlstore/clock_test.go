package sqlstore_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/memstore"
	"github.com/rolecall-go/rolecall/rolecalltest"
	"github.com/rolecall-go/rolecall/sqlstore"
)

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
	ours, theirs := rolecalltest.NewClock(t, noon), rolecalltest.NewClock(t, noon)
	writer := openResolver(t, near, &rolecall.Options{Clock: ours.Now})
	replica := openResolver(t, far, &rolecall.Options{Clock: theirs.Now, MaxStaleness: staleness})
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
		was := theirs.Now()
		theirs.Advance(jump)
		may(t, replica, "freelance", rolecall.ErrStale)
		theirs.Advance(-jump) // where a clock has gone back, coming by again is not being fresh again
		if jump < 0 {
			may(t, replica, "freelance", rolecall.ErrStale)
		}
		theirs.Advance(jump)

		ours.Advance(-jump)
		said = append(said, ours.Now())
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
		may(t, replica, "freelance", want[timed.Open(theirs.Now())])
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
