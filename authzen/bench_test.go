package authzen_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/authzen"
)

// BenchmarkSearchResource looks for the 60 projects, of 50,000, of which a subject may see the page.
func BenchmarkSearchResource(b *testing.B) {
	view := rolecall.NewPermission("project.view")
	c, err := rolecall.NewCatalog(rolecall.Declarations{
		Permissions: []rolecall.PermissionDecl{{Permission: view}},
		ScopeKinds:  []rolecall.ScopeKindDecl{{Kind: "project"}},
	})
	if err != nil {
		b.Fatal(err)
	}
	statements := []rolecall.Statement{rolecall.Role{Name: "viewer", Rules: []rolecall.Rule{{Effect: rolecall.Allow, Patterns: []rolecall.Pattern{"*"}}}}}
	for i := range 50_000 {
		at := rolecall.In("project", fmt.Sprintf("p%05d", i))
		for j := range 10 {
			statements = append(statements, rolecall.Grant{Subject: rolecall.User(fmt.Sprintf("u%05d", (i*7+j*7919)%8_333)), Role: "viewer", Scope: at})
		}
	}
	s, err := rolecall.NewSnapshot(c, statements...)
	if err != nil {
		b.Fatal(err)
	}
	h, err := authzen.NewHandler(still{s.At(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))}, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		w := post(h, searchResource, `{"subject":{"type":"user","id":"u00007"},"action":{"name":"view"},"resource":{"type":"project"}}`)
		if w.Code != 200 {
			b.Fatal(w.Body)
		}
	}
}

// A still is a source of one snapshot.
type still struct{ snapshot *rolecall.Snapshot }

func (s still) Snapshot() (*rolecall.Snapshot, error) { return s.snapshot, nil }
