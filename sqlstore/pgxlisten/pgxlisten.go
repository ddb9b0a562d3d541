// Package pgxlisten wakes a sqlstore.Store when PostgreSQL notifies of a commit, so that replicas learn of changes in
// milliseconds rather than at their next poll. It needs a connection of its own, of pgx, because database/sql cannot
// wait for notifications:
//
//	store, err := sqlstore.Open(ctx, db, sqlstore.PostgreSQL, &sqlstore.Options{Channel: "rolecall"})
//	…
//	go pgxlisten.Listen(ctx, connect, "rolecall", store.Wake)
//
// Nothing depends on it but latency: a notification that is lost is made up for by polling. It does not work through a
// proxy that pools transactions, nor on a standby.
package pgxlisten

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
)

// The pauses between attempts to connect.
const (
	firstPause   = 50 * time.Millisecond
	longestPause = 10 * time.Second
)

// Listen calls wake for each notification on the channel, and whenever it has connected, until ctx ends. It returns the
// error of ctx. Other errors do not end it: it calls connect again, after pauses that grow to ten seconds, so that connect
// is where a host sees how often that happens.
func Listen(ctx context.Context, connect func(ctx context.Context) (*pgx.Conn, error), channel string, wake func()) error {
	pause := firstPause
	for ctx.Err() == nil {
		_ = listen(ctx, connect, channel, func() { pause = firstPause; wake() }) // whatever it was, it is tried again
		timer := time.NewTimer(pause/2 + rand.N(pause/2))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
		pause = min(2*pause, longestPause)
	}
	return ctx.Err()
}

// listen uses one connection for as long as it works, and says why it no longer does.
func listen(ctx context.Context, connect func(ctx context.Context) (*pgx.Conn, error), channel string, wake func()) error {
	conn, err := connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{channel}.Sanitize()); err != nil {
		return err
	}
	for {
		wake() // the first time for what was committed before
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return err
		}
	}
}
