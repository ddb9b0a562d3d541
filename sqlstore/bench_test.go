package sqlstore_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/sqlstore"
)

// BenchmarkLoad loads a policy of ROLECALL_GRANTS grants (20,000 without) into a snapshot.
func BenchmarkLoad(b *testing.B) {
	n := 20_000
	if text := os.Getenv("ROLECALL_GRANTS"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			b.Fatal(err)
		}
	}
	for name, d := range map[string]database{"sqlite": sqliteAt(filepath.Join(b.TempDir(), "policy.db")), "postgresql": postgres(b)} {
		b.Run(name, func(b *testing.B) {
			db := d.open(b)
			if err := sqlstore.Migrate(b.Context(), db, d.dialect, nil); err != nil {
				b.Fatal(err)
			}
			s := openStore(b, d, db, sqlstore.Options{Tenant: newTenant()})
			fill(b, s, n)
			b.ReportAllocs()
			for b.Loop() {
				openResolver(b, s, nil)
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "grants/s")
		})
	}
}

// fill commits n grants in changes of 100,000.
func fill(b *testing.B, s rolecall.Store, n int) {
	b.Helper()
	r := openResolver(b, s, nil)
	update(b, r, reader)
	for from := 0; from < n; from += 100_000 {
		grants := make([]rolecall.Statement, min(100_000, n-from))
		for i := range grants {
			grants[i] = rolecall.Grant{Subject: rolecall.User(fmt.Sprint("user-", (from+i)/3)), Role: "reader", Scope: rolecall.In("folder", fmt.Sprint("f", (from+i)%1000))}
		}
		update(b, r, grants...)
	}
}
