// Owntables enforces a policy that is in the tables of a host, here in PostgreSQL: users, teams and projects as they have
// always been (schema.sql). queries.go says what their rows mean, roles.rolecall what they do not say.
//
//	go run . -db postgres://…
//
// It prints what the policy says, and then each change as somebody makes it with plain SQL.
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/policy"
	"github.com/rolecall-go/rolecall/sqlsource"
	"github.com/rolecall-go/rolecall/sqlstore/pgxlisten"
)

func main() {
	dsn := flag.String("db", "", "the database, with the tables of schema.sql")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *dsn, os.Stdout); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dsn string, out io.Writer) error {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	source, resolver, err := open(ctx, db, nil)
	if err != nil {
		return err
	}
	go listen(ctx, dsn, source)
	go resolver.Run(ctx)
	snapshot, err := resolver.Snapshot()
	if err != nil {
		return err
	}
	for st := range snapshot.Statements() {
		fmt.Fprintln(out, st)
	}
	for entry, err := range resolver.Changes(ctx, snapshot.Revision()) {
		if err != nil {
			return err
		}
		for _, d := range entry.Deltas {
			fmt.Fprintf(out, "%d: %v → %v\n", entry.Revision, d.Before, d.After)
		}
	}
	return ctx.Err()
}

// open returns a resolver of what the tables say.
func open(ctx context.Context, db *sql.DB, o *sqlsource.Options) (*sqlsource.Source, *rolecall.Resolver, error) {
	roles, err := policy.Parse("roles.rolecall", rolesText)
	if err != nil {
		return nil, nil, err
	}
	catalog, err := roles.Catalog()
	if err != nil {
		return nil, nil, err
	}
	source, err := sqlsource.Open(ctx, db, catalog, queries(roles), o)
	if err != nil {
		return nil, nil, err
	}
	resolver, err := rolecall.Open(ctx, source, catalog, &rolecall.Options{MaxStaleness: time.Minute})
	return source, resolver, err
}

// listen makes the source look when the triggers of schema.sql tell of a change.
func listen(ctx context.Context, dsn string, source *sqlsource.Source) error {
	connect := func(ctx context.Context) (*pgx.Conn, error) { return pgx.Connect(ctx, dsn) }
	return pgxlisten.Listen(ctx, connect, "policy_changed", source.Wake)
}
