package rolecalltest

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/rolecall-go/rolecall"
)

// A Recorder remembers the questions that a test run asked, of a resolver (rolecall.Options.Observe) or of a guard
// (httpauthz.Options.Observe and ObserveBatch). It is safe for concurrent use.
type Recorder struct {
	mu   sync.Mutex
	seen map[question]int
}

type question struct {
	subject    rolecall.Subject
	permission rolecall.Permission
	scope      rolecall.Scope
}

// NewRecorder returns an empty recorder.
func NewRecorder(tb testing.TB) *Recorder {
	tb.Helper()
	return &Recorder{seen: map[question]int{}}
}

// Observe records a question. It is a rolecall.Observer.
func (r *Recorder) Observe(_ context.Context, o rolecall.Observation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen[question{o.Subject, o.Permission, o.Scope}]++
}

// ObserveBatch records the permissions of a page or a set. It is a rolecall.BatchObserver.
func (r *Recorder) ObserveBatch(_ context.Context, o rolecall.BatchObservation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range o.Permissions {
		r.seen[question{subject: o.Subject, permission: p}]++
	}
}

// Permissions returns the permissions that were asked about, in order of name.
func (r *Recorder) Permissions() []rolecall.Permission {
	r.mu.Lock()
	defer r.mu.Unlock()
	used := map[rolecall.Permission]bool{}
	for q := range r.seen {
		used[q.permission] = true
	}
	return slices.SortedFunc(maps.Keys(used), rolecall.Permission.Compare)
}

// Unused returns the permissions that the catalog declares and nobody asked about, in order of name, without the
// built-in ones.
func (r *Recorder) Unused(c *rolecall.Catalog) []rolecall.Permission {
	used := r.Permissions()
	var unused []rolecall.Permission
	for _, d := range c.Declarations().Permissions {
		if !slices.Contains(used, d.Permission) {
			unused = append(unused, d.Permission)
		}
	}
	return unused
}

// RequireAll fails the test where the catalog declares a permission that nobody asked about, except these.
func (r *Recorder) RequireAll(tb testing.TB, c *rolecall.Catalog, except ...rolecall.Permission) {
	tb.Helper()
	for _, p := range r.Unused(c) {
		if !slices.Contains(except, p) {
			tb.Errorf("no test asks about %s: it guards nothing, or what it guards is not tested", p)
		}
	}
}
