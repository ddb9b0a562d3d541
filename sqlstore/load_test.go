package sqlstore

import (
	"bytes"
	"strings"
	"testing"

	"github.com/rolecall-go/rolecall"
)

// What plain reads is what rolecall reads, or it leaves it.
func FuzzPlain(f *testing.F) {
	for _, s := range []rolecall.Statement{
		rolecall.Grant{Subject: rolecall.User("ada"), Role: "reader", Scope: rolecall.In("folder", "a")},
		rolecall.Grant{Subject: rolecall.Everyone(), Role: "reader", Scope: rolecall.Global(), Replace: true},
		rolecall.Grant{Subject: rolecall.User(`a"b\c é😀 `), Role: "reader", Scope: rolecall.In("folder", "<&>")},
		rolecall.Membership{Member: rolecall.User("ada"), Group: rolecall.Group(strings.Repeat("é", 128))},
		rolecall.Suspension{Subject: rolecall.User("ada")},
	} {
		body, err := rolecall.MarshalStatement(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	for _, odd := range []string{
		`{"grant":{"subject":"ada","role":"r","scope":"/"}}`, `{"grant":{"subject":"user:ada","role":"","scope":"/"}}`,
		`{"grant":{"subject":"user:ada","role":"r","scope":"/"}} `, `{"grant":{"subject":"user:a\u0064a","role":"r","scope":"/"}}`,
		"{\"grant\":{\"subject\":\"user:ada\",\"role\":\"\xff\",\"scope\":\"/\"}}", `{"member":{"member":"user:ada","group":"user:bob"}}`,
		"{\"grant\":{\"subject\":\"user:ada\",\"role\":\"a\nb\",\"scope\":\"/\"}}",
	} {
		f.Add([]byte(odd))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		got := plain(body)
		if !bytes.Equal(body, before) {
			t.Fatalf("plain(%q) altered it to %q", before, body)
		}
		if got == nil {
			return
		}
		want, err := rolecall.UnmarshalStatement(body)
		if err != nil || got != want {
			t.Errorf("plain(%q) = %v, want %v, %v", body, got, want, err)
		}
	})
}

// Without this the fuzz test could pass because plain never reads anything.
func TestPlainReadsTheUsualStatements(t *testing.T) {
	for _, s := range []rolecall.Statement{
		rolecall.Grant{Subject: rolecall.User("ada"), Role: "reader", Scope: rolecall.In("folder", "a").In("folder", "b c")},
		rolecall.Membership{Member: rolecall.User("ada"), Group: rolecall.Group("crew")},
	} {
		body, err := rolecall.MarshalStatement(s)
		if err != nil {
			t.Fatal(err)
		}
		if got := plain(body); got != s {
			t.Errorf("plain(%s) = %v, want %v", body, got, s)
		}
	}
}
