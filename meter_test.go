package rolecall_test

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/memstore"
)

// usesOf writes the uses of a reading, sorted.
func usesOf(r rolecall.Reading) []string {
	var out []string
	for _, u := range r.Uses {
		out = append(out, fmt.Sprintf("%s %s at %s", u.Subject, u.Permission, u.Scope))
	}
	slices.Sort(out)
	return out
}

// metered opens a resolver with a meter: ann may see and edit tasks in the project.
func metered(t testing.TB, o *rolecall.MeterOptions) (*rolecall.Resolver, *rolecall.Meter) {
	m := rolecall.NewMeter(o)
	r := openResolver(t, memstore.New(), worldCatalog, &rolecall.Options{Meter: m})
	update(t, r, rolecall.Put(role("r0", rule(rolecall.Allow, "", "task.*"))), rolecall.Put(grant(ann, "r0", project)))
	return r, m
}

// A meter keeps each allow once, by the top of its place, and nothing else.
func TestMeterKeepsWhatIsAllowed(t *testing.T) {
	now := day(0)
	r, m := metered(t, &rolecall.MeterOptions{Clock: func() time.Time { return now }})
	for range 3 {
		_ = r.Check(t.Context(), ann, seeTask, shot)
		_ = r.Check(t.Context(), ann, seeTask, project)
		_ = r.Check(t.Context(), ann, seeShot, shot)
		_ = r.Check(t.Context(), ben, seeTask, shot)
	}
	for _, p := range []rolecall.Permission{editTask, seeShot, rolecall.NewPermission("no.such")} {
		_, _ = r.Decide(t.Context(), rolecall.Request{Subject: ann, Permission: p, Scope: task})
	}
	m.Record(guest, seeShot, global)
	m.Record(rolecall.Subject{}, seeShot, global)
	m.Record(guest, rolecall.Permission{}, global)
	m.Record(guest, seeShot, rolecall.Scope{})
	m.Observe(t.Context(), rolecall.Observation{Subject: bot, Permission: seeTask, Scope: other})
	m.Observe(t.Context(), rolecall.Observation{Subject: bot, Permission: editTask, Scope: other, Err: rolecall.Denied})
	page := rolecall.BatchObservation{Subject: guest, Permissions: []rolecall.Permission{seeShot, {}, setStatus}, Asked: 4, Granted: 1}
	m.ObserveBatch(t.Context(), page)
	m.ObserveBatch(t.Context(), page)
	m.ObserveBatch(t.Context(), rolecall.BatchObservation{Subject: ben, Permissions: page.Permissions, Asked: 4})
	m.ObserveBatch(t.Context(), rolecall.BatchObservation{Permissions: page.Permissions, Asked: 4, Granted: 1})
	m.ObserveBatch(t.Context(), rolecall.BatchObservation{Subject: bot, Permissions: page.Permissions, Asked: 4, Granted: 1, Err: rolecall.ErrStale})
	now = day(1)
	got := m.Collect()
	want := []string{
		"guest:ann shot.view at (no scope)", "guest:ann shot.view at /", "guest:ann task.status.update at (no scope)", "service:bot task.view at /project:p2",
		"user:ann task.update at /project:p", "user:ann task.view at /project:p",
	}
	if diff := cmp.Diff(want, usesOf(got)); diff != "" || got.Dropped != 0 {
		t.Errorf("Collect: dropped %d, want 0; -want +got:\n%s", got.Dropped, diff)
	}
	if !got.From.Equal(day(0)) || !got.Until.Equal(day(1)) {
		t.Errorf("Collect: from %s until %s, want from %s until %s", got.From, got.Until, day(0), day(1))
	}
	_ = r.Check(t.Context(), ann, editTask, shot)
	now = day(2)
	got = m.Collect()
	if diff := cmp.Diff([]string{"user:ann task.update at /project:p"}, usesOf(got)); diff != "" || !got.From.Equal(day(1)) {
		t.Errorf("second Collect: from %s, want %s; -want +got:\n%s", got.From, day(1), diff)
	}
}

func TestMeterDepth(t *testing.T) {
	for depth, want := range map[int]string{0: "/project:p", 1: "/project:p", 2: "/project:p/shot:s", 4: "/project:p/shot:s/task:t/task:t", 9: "/project:p/shot:s/task:t/task:t"} {
		m := rolecall.NewMeter(&rolecall.MeterOptions{Depth: depth})
		m.Record(ann, seeTask, task.In("task", "t"))
		if got := m.Collect().Uses; len(got) != 1 || got[0].Scope.String() != want {
			t.Errorf("Depth %d: Record at %s gives %v, want it at %s", depth, task.In("task", "t"), got, want)
		}
	}
}

