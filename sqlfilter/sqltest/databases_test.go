package sqltest

import (
	"database/sql"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/rolecall-go/rolecall/internal/dbserver"
	"github.com/rolecall-go/rolecall/sqlfilter"
	_ "modernc.org/sqlite"
)

// A database is one with the host's tables in it.
type database struct {
	*sql.DB
	dialect sqlfilter.Dialect
	dsn     string // of PostgreSQL
}

// exec runs statements whose arguments are written ?.
func (d database) exec(t testing.TB, query string, args ...any) {
	t.Helper()
	if d.dialect == sqlfilter.PostgreSQL {
		for n := 1; strings.Contains(query, "?"); n++ {
			query = strings.Replace(query, "?", "$"+strconv.Itoa(n), 1)
		}
	}
	if _, err := d.Exec(query, args...); err != nil {
		t.Fatalf("%s: %s: %v", d.dialect, query, err)
	}
}

// databases opens each database that is there.
func databases(t *testing.T, each func(*testing.T, database)) {
	t.Run("SQLite", func(t *testing.T) {
		db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "host.db"))
		if err != nil {
			t.Fatal(err)
		}
		db.SetMaxOpenConns(1)
		t.Cleanup(func() { db.Close() })
		each(t, database{DB: db, dialect: sqlfilter.SQLite})
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		server := dbserver.Own(t, dbserver.StartPostgreSQL)
		dsn := server.DSN("postgres")
		db, err := sql.Open("pgx", dsn)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		each(t, database{db, sqlfilter.PostgreSQL, dsn})
	})
}
