package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/sqlstore"
	"github.com/rolecall-go/rolecall/sqlstore/pgxlisten"
)

// grants returns how many grants the benchmarks have: ROLECALL_GRANTS, 20,000 without.
func grants(b *testing.B) int {
	b.Helper()
	text := os.Getenv("ROLECALL_GRANTS")
	if text == "" {
		return 20_000
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// used returns the processor time of this process.
func used(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// perGrant measures what is done with n grants, by the clock and by the processor.
func perGrant(b *testing.B, n int, do func()) {
	b.Helper()
	b.ReportAllocs()
	runtime.GC()
	before := used(b)
	for b.Loop() {
		do()
	}
	all := float64(n) * float64(b.N)
	b.ReportMetric(float64(b.Elapsed())/all, "ns/grant")
	b.ReportMetric(float64(used(b)-before)/all, "cpu-ns/grant")
}

// BenchmarkLoad loads a policy: its rows alone, as the database and the driver hand them out; then as statements; then
// into a snapshot, which is what a replica does when it starts.
func BenchmarkLoad(b *testing.B) {
	n := grants(b)
	b.Run("postgresql", func(b *testing.B) {
		d := postgres(b)
		db := d.migrated(b)
		tenant := newTenant()
		s := openStore(b, d, db, sqlstore.Options{Tenant: tenant})
		fill(b, db, s, tenant, n)
		b.Run("rows", func(b *testing.B) { perGrant(b, n, func() { readRows(b, db, tenant) }) })
		b.Run("statements", func(b *testing.B) { perGrant(b, n, func() { readStatements(b, s) }) })
		b.Run("snapshot", func(b *testing.B) { perGrant(b, n, func() { openResolver(b, s, nil) }) })
	})
	b.Run("sqlite", func(b *testing.B) {
		d := sqliteAt(filepath.Join(b.TempDir(), "policy.db"))
		db := d.migrated(b)
		const few = 20_000
		s := openStore(b, d, db, sqlstore.Options{})
		r := openResolver(b, s, nil)
		list := []rolecall.Statement{reader}
		for i := range few {
			list = append(list, rolecall.Grant{Subject: rolecall.User(fmt.Sprint("user-", i%(few/5))), Role: "reader", Scope: rolecall.In("folder", fmt.Sprint("f", i*7919%50_000))})
		}
		update(b, r, list...)
		perGrant(b, few, func() { openResolver(b, s, nil) })
	})
}

const manyRoles = 34

// fill puts n grants into a tenant of PostgreSQL: five to a user, which lie apart as in a table that has grown, each at
// one of 50,000 folders. It writes the rows that n/5 commits would have left, in a hundredth of the time.
func fill(b *testing.B, db *sql.DB, s rolecall.Store, tenant string, n int) {
	b.Helper()
	var roles []rolecall.Statement
	for i := range manyRoles {
		role := reader
		role.Name = rolecall.RoleName(fmt.Sprint("role-", i))
		roles = append(roles, role)
	}
	update(b, openResolver(b, s, nil), roles...)
	if _, err := db.ExecContext(b.Context(), `
		INSERT INTO rolecall_statement (policy, hash, kind, key, body)
		SELECT p.id, sha256(convert_to(k.key, 'UTF8')), 'grant', k.key, k.body
		FROM rolecall_policy p, generate_series(0, $2::bigint - 1) i, LATERAL (
			SELECT 'user:user-' || i % ($2 / 5) AS subject, 'role-' || i % $3 AS role, '/folder:f' || i * 7919 % 50000 AS scope
		) g, LATERAL (
			SELECT 'grant ' || subject || ' ' || role || ' at ' || scope AS key,
				'{"grant":{"subject":"' || subject || '","role":"' || role || '","scope":"' || scope || '"}}' AS body
		) k WHERE p.tenant = $1`, tenant, int64(n), int64(manyRoles)); err != nil {
		b.Fatal(err)
	}
	if _, err := db.ExecContext(b.Context(), "VACUUM ANALYZE rolecall_statement"); err != nil {
		b.Fatal(err)
	}
}

func readRows(b *testing.B, db *sql.DB, tenant string) {
	b.Helper()
	rows, err := db.QueryContext(b.Context(), "SELECT body FROM rolecall_statement WHERE policy = (SELECT id FROM rolecall_policy WHERE tenant = $1)", tenant)
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	var body sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&body); err != nil {
			b.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
}

func readStatements(b *testing.B, s rolecall.Store) {
	b.Helper()
	state, err := s.Load(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for _, err := range state.Statements {
		if err != nil {
			b.Fatal(err)
		}
	}
}

// quantiles reports the median and the 99th percentile of what took these times.
func quantiles(b *testing.B, what string, times []time.Duration) {
	b.Helper()
	slices.Sort(times)
	for _, q := range []struct {
		name string
		at   float64
	}{{"p50", 0.5}, {"p99", 0.99}} {
		b.ReportMetric(float64(times[int(q.at*float64(len(times)-1))])/float64(time.Microsecond), "µs-"+what+"-"+q.name)
	}
}

// BenchmarkEnforcedElsewhere commits a change with one resolver and takes the time until another one enforces it, which
// has its own connections and is told by NOTIFY: since the commit was acknowledged, and since it was begun.
func BenchmarkEnforcedElsewhere(b *testing.B) {
	d := postgres(b)
	db := d.migrated(b)
	o := sqlstore.Options{Tenant: newTenant(), Poll: time.Minute, Channel: newTenant()}
	writer := openResolver(b, openStore(b, d, db, o), nil)
	update(b, writer, reader)
	far := openStore(b, d, d.open(b), o)
	replica := openResolver(b, far, &rolecall.Options{Poll: time.Minute})
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan error, 2)
	listening := make(chan bool, 1)
	go func() { ended <- replica.Run(ctx) }()
	go func() {
		ended <- pgxlisten.Listen(ctx, func(ctx context.Context) (*pgx.Conn, error) { return pgx.Connect(ctx, d.dsn) }, o.Channel,
			func() {
				far.Wake()
				select {
				case listening <- true:
				default:
				}
			})
	}()
	<-listening
	var sinceBegun, sinceKept []time.Duration
	for i := 0; b.Loop(); i++ {
		user := fmt.Sprint("user-", i)
		begun := time.Now()
		update(b, writer, grant(user))
		kept := time.Now()
		for replica.Check(b.Context(), rolecall.User(user), mayView, folder) != nil {
			time.Sleep(20 * time.Microsecond)
		}
		sinceBegun, sinceKept = append(sinceBegun, time.Since(begun)), append(sinceKept, time.Since(kept))
	}
	stop()
	for range cap(ended) {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			b.Error(err)
		}
	}
	quantiles(b, "since-kept", sinceKept)
	quantiles(b, "since-begun", sinceBegun)
}

// BenchmarkOneSubject reads what is said of one subject out of all grants, by an index, as a replica would that holds a
// part of the policy (docs/design/too-big-for-one-memory.md), and tells what a subject takes in a snapshot.
func BenchmarkOneSubject(b *testing.B) {
	n := grants(b)
	d := postgres(b)
	db := d.migrated(b)
	tenant := newTenant()
	s := openStore(b, d, db, sqlstore.Options{Tenant: tenant})
	before := heap()
	fill(b, db, s, tenant, n)
	all := openResolver(b, s, nil)
	held := heap() - before
	for _, text := range []string{
		"DROP TABLE IF EXISTS about",
		`CREATE TABLE about AS SELECT substring(body from '"subject":"([^"]*)"') COLLATE "C" AS subject, body FROM rolecall_statement
			WHERE kind = 'grant' AND policy = (SELECT id FROM rolecall_policy WHERE tenant = '` + tenant + `')`,
		"CREATE INDEX about_subject ON about (subject)",
		"VACUUM ANALYZE about",
	} {
		if _, err := db.ExecContext(b.Context(), text); err != nil {
			b.Fatal(err)
		}
	}
	var times []time.Duration
	for b.Loop() {
		began := time.Now()
		if got := aboutSubject(b, db, fmt.Sprint("user:user-", rand.IntN(n/5))); got != 5 {
			b.Fatalf("%d grants of a subject, want 5", got)
		}
		times = append(times, time.Since(began))
	}
	runtime.KeepAlive(all)
	quantiles(b, "subject", times)
	b.ReportMetric(float64(held)/float64(n/5), "heap-B/subject")
}

func aboutSubject(b *testing.B, db *sql.DB, subject string) (n int) {
	b.Helper()
	rows, err := db.QueryContext(b.Context(), "SELECT body FROM about WHERE subject = $1", subject)
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	var body sql.RawBytes
	for ; rows.Next(); n++ {
		if err := rows.Scan(&body); err != nil {
			b.Fatal(err)
		}
		if _, err := rolecall.UnmarshalStatement(body); err != nil {
			b.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
	return n
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
