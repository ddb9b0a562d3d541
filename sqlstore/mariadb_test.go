package sqlstore_test

import (
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
