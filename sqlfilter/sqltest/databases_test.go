package sqltest

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/rolecall-go/rolecall/internal/dbserver"
	"github.com/rolecall-go/rolecall/sqlfilter"
	_ "modernc.org/sqlite"
)

var (
	postgreSQL = dbserver.Shared[*dbserver.PostgreSQL]{Start: dbserver.StartPostgreSQL}
	mariaDB    = dbserver.Shared[*dbserver.MariaDB]{Start: dbserver.StartMariaDB}
	made       atomic.Int64 // databases
)

func TestMain(m *testing.M) {
	code := m.Run()
	for _, remove := range []func() error{postgreSQL.Remove, mariaDB.Remove} {
		if err := remove(); err != nil {
			fmt.Fprintln(os.Stderr, "stop a database:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// A database is one for the host's tables.
type database struct {
	*sql.DB
	dialect sqlfilter.Dialect
	driver  string
	dsn     string
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

// same compares two texts byte for byte, whatever the collation of columns.
func (d database) same(a, b string) string {
	switch d.dialect {
	case sqlfilter.SQLite:
		return a + " = " + b + " COLLATE BINARY"
	case sqlfilter.MySQL:
		return "CAST(CONVERT(" + a + " USING utf8mb4) AS BINARY) = CAST(CONVERT(" + b + " USING utf8mb4) AS BINARY)"
	}
	return a + " = " + b
}

// databases calls a test for each kind of database, with an empty one that is its own.
func databases(t *testing.T, each func(*testing.T, database)) {
	for dialect, open := range map[sqlfilter.Dialect]func(*testing.T) database{
		sqlfilter.SQLite: openSQLite, sqlfilter.PostgreSQL: openPostgreSQL, sqlfilter.MySQL: openMariaDB,
	} {
		t.Run(dialect.String(), func(t *testing.T) { each(t, open(t)) })
	}
}

func openSQLite(t *testing.T) database {
	d := openDatabase(t, sqlfilter.SQLite, "sqlite", filepath.Join(t.TempDir(), "host.db"))
	d.SetMaxOpenConns(1)
	return d
}

func openPostgreSQL(t *testing.T) database {
	s, err := postgreSQL.Server()
	if err != nil {
		dbserver.Missing(t, err)
	}
	name := fmt.Sprintf("host%d", made.Add(1))
	openDatabase(t, sqlfilter.PostgreSQL, "pgx", s.DSN("postgres")).exec(t, "CREATE DATABASE "+name)
	return openDatabase(t, sqlfilter.PostgreSQL, "pgx", s.DSN(name))
}

// openMariaDB makes a database whose texts compare loosely: upper case as lower case, and without spaces at the end.
func openMariaDB(t *testing.T) database {
	s, err := mariaDB.Server()
	if err != nil {
		dbserver.Missing(t, err)
	}
	name := fmt.Sprintf("host%d", made.Add(1))
	openDatabase(t, sqlfilter.MySQL, "mysql", s.DSN("")).exec(t, "CREATE DATABASE "+name+" CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
	return openDatabase(t, sqlfilter.MySQL, "mysql", s.DSN(name))
}

func openDatabase(t *testing.T, dialect sqlfilter.Dialect, driver, dsn string) database {
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatalf("%s: %v", dialect, err)
	}
	t.Cleanup(func() { db.Close() })
	return database{db, dialect, driver, dsn}
}
