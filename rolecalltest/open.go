package rolecalltest

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/memstore"
	"github.com/rolecall-go/rolecall/policy"
)

// A Policy is a resolver over a policy in memory, with a clock that the test sets. It is safe for concurrent use.
type Policy struct {
	*rolecall.Resolver
	// Clock starts at the clock line of the file, otherwise at the first of January 2026.
	Clock *Clock
	// Used records every question that the resolver is asked.
	Used *Recorder

	catalog *rolecall.Catalog
}

// New returns the policy that a text describes. Steps in the text are not run. What the text does not allow fails the
// test at once. The resolver keeps up with its store until the test ends.
func New(tb testing.TB, text string) *Policy {
	tb.Helper()
	return open(tb, "policy", []byte(text))
}

// Load returns the policy of a file.
func Load(tb testing.TB, file string) *Policy {
	tb.Helper()
	src, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	return open(tb, file, src)
}

func open(tb testing.TB, name string, src []byte) *Policy {
	tb.Helper()
	_, s, err := policy.Load(name, src)
	if err != nil {
		tb.Fatalf("policy:\n%v", err)
	}
	return serve(tb, s, nil)
}

// serve opens a resolver over a snapshot, at its instant.
func serve(tb testing.TB, s *rolecall.Snapshot, observe rolecall.Observer) *Policy {
	tb.Helper()
	p := &Policy{Clock: NewClock(tb, s.Now()), Used: NewRecorder(tb), catalog: s.Catalog()}
	told := func(ctx context.Context, o rolecall.Observation) {
		p.Used.Observe(ctx, o)
		if observe != nil {
			observe(ctx, o)
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	var err error
	p.Resolver, err = rolecall.Open(ctx, memstore.With(s), s.Catalog(), &rolecall.Options{Clock: p.Clock.Now, Observe: told})
	if err != nil {
		stop()
		tb.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = p.Run(ctx) // ends with the error of ctx
	}()
	tb.Cleanup(func() {
		stop()
		<-ended
	})
	return p
}

// Catalog returns the vocabulary of the policy.
func (p *Policy) Catalog() *rolecall.Catalog { return p.catalog }

// Edit changes the policy as the host itself, and fails the test where that is refused.
func (p *Policy) Edit(tb testing.TB, edits ...rolecall.Edit) {
	tb.Helper()
	if _, err := p.Resolver.Edit(context.Background(), rolecall.Meta{}, edits...); err != nil {
		tb.Fatalf("edit policy: %v", err)
	}
}

// A program that links this package does not start, unless it is a test.
func init() {
	if !testing.Testing() {
		panic("rolecalltest: this program is no test; import the package from files that end in _test.go only")
	}
}

// glob returns the files that match the patterns, and fails the test where one matches none, or there is no pattern.
func glob(tb testing.TB, patterns []string) []string {
	tb.Helper()
	if len(patterns) == 0 {
		tb.Fatal("there is no pattern of scenario files, so this tests nothing")
	}
	var files []string
	for _, pattern := range patterns {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			tb.Fatalf("no file matches %q (%v)", pattern, err)
		}
		files = append(files, found...)
	}
	return files
}
