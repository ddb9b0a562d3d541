package sqlstore_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rolecall-go/rolecall/sqlstore"
	"github.com/rolecall-go/rolecall/sqlstore/pgxlisten"
)

// A store that practically never polls learns of commits by notification, and goes on when the listening connection was
// cut.
func TestNotificationsWake(t *testing.T) {
	d := postgres(t)
	db := d.migrated(t)
	tenant := newTenant()
	o := sqlstore.Options{Tenant: tenant, Poll: time.Hour, Channel: tenant}
	writer := openResolver(t, openStore(t, d, db, o), nil)
	update(t, writer, reader)
	other := openStore(t, d, db, o)
	ctx, stop := context.WithCancel(t.Context())
	connections := make(chan *pgx.Conn, 10)
	listened := make(chan error)
	go func() {
		listened <- pgxlisten.Listen(ctx, func(ctx context.Context) (*pgx.Conn, error) {
			c, err := pgx.Connect(ctx, d.dsn)
			if err == nil {
				connections <- c
			}
			return c, err
		}, tenant, other.Wake)
	}()
	waiting := func() <-chan error {
		woken := make(chan error, 1)
		after := writer.Revision()
		go func() { woken <- other.Wait(t.Context(), after) }()
		return woken
	}
	for _, user := range []string{"ada", "bob", "cleo"} {
		listener := <-connections
		for _, change := range []string{"1", "2"} {
			woken := waiting()
			update(t, writer, grant(user+change))
			if err := <-woken; err != nil {
				t.Errorf("Wait with a notification: got %v, want nil", err)
			}
		}
		if _, err := db.ExecContext(t.Context(), "SELECT pg_terminate_backend($1)", int64(listener.PgConn().PID())); err != nil {
			t.Fatal(err)
		}
	}
	woken := waiting()
	update(t, writer, grant("last"))
	if err := <-woken; err != nil {
		t.Errorf("Wait after the listening connection was cut: got %v, want nil", err)
	}
	stop()
	if err := <-listened; !errors.Is(err, context.Canceled) {
		t.Errorf("Listen: got %v, want the error of ctx", err)
	}
}
