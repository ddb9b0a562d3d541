package sqlstore_test

import (
	"context"
	"database/sql"
	"runtime"
	"testing"
	"time"

	"github.com/rolecall-go/rolecall/sqlstore"
)

// The only connection of the pool is a host's. Somebody who wants to look where the policy stands waits for it, but holds
// nothing up: the host's change goes on, and then it is the other one's turn.
func TestWhoWaitsForAConnectionHoldsUpNoCommit(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database, db *sql.DB) {
		s := openStore(t, d, db, sqlstore.Options{Tenant: newTenant()})
		r := openResolver(t, s, nil)
		update(t, r, reader)
		p := proposal(t, r, grant("ada"))
		db.SetMaxOpenConns(1)
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // so that a deadlock fails
		defer cancel()
		before, looked := db.Stats().WaitCount, make(chan error)
		go func() { looked <- s.Wait(ctx, 1) }()
		for db.Stats().WaitCount == before {
			runtime.Gosched()
		}
		if err := s.In(tx).Commit(ctx, p); err != nil {
			t.Errorf("In(tx).Commit while somebody waits for a connection: %v", err)
		}
		if err := tx.Commit(); err != nil {
			t.Error(err)
		}
		if err := <-looked; err != nil {
			t.Errorf("Wait once there is a connection: %v", err)
		}
	})
}
