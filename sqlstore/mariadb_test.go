package sqlstore_test

import (
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"testing"

	"github.com/rolecall-go/rolecall/sqlstore"
)

// A session that would garble ids, or see what is not committed, is refused.
func TestMariaDBSessionsAreJudged(t *testing.T) {
	d := mariadb(t)
	d.migrated(t)
	for setting, word := range map[string]string{
		"charset=latin1": "character_set", "autocommit=0": "autocommit", "tx_isolation=%27READ-UNCOMMITTED%27": "READ-UNCOMMITTED",
	} {
		odd := d
		odd.dsn += "&" + setting
		if _, err := sqlstore.Open(t.Context(), odd.open(t), d.dialect, nil); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("Open with %s: got %v, want an error about %s", setting, err, word)
		}
	}
}

// A migration that was cut off between two of its statements goes on.
func TestAMariaDBMigrationGoesOn(t *testing.T) {
	d := mariadb(t)
	db := d.open(t)
	o := &sqlstore.Options{Prefix: "cut_"}
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE cut_schema (version INTEGER PRIMARY KEY) ENGINE = InnoDB"); err != nil {
		t.Fatal(err)
	}
	if err := sqlstore.Migrate(t.Context(), db, d.dialect, o); err != nil {
		t.Fatalf("Migrate after one that was cut off: %v", err)
	}
	if _, err := sqlstore.Open(t.Context(), db, d.dialect, o); err != nil {
		t.Errorf("Open: %v", err)
	}
}

// A Migrate whose wait for another one is broken off has no lock, and changes nothing.
func TestAMariaDBMigrationWaitsOrFails(t *testing.T) {
	d := mariadb(t)
	db := d.open(t)
	o := &sqlstore.Options{Prefix: "wait_"}
	number := fnv.New64a()
	number.Write([]byte("rolecall wait_"))
	lock := fmt.Sprintf("rolecall %d", int64(number.Sum64()))
	other, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.ExecContext(t.Context(), "DO get_lock(?, 0)", lock); err != nil {
		t.Fatal(err)
	}
	migrated := make(chan error, 1)
	go func() { migrated <- sqlstore.Migrate(t.Context(), db, d.dialect, o) }()
	if err := breakOff(t, db, lock, migrated); err == nil {
		t.Error("Migrate that was broken off while it waited: got no error, want one")
	}
	if have, _, err := sqlstore.Version(t.Context(), db, d.dialect, o); have != 0 || err != nil {
		t.Errorf("Version after that = %d, %v, want 0", have, err)
	}
	if _, err := other.ExecContext(t.Context(), "DO release_lock(?)", lock); err != nil {
		t.Fatal(err)
	}
	if err := sqlstore.Migrate(t.Context(), db, d.dialect, o); err != nil {
		t.Errorf("Migrate when the other one is done: %v", err)
	}
}

// breakOff ends what a session waits for a lock in as soon as it waits, and returns how what it belongs to ended.
func breakOff(t *testing.T, db *sql.DB, lock string, ended <-chan error) error {
	t.Helper()
	for {
		var session int64
		err := db.QueryRowContext(t.Context(),
			"SELECT id FROM information_schema.processlist WHERE state = 'User lock' AND info LIKE ?", "%'"+lock+"'%").Scan(&session)
		if err == nil {
			if _, err := db.ExecContext(t.Context(), fmt.Sprintf("KILL QUERY %d", session)); err != nil {
				t.Fatal(err)
			}
			return <-ended
		}
		if !errors.Is(err, sql.ErrNoRows) {
			t.Fatal(err)
		}
		select {
		case err := <-ended:
			return err
		default:
		}
	}
}
