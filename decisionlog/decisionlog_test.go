package decisionlog_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"runtime"
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
func logged(t *testing.T, o decisionlog.Options, level slog.Level, ask func(l *decisionlog.Log)) (lines []string, c decisionlog.Counters) {
	t.Helper()
	var out bytes.Buffer
	o.Clock = func() time.Time { return noon }
	l := decisionlog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: level}), &o)
	ask(l)
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
	got, counters := logged(t, decisionlog.Options{}, slog.LevelInfo, func(l *decisionlog.Log) {
		r := resolver(t, &rolecall.Options{Observe: l.Observe})
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

// A page or a set is one record and as many answers as it has; only one without a no is an allow to sampling.
func TestBatches(t *testing.T) {
	edit := rolecall.NewPermission("task.edit")
	both := []rolecall.Permission{taskView, edit}
	page := rolecall.BatchObservation{Subject: ada, Actor: rolecall.User("sue"), Permissions: both, Asked: 10, Granted: 7, Revision: 4}
	whole := rolecall.BatchObservation{Subject: ada, Permissions: both[:1], Asked: 5, Granted: 5, Revision: 4}
	set := rolecall.BatchObservation{Subject: ada, Permissions: both[1:], Kind: "project", Asked: 1, Granted: 1, Revision: 4}
	empty := rolecall.BatchObservation{Subject: ada, Permissions: both[1:], Kind: "project", Asked: 1, Revision: 4}
	faulty := rolecall.BatchObservation{Subject: ada, Permissions: both[:1], Revision: 4, Err: rolecall.ErrUnknown}
	const head = `{"time":"2026-03-01T12:00:00Z","level":`
	pageLine := head + `"INFO","msg":"decisions","subject":"user:ada","actor":"user:sue","permission":"task.view task.edit","asked":10,"granted":7,"revision":4}`
	emptyLine := head + `"INFO","msg":"decisions","subject":"user:ada","permission":"task.edit","kind":"project","allowed":false,"revision":4}`
	faultyLine := head + `"ERROR","msg":"decisions","subject":"user:ada","permission":"task.view","asked":0,"granted":0,"error":"unknown","revision":4}`
	all := []rolecall.BatchObservation{page, whole, set, empty, faulty}
	for _, tc := range []struct {
		keepOneIn uint64
		want      []string
		counters  decisionlog.Counters
	}{
		{0, []string{
			pageLine,
			head + `"INFO","msg":"decisions","subject":"user:ada","permission":"task.view","asked":5,"granted":5,"revision":4}`,
			head + `"INFO","msg":"decisions","subject":"user:ada","permission":"task.edit","kind":"project","allowed":true,"revision":4}`,
			emptyLine, faultyLine,
		}, decisionlog.Counters{Allowed: 13, Denied: 4, Failed: 1, Written: 5}},
		{1 << 60, []string{pageLine, emptyLine, faultyLine}, decisionlog.Counters{Allowed: 13, Denied: 4, Failed: 1, Written: 3, Sampled: 2}},
	} {
		got, counters := logged(t, decisionlog.Options{KeepOneIn: tc.keepOneIn}, slog.LevelInfo, func(l *decisionlog.Log) {
			for _, o := range all {
				l.ObserveBatch(t.Context(), o)
			}
		})
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("keeping one in %d (-want +got):\n%s", tc.keepOneIn, diff)
		}
		if diff := cmp.Diff(tc.counters, counters); diff != "" {
			t.Errorf("keeping one in %d: counters (-want +got):\n%s", tc.keepOneIn, diff)
		}
	}
	lines, _ := logged(t, decisionlog.Options{KeepOneIn: 1 << 60}, slog.LevelInfo, func(l *decisionlog.Log) {
		l.ObserveBatch(decisionlog.BreakGlass(t.Context()), whole)
	})
	if len(lines) != 1 || !strings.Contains(lines[0], `"break_glass":true`) {
		t.Errorf("a page under break-glass: got %q, want a record that says so", lines)
	}
}

// A sample leaves out allows and nothing else, and keeps all or none of the same allow within a minute.
func TestSampling(t *testing.T) {
	const each, scopes = 3, 1000
	lines, counters := logged(t, decisionlog.Options{KeepOneIn: 10, Queue: 1 << 16}, slog.LevelInfo, func(l *decisionlog.Log) {
		for i := range scopes {
			o := rolecall.Observation{Subject: ada, Permission: taskView, Scope: rolecall.In("project", fmt.Sprint(i))}
			for range each {
				l.Observe(context.Background(), o)
			}
			l.Observe(decisionlog.BreakGlass(context.Background()), o)
			o.Err = rolecall.Denied
			l.Observe(context.Background(), o)
			o.Err = rolecall.ErrStale
			l.Observe(context.Background(), o)
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
	lines, _ := logged(t, decisionlog.Options{Redact: mask}, slog.LevelInfo, func(l *decisionlog.Log) {
		l.Observe(context.Background(), rolecall.Observation{Subject: ada, Permission: taskView, Scope: alpha})
	})
	if len(lines) != 1 || strings.Contains(lines[0], "ada") || strings.Contains(lines[0], "alpha") || !strings.Contains(lines[0], "user:***") {
		t.Errorf("redacted: got %q", lines)
	}
}

// A full queue drops and counts; it never makes the caller wait.
func TestQueueIsBounded(t *testing.T) {
	lines, counters := logged(t, decisionlog.Options{Queue: 2}, slog.LevelInfo, func(l *decisionlog.Log) {
		for range 5 {
			l.Observe(context.Background(), rolecall.Observation{Subject: ada, Permission: taskView, Scope: alpha})
		}
	})
	if len(lines) != 2 || counters != (decisionlog.Counters{Allowed: 5, Written: 2, Dropped: 3}) {
		t.Errorf("five answers with room for two: got %d records and %+v", len(lines), counters)
	}
}

// An asking is a handler that asks a question of its own for each record, as one that looks somebody up would.
type asking struct {
	slog.Handler
	ask func()
	n   int
}

func (a *asking) Handle(ctx context.Context, r slog.Record) error {
	if a.n++; a.n > 1000 {
		runtime.Goexit()
	}
	a.ask()
	return a.Handler.Handle(ctx, r)
}

// Run ends although more is asked while it writes what still waits.
func TestRunEndsWhileMoreComes(t *testing.T) {
	handler := &asking{Handler: slog.NewTextHandler(io.Discard, nil)}
	l := decisionlog.New(handler, nil)
	r := resolver(t, &rolecall.Options{Observe: l.Observe})
	handler.ask = func() { _ = r.Check(t.Context(), ada, taskView, alpha) }
	for range 3 {
		handler.ask()
	}
	ended, end := context.WithCancel(t.Context())
	end()
	done := make(chan bool, 1)
	go func() {
		defer close(done)
		_ = l.Run(ended) // the error of its context
		done <- true
	}()
	if ended := <-done; !ended || handler.n < 3 {
		t.Errorf("Run after its context, with a handler that asks for each record: ended by itself is %t after %d records, want true after 3", ended, handler.n)
	}
}

// What the handler does not want is counted and not queued; errors it may want all the same.
func TestLevel(t *testing.T) {
	lines, counters := logged(t, decisionlog.Options{}, slog.LevelError, func(l *decisionlog.Log) {
		l.Observe(context.Background(), rolecall.Observation{Subject: ada, Permission: taskView, Scope: alpha})
		l.Observe(context.Background(), rolecall.Observation{Subject: ada, Permission: taskView, Scope: alpha, Err: rolecall.ErrStale})
	})
	if len(lines) != 1 || counters != (decisionlog.Counters{Allowed: 1, Failed: 1, Written: 1}) {
		t.Errorf("with a handler for errors: got %d records and %+v", len(lines), counters)
	}
}

// A handler is asked at the level at which a record is written: INFO, under break-glass WARN, for an error ERROR.
func TestEachLevelIsAskedFor(t *testing.T) {
	single := rolecall.Observation{Subject: ada, Permission: taskView, Scope: alpha}
	failed := rolecall.Observation{Subject: ada, Permission: taskView, Scope: alpha, Err: rolecall.ErrStale}
	page := rolecall.BatchObservation{Subject: ada, Permissions: []rolecall.Permission{taskView}, Asked: 1, Granted: 1}
	faulty := rolecall.BatchObservation{Subject: ada, Permissions: []rolecall.Permission{taskView}, Err: rolecall.ErrStale}
	for _, tc := range []struct {
		level slog.Level
		want  string // of the records of the four, and again under break-glass
	}{
		{slog.LevelInfo, "INFO ERROR INFO ERROR WARN ERROR WARN ERROR"},
		{slog.LevelWarn, "ERROR ERROR WARN ERROR WARN ERROR"},
		{slog.LevelError, "ERROR ERROR ERROR ERROR"},
	} {
		lines, _ := logged(t, decisionlog.Options{}, tc.level, func(l *decisionlog.Log) {
			for _, ctx := range []context.Context{t.Context(), decisionlog.BreakGlass(t.Context())} {
				l.Observe(ctx, single)
				l.Observe(ctx, failed)
				l.ObserveBatch(ctx, page)
				l.ObserveBatch(ctx, faulty)
			}
		})
		var got []string
		for _, line := range lines {
			var r struct{ Level string }
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatal(err)
			}
			got = append(got, r.Level)
		}
		if got := strings.Join(got, " "); got != tc.want {
			t.Errorf("with a handler for %s and above: got records at %s, want %s", tc.level, got, tc.want)
		}
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

// BenchmarkCheck tells what a log adds to a check. The kinds take turns of a few checks, and the quickest turn of each
// counts, so that a busy machine does not tell one from the other. more-ns is what is left when the check of the snapshot
// alone is taken away: where nothing observes ("off") that is all that a resolver does besides, its look for an observer
// among it; where the handler is off ("counting") answers are counted only.
func BenchmarkCheck(b *testing.B) {
	ctx := context.Background()
	nothing := func(context.Context, rolecall.Observation) {}
	with := func(observe rolecall.Observer) func() error {
		r := resolver(b, &rolecall.Options{Observe: observe})
		return func() error { return r.Check(ctx, ada, taskView, alpha) }
	}
	s, err := resolver(b, nil).Snapshot()
	if err != nil {
		b.Fatal(err)
	}
	var alone time.Duration
	for _, kind := range []struct {
		name  string
		check func() error
	}{
		{"snapshot", func() error { return s.Check(ada, taskView, alpha) }},
		{"off", with(nil)},
		{"empty", with(nothing)},
		{"counting", with(decisionlog.New(slog.DiscardHandler, nil).Observe)},
		{"queueing", with(decisionlog.New(slog.NewJSONHandler(io.Discard, nil), nil).Observe)},
	} {
		b.Run(kind.name, func(b *testing.B) {
			b.ReportAllocs()
			quickest := time.Duration(math.MaxInt64)
			for b.Loop() {
				quickest = min(quickest, turn(b, kind.check))
			}
			if kind.name == "snapshot" {
				alone = quickest
			}
			b.ReportMetric(float64(quickest)/checksInTurn, "check-ns")
			b.ReportMetric(float64(quickest-alone)/checksInTurn, "more-ns")
		})
	}
}

// checksInTurn is so few that a turn mostly ends before somebody else wants the processor.
const checksInTurn = 2000

func turn(b *testing.B, check func() error) time.Duration {
	start := time.Now()
	for range checksInTurn {
		if err := check(); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(start)
}
