package rolecalltest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/policy"
)

// A Suite is policies and the tests of them, as far as they can be run again on a changed policy. It measures how much
// of the policies the tests hold down.
type Suite struct{ subjects []underTest }

// underTest is one policy with its tests.
type underTest struct {
	name   string
	policy *rolecall.Snapshot
	try    func(*rolecall.Snapshot) trial
}

// A trial is what came of running the tests on a policy: every answer with its reasons, and what failed.
type trial struct {
	transcript []string
	failures   []string
}

// ScenarioSuite is the scenario files that match the patterns, each the test of its own policy. Every step must pass,
// every pattern match a file, and there be one.
func ScenarioSuite(tb testing.TB, patterns ...string) *Suite {
	tb.Helper()
	s := &Suite{}
	for _, name := range glob(tb, patterns) {
		src, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		f, snapshot, err := policy.Load(name, src)
		if err != nil {
			tb.Fatalf("policy:\n%v", err)
		}
		s.add(tb, underTest{filepath.Base(name), snapshot, func(changed *rolecall.Snapshot) trial { return tryScenario(f, changed) }})
	}
	return s
}

// FuncSuite is a policy file with a test in Go. The test is run many times, on a fresh policy each, so it does no harm
// by being run again; it fails through the testing.TB that it is given, by Error, Errorf, Fatal and their like, and
// starts no subtests.
func FuncSuite(tb testing.TB, file string, test func(tb testing.TB, p *Policy)) *Suite {
	tb.Helper()
	src, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	_, snapshot, err := policy.Load(file, src)
	if err != nil {
		tb.Fatalf("policy:\n%v", err)
	}
	s := &Suite{}
	s.add(tb, underTest{filepath.Base(file), snapshot, func(changed *rolecall.Snapshot) trial { return tryFunc(tb, test, changed) }})
	return s
}

func (s *Suite) add(tb testing.TB, u underTest) {
	tb.Helper()
	if was := u.try(u.policy); len(was.failures) > 0 {
		tb.Fatalf("%s: its tests fail as it is:\n%s", u.name, strings.Join(was.failures, "\n"))
	}
	s.subjects = append(s.subjects, u)
}

func tryScenario(f *policy.File, s *rolecall.Snapshot) trial {
	var t trial
	results := f.Trace(s, func(_ policy.Step, d rolecall.Decision) { t.transcript = append(t.transcript, d.String()) })
	for _, r := range results {
		t.transcript = append(t.transcript, r.Got)
		if !r.OK {
			t.failures = append(t.failures, fmt.Sprintf("line %d: %s: want %s, got %s", r.Step.Line, r.Step.Text, r.Want, r.Got))
		}
	}
	return t
}

func tryFunc(tb testing.TB, test func(testing.TB, *Policy), s *rolecall.Snapshot) trial {
	var t trial
	var mu sync.Mutex
	p := &probe{TB: tb}
	done := make(chan struct{})
	go func() { // Fatal ends the goroutine of a test
		defer close(done)
		defer p.cleanup()
		defer p.recovered()
		test(p, serve(p, s, func(_ context.Context, o rolecall.Observation) {
			mu.Lock()
			defer mu.Unlock()
			if o.Decision != nil {
				t.transcript = append(t.transcript, o.Decision.String())
				return
			}
			t.transcript = append(t.transcript, fmt.Sprint(o.Subject, o.Permission, o.Scope, o.Err))
		}))
	}()
	<-done
	t.failures = p.failures
	return t
}

// A probe is the testing.TB of a test whose failures are wanted: it keeps them instead of failing the real one.
type probe struct {
	testing.TB
	mu       sync.Mutex
	failures []string
	cleanups []func()
}

// What the probe does itself. Everything else is the real test's.
func (p *probe) Error(args ...any)                 { p.fail(fmt.Sprintln(args...)) }
func (p *probe) Errorf(format string, args ...any) { p.fail(fmt.Sprintf(format, args...)) }
func (p *probe) Fail()                             { p.fail("failed") }
func (p *probe) FailNow()                          { p.stop("failed") }
func (p *probe) Fatal(args ...any)                 { p.stop(fmt.Sprintln(args...)) }
func (p *probe) Fatalf(format string, args ...any) { p.stop(fmt.Sprintf(format, args...)) }
func (p *probe) Skip(args ...any)                  { p.stop("skipped: " + fmt.Sprintln(args...)) }
func (p *probe) Skipf(format string, args ...any)  { p.stop("skipped: " + fmt.Sprintf(format, args...)) }
func (p *probe) SkipNow()                          { p.stop("skipped") }
func (p *probe) Log(...any)                        {}
func (p *probe) Logf(string, ...any)               {}
func (p *probe) Helper()                           {}

// Failed says whether the test has failed so far.
func (p *probe) Failed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.failures) > 0
}

// Cleanup keeps f for the end of this run.
func (p *probe) Cleanup(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cleanups = append(p.cleanups, f)
}

func (p *probe) fail(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failures = append(p.failures, strings.TrimSpace(text))
}

// stop is how a test ends itself.
func (p *probe) stop(text string) {
	p.fail(text)
	runtime.Goexit()
}

func (p *probe) cleanup() {
	for _, f := range slices.Backward(p.cleanups) {
		f()
	}
}

// recovered makes a panic of the test a failure of it.
func (p *probe) recovered() {
	if r := recover(); r != nil {
		p.fail(fmt.Sprint("panic: ", r))
	}
}

// Uncovered returns the parts of the policies that no tested answer comes across: without them every answer would be
// what it is and for the same reasons. A part is a statement, or one rule or inheritance of a role.
func (s *Suite) Uncovered(tb testing.TB) []string {
	tb.Helper()
	var uncovered []string
	for _, u := range s.subjects {
		was := u.try(u.policy)
		for _, m := range removals(u.policy) {
			without, ok := m.apply(u.policy)
			if ok && slices.Equal(was.transcript, u.try(without).transcript) {
				uncovered = append(uncovered, u.name+": "+m.what)
			}
		}
	}
	return uncovered
}

// RequireCoverage fails the test for each uncovered part, except those listed as Uncovered writes them.
func (s *Suite) RequireCoverage(tb testing.TB, except ...string) {
	tb.Helper()
	s.require(tb, s.Uncovered(tb), except, "no test comes across")
}

// Survivors returns the changes of the policies that no test notices: something removed, an effect flipped, a window, a
// condition, a mark or a limit dropped. Each is a mistake that somebody could make tomorrow without a red test.
func (s *Suite) Survivors(tb testing.TB) []string {
	tb.Helper()
	var survivors []string
	for _, u := range s.subjects {
		for _, m := range mutations(u.policy) {
			changed, ok := m.apply(u.policy)
			if ok && len(u.try(changed).failures) == 0 {
				survivors = append(survivors, u.name+": "+m.String())
			}
		}
	}
	return survivors
}

// RequireMutationsCaught fails the test for each survivor, except those listed as Survivors writes them.
func (s *Suite) RequireMutationsCaught(tb testing.TB, except ...string) {
	tb.Helper()
	s.require(tb, s.Survivors(tb), except, "no test notices")
}

func (s *Suite) require(tb testing.TB, found, except []string, what string) {
	tb.Helper()
	if len(s.subjects) == 0 {
		tb.Fatal("a suite without a policy tests nothing; make one with ScenarioSuite or FuncSuite")
	}
	for _, one := range found {
		if !slices.Contains(except, one) {
			tb.Errorf("%s: %s", what, one)
		}
	}
	for _, one := range except {
		if !slices.Contains(found, one) {
			tb.Errorf("%q is listed as an exception and is none", one)
		}
	}
}
