package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/sqlstore"
)

// Somebody is let in while they are forgotten. The change of an Update that alters nothing was judged on a policy without
// them, so it is made again, whatever the isolation level.
func TestAChangeOfNothingConflictsToo(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database, db *sql.DB) {
		for name, how := range levels(d) {
			for edits, change := range map[string]rolecall.Change{
				"no edits":    {},
				"no effect":   {Edits: []rolecall.Edit{rolecall.Put(reader)}},
				"nobody left": {Edits: []rolecall.Edit{rolecall.ForgetSubject(rolecall.User("bob"))}},
			} {
				tenant := newTenant()
				s := openStore(t, d, db, sqlstore.Options{Tenant: tenant})
				r := openResolver(t, s, nil)
				other := openResolver(t, openStore(t, d, db, sqlstore.Options{Tenant: tenant}), nil)
				update(t, r, reader)
				orders, _ := hostTables(t, db)
				var saw []rolecall.Revision
				revision, err := s.Update(t.Context(), r, rolecall.Meta{}, how, func(ctx context.Context, tx *sql.Tx, now *rolecall.Snapshot) (rolecall.Change, error) {
					if saw = append(saw, now.Revision()); len(saw) == 1 {
						if err := other.Refresh(ctx); err != nil {
							return rolecall.Change{}, err
						}
						update(t, other, grant("bob"))
					}
					_, err := tx.ExecContext(ctx, "INSERT INTO "+orders+" VALUES ('bob left')")
					return change, err
				})
				want := rolecall.Revision(2)
				if edits == "nobody left" {
					want = 3
				}
				if err != nil || revision != want || fmt.Sprint(saw) != "[1 2]" || notes(t, db, orders) != 1 {
					t.Errorf("%s, %s: Update while somebody else commits: got %d, %v, fn saw revisions %v, %d orders; want %d, no error, [1 2], 1",
						name, edits, revision, err, saw, notes(t, db, orders), want)
				}
			}
		}
	})
}
