package decisionlog_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/decisionlog"
	"github.com/rolecall-go/rolecall/memstore"
	"github.com/rolecall-go/rolecall/policy"
)

var (
	ada      = rolecall.User("ada")
	taskView = rolecall.NewPermission("task.view")
	alpha    = rolecall.In("project", "alpha")
	noon     = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

const text = `permission task.view
kind scope project
role viewer
  allow task.view
grant user:ada viewer at /
`

func resolver(t testing.TB, o *rolecall.Options) *rolecall.Resolver {
	t.Helper()
	_, s, err := policy.Load("policy", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	r, err := rolecall.Open(context.Background(), memstore.With(s), s.Catalog(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// logged runs ask with a log and returns what was written, a line a record.
func logged(t *testing.T, o decisionlog.Options, level slog.Level, ask func(observe rolecall.Observer)) (lines []string, c decisionlog.Counters) {
	t.Helper()
	var out bytes.Buffer
	o.Clock = func() time.Time { return noon }
	l := decisionlog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: level}), &o)
	ask(l.Observe)
	ended, end := context.WithCancel(t.Context())
	end()
	if err := l.Run(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("Run: got %v, want the error of its context", err)
	}
	for line := range strings.Lines(out.String()) {
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines, l.Counters()
}

// Every answer of a resolver is a record with stable keys, and a count.
func TestRecords(t *testing.T) {
	got, counters := logged(t, decisionlog.Options{}, slog.LevelInfo, func(observe rolecall.Observer) {
		r := resolver(t, &rolecall.Options{Observe: observe})
		ctx := t.Context()
		_ = r.Check(ctx, ada, taskView, alpha)
		_ = r.Check(ctx, rolecall.User("bob"), taskView, alpha)
		_ = r.Check(ctx, ada, rolecall.NewPermission("budget.approve"), alpha)
		_ = r.Check(decisionlog.BreakGlass(ctx), ada, taskView, rolecall.Global())
		_, _ = r.Decide(ctx, rolecall.Request{Subject: ada, Actor: rolecall.User("sue"), Permission: taskView, Scope: alpha})
		_, _ = r.Decide(ctx, rolecall.Request{Subject: ada, Permission: taskView, Scope: alpha, Narrow: rolecall.ToPatterns("x.y")})
		gone, leave := context.WithCancel(ctx)
		leave()
		_ = r.Check(gone, ada, taskView, alpha)
	})
	const head = `{"time":"2026-03-01T12:00:00Z","level":`
	want := []string{
		head + `"INFO","msg":"decision","subject":"user:ada","permission":"task.view","scope":"/project:alpha","allowed":true,"reason":"granted","revision":0}`,
		head + `"INFO","msg":"decision","subject":"user:bob","permission":"task.view","scope":"/project:alpha","allowed":false,"reason":"nothing said","revision":0}`,
		head + `"ERROR","msg":"decision","subject":"user:ada","permission":"budget.approve","scope":"/project:alpha","allowed":false,"error":"request: no such permission is declared: \"budget.approve\" (unknown)","revision":0}`,
		head + `"WARN","msg":"decision","subject":"user:ada","permission":"task.view","scope":"/","allowed":true,"reason":"granted","revision":0,"break_glass":true}`,
		head + `"INFO","msg":"decision","subject":"user:ada","actor":"user:sue","permission":"task.view","scope":"/project:alpha","allowed":true,"reason":"granted","revision":0}`,
		head + `"ERROR","msg":"decision","subject":"user:ada","permission":"task.view","scope":"/project:alpha","allowed":false,"error":"request: no such permission is declared: \"x.y\" (unknown)","revision":0}`,
		head + `"ERROR","msg":"decision","subject":"user:ada","permission":"task.view","scope":"/project:alpha","allowed":false,"error":"context canceled","revision":0}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(decisionlog.Counters{Allowed: 3, Denied: 1, Failed: 3, Written: 7}, counters); diff != "" {
		t.Errorf("counters (-want +got):\n%s", diff)
	}
}

// A sample leaves out allows and nothing else, and keeps all or none of the same allow within a minute.
func TestSampling(t *testing.T) {
	const each, scopes = 3, 1000
	lines, counters := logged(t, decisionlog.Options{KeepOneIn: 10, Queue: 1 << 16}, slog.LevelInfo, func(observe rolecall.Observer) {
		for i := range scopes {
			o := rolecall.Observation{Subject: ada, Permission: taskView, Scope: rolecall.In("project", fmt.Sprint(i))}
			for range each {
				observe(context.Background(), o)
			}
			observe(decisionlog.BreakGlass(context.Background()), o)
			o.Err = rolecall.Denied
			observe(context.Background(), o)
			o.Err = rolecall.ErrStale
			observe(context.Background(), o)
		}
	})
	kept := map[string]int{}
	always := 0
	for _, line := range lines {
		var r struct {
			Scope  string
			Sample uint64
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		if r.Sample == 0 {
			always++
			continue
		}
		if r.Sample != 10 {
			t.Errorf("%s: got sample %d, want 10", line, r.Sample)
		}
		kept[r.Scope]++
	}
	if always != 3*scopes {
		t.Errorf("got %d records of denials, errors and break-glass, want all %d", always, 3*scopes)
	}
	if n := len(kept); n < scopes/20 || n > scopes/5 {
		t.Errorf("got allows of %d scopes out of %d, want about a tenth", n, scopes)
	}
	for scope, n := range kept {
		if n != each {
			t.Errorf("%s: got %d of its %d allows, want all or none", scope, n, each)
		}
	}
	if counters.Sampled != uint64(each*(scopes-len(kept))) {
		t.Errorf("counters: got %d sampled, want %d", counters.Sampled, each*(scopes-len(kept)))
	}
}

func TestRedact(t *testing.T) {
	mask := func(r *decisionlog.Record) { r.Subject, r.Scope = "user:***", "" }
	lines, _ := logged(t, decisionlog.Options{Redact: mask}, slog.LevelInfo, func(observe rolecall.Observer) {
		observe(context.Background(), rolecall.Observation{Subject: ada, Permission: taskView, Scope: alpha})
	})
	if len(lines) != 1 || strings.Contains(lines[0], "ada") || strings.Contains(lines[0], "alpha") || !strings.Contains(lines[0], "user:***") {
		t.Errorf("redacted: got %q", lines)
	}
}

// A full queue drops and counts; it never makes the caller wait.
func TestQueueIsBounded(t *testing.T) {
	lines, counters := logged(t, decisionlog.Options{Queue: 2}, slog.LevelInfo, func(observe rolecall.Observer) {
		for range 5 {
			observe(context.Background(), rolecall.Observation{Subject: ada, Permission: taskView, Scope: alpha})
		}
	})
	if len(lines) != 2 || counters != (decisionlog.Counters{Allowed: 5, Written: 2, Dropped: 3}) {
		t.Errorf("five answers with room for two: got %d records and %+v", len(lines), counters)
	}
}

// What the handler does not want is counted and not queued; errors it may want all the same.
func TestLevel(t *testing.T) {
	lines, counters := logged(t, decisionlog.Options{}, slog.LevelError, func(observe rolecall.Observer) {
		observe(context.Background(), rolecall.Observation{Subject: ada, Permission: taskView, Scope: alpha})
		observe(context.Background(), rolecall.Observation{Subject: ada, Permission: taskView, Scope: alpha, Err: rolecall.ErrStale})
	})
	if len(lines) != 1 || counters != (decisionlog.Counters{Allowed: 1, Failed: 1, Written: 1}) {
		t.Errorf("with a handler for errors: got %d records and %+v", len(lines), counters)
	}
}

func TestHandlerThatFails(t *testing.T) {
	l := decisionlog.New(broken{slog.DiscardHandler}, nil)
	l.Observe(t.Context(), rolecall.Observation{Subject: ada, Permission: taskView, Scope: alpha})
	ended, end := context.WithCancel(t.Context())
	end()
	_ = l.Run(ended)
	if got := l.Var().String(); got != `{"allowed":1,"denied":0,"failed":0,"written":0,"sampled":0,"dropped":1}` {
		t.Errorf("Var: got %s", got)
	}
}

type broken struct{ slog.Handler }

func (broken) Enabled(context.Context, slog.Level) bool  { return true }
func (broken) Handle(context.Context, slog.Record) error { return errors.New("the disk is full") }

// The hook costs a check that nobody observes no allocation; the benchmark tells its time.
func BenchmarkCheck(b *testing.B) {
	nothing := func(context.Context, rolecall.Observation) {}
	counting := decisionlog.New(slog.DiscardHandler, nil)
	for name, o := range map[string]*rolecall.Options{"off": nil, "empty": {Observe: nothing}, "counting": {Observe: counting.Observe}} {
		r := resolver(b, o)
		b.Run(name, func(b *testing.B) {
			ctx := context.Background()
			b.ReportAllocs()
			for b.Loop() {
				if err := r.Check(ctx, ada, taskView, alpha); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
