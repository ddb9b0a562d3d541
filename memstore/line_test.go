package memstore_test

import (
	"errors"
	"testing"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/memstore"
)

// What was judged on the snapshot that a store starts with is committed where the store goes on with its line.
func TestAStoreGoesOnWithALine(t *testing.T) {
	c, err := rolecall.NewCatalog(rolecall.Declarations{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := rolecall.LoadSnapshot(c, rolecall.State{History: "tables", Revision: 1})
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.At(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)).Propose(rolecall.Change{Edits: []rolecall.Edit{rolecall.Put(rolecall.Suspension{Subject: rolecall.User("ada")})}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		o    *memstore.Options
		want error
	}{{&memstore.Options{Line: "tables"}, nil}, {&memstore.Options{Line: "others"}, rolecall.ErrConflict}, {nil, rolecall.ErrConflict}} {
		store := memstore.NewWithOptions(s, tc.o)
		if err := store.Commit(t.Context(), p); !errors.Is(err, tc.want) {
			t.Errorf("Commit of what was judged on line %q, with options %+v: got %v, want %v", p.History(), tc.o, err, tc.want)
		}
	}
}
