package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/sqlstore"
)

// Two replicas follow what a third one commits.
func TestReplicasFollow(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database, db *sql.DB) {
		tenant := newTenant()
		open := func() *rolecall.Resolver {
			return openResolver(t, openStore(t, d, db, sqlstore.Options{Tenant: tenant, Poll: 10 * time.Millisecond}), nil)
		}
		writer := open()
		update(t, writer, reader)
		ctx, stop := context.WithCancel(t.Context())
		ran := make(chan error)
		replicas := []*rolecall.Resolver{open(), open()}
		for _, r := range replicas {
			go func() { ran <- r.Run(ctx) }()
		}
		for i := range 20 {
			revision := update(t, writer, grant(fmt.Sprint(i)))
			for _, r := range replicas {
				for e, err := range r.Changes(t.Context(), revision-1) {
					if err != nil || e.Revision != revision {
						t.Errorf("Changes(%d) of a replica: got %d, %v, want %d", revision-1, e.Revision, err, revision)
					}
					break
				}
				may(t, r, fmt.Sprint(i), nil)
			}
		}
		stop()
		for range replicas {
			if err := <-ran; !errors.Is(err, context.Canceled) {
				t.Errorf("Run: got %v, want the error of ctx", err)
			}
		}
	})
}

// A replica takes in 100,000 grants, committed in changes of 5,000, without keeping them all in another form meanwhile.
// The race detector makes every object larger, so under it fewer are looked at. The pages are the same on every database.
func TestABurstIsTakenInPieces(t *testing.T) {
	d := sqliteFile(t)
	db := d.migrated(t)
	o := sqlstore.Options{Tenant: newTenant()}
	writer := openResolver(t, openStore(t, d, db, o), nil)
	update(t, writer, reader)
	s := openStore(t, d, db, o)
	changes, each := 20, lighter(5_000)
	for c := range changes {
		grants := make([]rolecall.Statement, each)
		for i := range grants {
			grants[i] = grant(fmt.Sprintf("u%d", c*each+i))
		}
		update(t, writer, grants...)
	}
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var most uint64
	deltas := 0
	for e, err := range s.Changes(t.Context(), 1) {
		if err != nil {
			t.Fatalf("Changes: %v", err)
		}
		deltas += len(e.Deltas)
		runtime.GC()
		runtime.ReadMemStats(&now)
		most = max(most, now.HeapAlloc-min(before.HeapAlloc, now.HeapAlloc))
	}
	// Three changes at once are 15,000 statements, of less than 1 kB each with all that it takes to read them.
	if deltas != changes*each || most > 15<<20 {
		t.Errorf("a burst of %d grants: got %d and %d bytes held at most, want all of them and at most %d bytes", changes*each, deltas, most, 15<<20)
	}
}
