package sqlstore

import (
	"bytes"
	"fmt"
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
	remembering := newReader()
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		for _, r := range []reader{{}, remembering, remembering} {
			got := r.plain(body)
			if !bytes.Equal(body, before) {
				t.Fatalf("plain(%q) altered it to %q", before, body)
			}
			if got == nil {
				continue
			}
			want, err := rolecall.UnmarshalStatement(body)
			if err != nil || got != want {
				t.Errorf("plain(%q) = %v, want %v, %v", body, got, want, err)
			}
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
		if got := (reader{}).plain(body); got != s {
			t.Errorf("plain(%s) = %v, want %v", body, got, s)
		}
	}
}

// BenchmarkPlain reads grants of five to a user and 50,000 places.
func BenchmarkPlain(b *testing.B) {
	bodies := make([][]byte, 200_000)
	for i := range bodies {
		body, err := rolecall.MarshalStatement(rolecall.Grant{Subject: rolecall.User(fmt.Sprint("user-", i/5)), Role: "reader", Scope: rolecall.In("folder", fmt.Sprint("f", i*7919%50_000))})
		if err != nil {
			b.Fatal(err)
		}
		bodies[i] = body
	}
	read := newReader()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if st, err := read.statement(bodies[i%len(bodies)]); st == nil || err != nil {
			b.Fatal(st, err)
		}
	}
}