// A full meter counts what it does not keep, and has room again once it is collected.
func TestMeterIsBounded(t *testing.T) {
	m := rolecall.NewMeter(&rolecall.MeterOptions{Capacity: 3})
	for round := range 2 {
		for range 2 {
			for i := range 5 {
				m.Record(rolecall.User(fmt.Sprint(i)), seeTask, project)
			}
		}
		if got := m.Collect(); len(got.Uses) != 3 || got.Dropped != 4 {
			t.Errorf("round %d: 5 uses twice, room for 3: got %d uses and %d dropped, want 3 and 4", round, len(got.Uses), got.Dropped)
		}
	}
}

// A capacity of which the table has no number of slots is refused at start; it is no table that a check looks through for ever.
func TestMeterIsNotWithoutBounds(t *testing.T) {
	for _, capacity := range []int{math.MaxInt, math.MaxInt/2 + 1, 1<<26 + 1} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, fmt.Sprint(capacity)) {
					t.Errorf("NewMeter with room for %d: got panic %s, want one that tells the number", capacity, got)
				}
			}()
			rolecall.NewMeter(&rolecall.MeterOptions{Capacity: capacity})
		}()
	}
}

// However collections fall between them, no use is lost.
func TestMeterLosesNothing(t *testing.T) {
	const recorders, uses = 4, 2000
	m := rolecall.NewMeter(&rolecall.MeterOptions{Capacity: recorders * uses})
	var working sync.WaitGroup
	for n := range recorders {
		working.Go(func() {
			for i := range uses {
				who := rolecall.User(fmt.Sprint(n%2, " ", i)) // two at a time race for each
				m.Record(who, seeTask, project)
				m.Record(who, seeTask, project)
			}
		})
	}
	done := make(chan struct{})
	go func() { working.Wait(); close(done) }()
	seen := map[rolecall.Subject]bool{}
	collect := func() {
		r := m.Collect()
		for _, u := range r.Uses {
			seen[u.Subject] = true
		}
		if r.Dropped != 0 {
			t.Errorf("Collect: %d dropped, want 0", r.Dropped)
		}
	}
	for over := false; !over; collect() {
		select {
		case <-done:
			over = true
		default:
		}
	}
	if len(seen) != 2*uses {
		t.Errorf("%d uses in all readings together, want %d", len(seen), 2*uses)
	}
}

// What was allowed before a collection is in its reading, also where somebody else is just putting it in.
func TestMeterCollectsWhatWasBefore(t *testing.T) {
	const rounds = 2000
	m := rolecall.NewMeter(&rolecall.MeterOptions{Capacity: 8})
	var begun, done atomic.Int64
	awaits := func(n *atomic.Int64, want int64) {
		for n.Load() < want {
			runtime.Gosched()
		}
	}
	who := func(n int64) rolecall.Subject { return rolecall.User(fmt.Sprint(n)) }
	go func() {
		for n := range int64(rounds) {
			awaits(&begun, n+1)
			m.Record(who(n), seeTask, project)
			done.Store(n + 1)
		}
	}()
	for n := range int64(rounds) {
		begun.Store(n + 1)
		m.Record(who(n), seeTask, project)
		if r := m.Collect(); !slices.Contains(r.Uses, rolecall.Use{Subject: who(n), Permission: seeTask, Scope: project}) {
			t.Errorf("Collect after Record(%v): %v, want it among them", who(n), r.Uses)
		}
		awaits(&done, n+1)
	}
}

// What a meter knows costs a check no memory.
func TestMeterAllocatesNothing(t *testing.T) {
	r, _ := metered(t, nil)
	ctx := context.Background()
	allocates(t, "Check with a meter", 0, func() { _ = r.Check(ctx, ann, seeTask, shot) })
	full, m := metered(t, &rolecall.MeterOptions{Capacity: 1})
	m.Record(ben, seeTask, shot)
	allocates(t, "Check with a full meter", 0, func() { _ = full.Check(ctx, ann, seeTask, shot) })
}

// BenchmarkMeter reports what a meter adds to a check: short rounds with and without it in turn, of each the lowest tenth,
// so that other programs on the machine count as little as may be.
func BenchmarkMeter(b *testing.B) {
	const round = 2000
	with, _ := metered(b, nil)
	s, err := with.Snapshot()
	if err != nil {
		b.Fatal(err)
	}
	without := openResolver(b, memstore.With(s), worldCatalog, nil)
	who, ctx := rolecall.User(strings.Clone(ann.ID())), context.Background()
	var took [2][]float64
	for b.Loop() {
		for i, r := range []*rolecall.Resolver{without, with} {
			start := time.Now()
			for range round {
				if r.Check(ctx, who, seeTask, shot) != nil {
					b.Fatal("denied")
				}
			}
			took[i] = append(took[i], float64(time.Since(start).Nanoseconds())/round)
		}
	}
	var low [2]float64
	for i := range took {
		slices.Sort(took[i])
		low[i] = took[i][len(took[i])/10]
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(low[0], "ns/check")
	b.ReportMetric(low[1]-low[0], "ns/meter")
}
