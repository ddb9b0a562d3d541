package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/policy"
	"github.com/rolecall-go/rolecall/sqlstore"
)

// What the program declares, and the roles that it ships.
const shipped = `
permission project.view
kind scope project
role lead
  allow project.view
`

// A new project and its lead's grant are one transaction: both are there, or neither.
func ExampleStore_Update() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "rolecall")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "studio.db")+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(wal)&_txlock=immediate")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, "CREATE TABLE projects (id TEXT PRIMARY KEY)"); err != nil {
		log.Fatal(err)
	}

	if err := sqlstore.Migrate(ctx, db, sqlstore.SQLite, nil); err != nil {
		log.Fatal(err)
	}
	store, err := sqlstore.Open(ctx, db, sqlstore.SQLite, nil)
	if err != nil {
		log.Fatal(err)
	}
	file, snapshot, err := policy.Load("studio.rolecall", []byte(shipped))
	if err != nil {
		log.Fatal(err)
	}
	resolver, err := rolecall.Open(ctx, store, snapshot.Catalog(), nil)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := resolver.Edit(ctx, rolecall.Meta{Reason: "release 1"}, rolecall.Put(file.Statements[0])); err != nil {
		log.Fatal(err)
	}

	ada := rolecall.User("ada")
	create := func(id string) {
		revision, err := store.Update(ctx, resolver, rolecall.Meta{Reason: "new project"}, nil,
			func(ctx context.Context, tx *sql.Tx, _ *rolecall.Snapshot) (rolecall.Change, error) {
				_, err := tx.ExecContext(ctx, "INSERT INTO projects (id) VALUES (?)", id)
				lead := rolecall.Grant{Subject: ada, Role: "lead", Scope: rolecall.In("project", id)}
				return rolecall.Change{Edits: []rolecall.Edit{rolecall.Put(lead)}}, err
			})
		fmt.Println(id, "revision", revision, "failed:", err != nil)
	}
	create("alpha")
	create("alpha") // there is one already: nothing is changed, here nor there
	fmt.Println(resolver.Revision(), resolver.Check(ctx, ada, rolecall.NewPermission("project.view"), rolecall.In("project", "alpha")))
	// Output:
	// alpha revision 2 failed: false
	// alpha revision 0 failed: true
	// 2 <nil>
}
