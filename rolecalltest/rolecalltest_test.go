package rolecalltest_test

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/httpauthz"
	"github.com/rolecall-go/rolecall/rolecalltest"
)

var update = flag.Bool("update", false, "rewrite golden files")

var (
	ada         = rolecall.User("ada")
	alpha       = rolecall.In("project", "alpha")
	beta        = rolecall.In("project", "beta")
	taskView    = rolecall.NewPermission("task.view")
	taskUpdate  = rolecall.NewPermission("task.update")
	taskDelete  = rolecall.NewPermission("task.delete")
	taskApprove = rolecall.NewPermission("task.approve")
)

const studio = "testdata/studio.rolecall"

// A fakeTB is a test whose failures are looked at.
type fakeTB struct {
	testing.TB
	errors []string
}

func (f *fakeTB) Errorf(format string, args ...any) {
	f.errors = append(f.errors, fmt.Sprintf(format, args...))
}
func (f *fakeTB) Error(args ...any)                 { f.errors = append(f.errors, fmt.Sprint(args...)) }
func (f *fakeTB) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
func (f *fakeTB) Fatal(args ...any)                 { panic(fmt.Sprint(args...)) }
func (f *fakeTB) Helper()                           {}

// failures runs fn as a test and returns what it complained of.
func failures(t *testing.T, fn func(tb testing.TB)) (complaints []string) {
	t.Helper()
	f := &fakeTB{TB: t}
	defer func() {
		complaints = f.errors
		if r := recover(); r != nil {
			complaints = append(complaints, fmt.Sprint(r))
		}
	}()
	fn(f)
	return
}

// wantFailure says that fn fails once, with a text that has all the words.
func wantFailure(t *testing.T, what string, fn func(tb testing.TB), words ...string) {
	t.Helper()
	got := failures(t, fn)
	if len(words) == 0 {
		if len(got) != 0 {
			t.Errorf("%s: got failures %q, want none", what, got)
		}
		return
	}
	if len(got) != 1 {
		t.Errorf("%s: got %d failures %q, want one", what, len(got), got)
		return
	}
	for _, w := range words {
		if !strings.Contains(got[0], w) {
			t.Errorf("%s: got failure %q, want it to have %q", what, got[0], w)
		}
	}
}

func TestAllowAndDenySayWhy(t *testing.T) {
	p := rolecalltest.Load(t, studio)
	type ask = func(testing.TB, rolecalltest.Decider, rolecall.Subject, rolecall.Permission, rolecall.Scope, ...rolecall.Facts)
	one := func(f ask, permission rolecall.Permission, at rolecall.Scope, facts ...rolecall.Facts) func(testing.TB) {
		return func(tb testing.TB) { f(tb, p, ada, permission, at, facts...) }
	}
	assigned := rolecalltest.NewFacts(t, "assigned")
	wantFailure(t, "Allow what is allowed", one(rolecalltest.Allow, taskView, alpha))
	wantFailure(t, "Deny what is denied", one(rolecalltest.Deny, taskView, beta))
	wantFailure(t, "Allow under a condition", one(rolecalltest.Allow, taskUpdate, alpha, assigned))
	wantFailure(t, "Allow with several facts", one(rolecalltest.Allow, taskUpdate, alpha, rolecall.Given{}, assigned))
	wantFailure(t, "Allow what is denied", one(rolecalltest.Allow, taskView, beta), "want allowed", "override user:ada deny task.view")
	wantFailure(t, "Deny what is allowed", one(rolecalltest.Deny, taskView, alpha), "want denied", "grant group:animation artist", "through group:animation")
	typo := rolecall.NewPermission("task.veiw")
	wantFailure(t, "Deny what is not declared", one(rolecalltest.Deny, typo, alpha), "task.veiw", "unknown")
	wantFailure(t, "Allow what is not declared", one(rolecalltest.Allow, typo, alpha), "task.veiw", "unknown")
	none := rolecall.FactFunc(func(rolecall.Condition) (bool, error) { return false, nil })
	unsaid := rolecalltest.NewFacts(t)
	unsaid.CannotSay("asigned")
	for what, facts := range map[string][]rolecall.Facts{
		"a given condition":                {rolecall.Given{"asigned"}},
		"one of two given":                 {rolecall.Given{"asigned"}, rolecall.Given{}},
		"one given beside a function":      {none, rolecall.Given{"asigned"}},
		"one set by a test":                {rolecalltest.NewFacts(t, "assigned", "asigned")},
		"one that nobody can say":          {unsaid},
		"one set by a test beside another": {nil, rolecall.Given{"assigned"}, rolecalltest.NewFacts(t, "asigned")},
	} {
		wantFailure(t, "Deny with "+what+" misspelt", one(rolecalltest.Deny, taskUpdate, beta, facts...), "asigned", "unknown")
		wantFailure(t, "Allow with "+what+" misspelt", one(rolecalltest.Allow, taskView, alpha, facts...), "asigned", "unknown")
	}
	wantFailure(t, "DenyRequest with a condition misspelt", func(tb testing.TB) {
		rolecalltest.DenyRequest(tb, p.Resolver, rolecall.Request{Subject: ada, Permission: taskUpdate, Scope: beta, Facts: unsaid})
	}, "asigned", "unknown")
	wantFailure(t, "Allow where one fact cannot be said and another holds", one(rolecalltest.Allow, taskUpdate, alpha, cannotSay(t), nil, assigned))
	wantFailure(t, "Deny where nobody can say", one(rolecalltest.Deny, taskUpdate, alpha, rolecall.Given{}, nil, cannotSay(t)))
	wantFailure(t, "a request", func(tb testing.TB) {
		rolecalltest.AllowRequest(tb, p, rolecall.Request{Subject: ada, Permission: taskView, Scope: alpha, Narrow: rolecall.ToPatterns("task.update")})
	}, "narrowed")
	wantFailure(t, "a request that is denied", func(tb testing.TB) {
		rolecalltest.DenyRequest(tb, p, rolecall.Request{Subject: ada, Permission: taskView, Scope: alpha, Narrow: rolecall.ToPatterns("task.update")})
	})
}

func cannotSay(t *testing.T) rolecall.Facts {
	f := rolecalltest.NewFacts(t)
	f.CannotSay("assigned")
	return f
}

func TestPolicyIsCheckedAndLive(t *testing.T) {
	wantFailure(t, "a faulty policy", func(tb testing.TB) { rolecalltest.New(tb, "grant user:ada artist at /") }, "policy:", "artist", "unknown")
	wantFailure(t, "a missing file", func(tb testing.TB) { rolecalltest.Load(tb, "testdata/none") }, "none")
	p := rolecalltest.Load(t, studio)
	rolecalltest.Allow(t, p, ada, taskView, alpha)
	p.Clock.Set(time.Date(2026, 6, 30, 23, 59, 59, 0, time.UTC))
	rolecalltest.Allow(t, p, ada, taskView, alpha)
	p.Clock.Advance(time.Second)
	rolecalltest.Deny(t, p, ada, taskView, alpha)
	p.Clock.Set(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	p.Edit(t, rolecall.Put(rolecall.Suspension{Subject: ada}))
	rolecalltest.Deny(t, p, ada, taskView, alpha)
	wantFailure(t, "an edit that is refused", func(tb testing.TB) {
		p.Edit(tb, rolecall.Remove(rolecall.Role{Name: "artist"}))
	}, "edit policy", "in-use")
}

func TestFacts(t *testing.T) {
	f := rolecalltest.NewFacts(t, "a")
	f.CannotSay("b")
	f.Hold("c", true)
	f.Hold("c", false)
	var got []string
	for _, c := range []rolecall.Condition{"a", "b", "c", "d"} {
		holds, err := f.Holds(c)
		got = append(got, fmt.Sprintf("%s %v %v", c, holds, err != nil))
	}
	if diff := cmp.Diff([]string{"a true false", "b false true", "c false false", "d false false"}, got); diff != "" {
		t.Errorf("Holds (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]rolecall.Condition{"a", "b", "c", "d"}, f.Asked()); diff != "" {
		t.Errorf("Asked (-want +got):\n%s", diff)
	}
}

func TestMatrix(t *testing.T) {
	p := rolecalltest.Load(t, studio)
	m := rolecalltest.Matrix{
		Subjects:    []rolecall.Subject{ada, rolecall.User("lea"), rolecall.User("root")},
		Permissions: []rolecall.Permission{taskView, taskUpdate, taskDelete},
		Scopes:      []rolecall.Scope{rolecall.Global(), alpha, beta, rolecall.In("project", "secret")},
		Facts:       func(rolecall.Subject, rolecall.Scope) rolecall.Facts { return rolecall.Given{"assigned"} },
	}
	m.Check(t, p, "testdata/matrix.txt")
	if *update {
		return
	}
	p.Edit(t, rolecall.Remove(rolecall.Override{Subject: ada, Pattern: "task.view", Scope: beta}))
	wantFailure(t, "a matrix after an edit", func(tb testing.TB) { m.Check(tb, p, "testdata/matrix.txt") },
		"testdata/matrix.txt", "- user:ada   /project:beta    -          -            -",
		"+ user:ada   /project:beta    allow      -            -", "ROLECALL_UPDATE")
	wantFailure(t, "an empty matrix", func(tb testing.TB) { rolecalltest.Matrix{}.Check(tb, p, "x") }, "leaves some out")
	wantFailure(t, "no golden file", func(tb testing.TB) { m.Check(tb, p, filepath.Join(t.TempDir(), "none")) }, "subject", "ROLECALL_UPDATE")

	// It writes what it would compare.
	t.Setenv("ROLECALL_UPDATE", "1")
	file := filepath.Join(t.TempDir(), "deep", "matrix.txt")
	m.Check(t, p, file)
	for _, word := range []string{"", "0", "false"} {
		t.Setenv("ROLECALL_UPDATE", word)
		m.Check(t, p, file)
		wantFailure(t, "no golden file and ROLECALL_UPDATE="+word, func(tb testing.TB) { m.Check(tb, p, file+".none") }, "run the test again")
	}
	t.Setenv("ROLECALL_UPDATE", "please")
	wantFailure(t, "ROLECALL_UPDATE=please", func(tb testing.TB) { m.Check(tb, p, file) }, "ROLECALL_UPDATE", `"please"`)
}

func TestMatrixTellsErrors(t *testing.T) {
	p := rolecalltest.Load(t, studio)
	m := rolecalltest.Matrix{
		Subjects: []rolecall.Subject{ada}, Permissions: []rolecall.Permission{rolecall.NewPermission("task.veiw")}, Scopes: []rolecall.Scope{alpha},
	}
	got := failures(t, func(tb testing.TB) { m.Check(tb, p, filepath.Join(t.TempDir(), "none")) })
	if len(got) != 2 || !strings.Contains(got[0], "unknown") {
		t.Errorf("a matrix with an undeclared permission: got failures %q, want the error first", got)
	}
	m.Permissions = []rolecall.Permission{taskView}
	m.Facts = func(rolecall.Subject, rolecall.Scope) rolecall.Facts { return rolecalltest.NewFacts(t, "asigned") }
	got = failures(t, func(tb testing.TB) { m.Check(tb, p, filepath.Join(t.TempDir(), "none")) })
	if len(got) != 2 || !strings.Contains(got[0], "asigned") {
		t.Errorf("a matrix with an undeclared condition: got failures %q, want the error first", got)
	}
}

func TestScenarios(t *testing.T) { rolecalltest.Scenarios(t, "testdata/*.rolecall") }

// Runs this test binary again, to see what go test -run reaches and how a failing step is told.
func TestScenariosByName(t *testing.T) {
	switch file := os.Getenv("ROLECALLTEST_SCENARIO"); file {
	case "":
	case "none":
		rolecalltest.Scenarios(t)
		return
	default:
		rolecalltest.Scenarios(t, file)
		return
	}
	file := filepath.Join(t.TempDir(), "broken.rolecall")
	src := "permission task.view\n\nexpect deny user:ada task.view at /\nexpect allow user:ada task.view at /\n"
	if err := os.WriteFile(file, []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(pattern, file string) (string, error) {
		cmd := exec.Command(os.Args[0], "-test.v", "-test.run", pattern)
		cmd.Env = append(os.Environ(), "ROLECALLTEST_SCENARIO="+file)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	out, err := run("^TestScenariosByName$/broken.rolecall/line_3$", file)
	if err != nil || !strings.Contains(out, "--- PASS: TestScenariosByName/broken.rolecall/line_3") || strings.Contains(out, "line_4") {
		t.Errorf("running line 3 only: got %v and\n%s", err, out)
	}
	out, err = run("^TestScenariosByName$", file)
	for _, want := range []string{"--- PASS: TestScenariosByName/broken.rolecall/line_3", "--- FAIL: TestScenariosByName/broken.rolecall/line_4", "want allow", "got  deny", "nothing in the policy speaks of it"} {
		if err == nil || !strings.Contains(out, want) {
			t.Errorf("running all lines: got %v and\n%s\nwant %q in it", err, out, want)
		}
	}
	if out, err = run("^TestScenariosByName$", "none"); err == nil || !strings.Contains(out, "no pattern") {
		t.Errorf("running no file: got %v and\n%s\nwant it to fail for want of a pattern", err, out)
	}
}

// Everything in studio.rolecall is needed by its steps.
func TestCoverageAndMutation(t *testing.T) {
	suite := rolecalltest.ScenarioSuite(t, studio)
	suite.RequireCoverage(t)
	suite.RequireMutationsCaught(t)
}

func TestWeakTestsAreFound(t *testing.T) {
	suite := rolecalltest.ScenarioSuite(t, "testdata/weak.rolecall")
	want := []string{"weak.rolecall: grant user:bob viewer at /"}
	if diff := cmp.Diff(want, suite.Uncovered(t)); diff != "" {
		t.Errorf("Uncovered (-want +got):\n%s", diff)
	}
	want = []string{
		`weak.rolecall: remove "allow task.update" of role editor`,
		`weak.rolecall: make deny of "allow task.update" of role editor`,
		`weak.rolecall: remove grant user:ada editor at /`,
		`weak.rolecall: remove grant user:bob viewer at /`,
	}
	if diff := cmp.Diff(want, suite.Survivors(t)); diff != "" {
		t.Errorf("Survivors (-want +got):\n%s", diff)
	}
	wantFailure(t, "RequireCoverage", func(tb testing.TB) { suite.RequireCoverage(tb) }, "no test comes across: weak.rolecall: grant user:bob viewer")
	wantFailure(t, "RequireMutationsCaught", func(tb testing.TB) { suite.RequireMutationsCaught(tb, want[1:]...) }, "no test notices: weak.rolecall: remove \"allow task.update\"")
	wantFailure(t, "an exception that is none", func(tb testing.TB) {
		suite.RequireCoverage(tb, "weak.rolecall: grant user:bob viewer at /", "nothing")
	}, `"nothing" is listed as an exception and is none`)
}

func TestFuncSuite(t *testing.T) {
	test := func(tb testing.TB, p *rolecalltest.Policy) {
		rolecalltest.Allow(tb, p, ada, taskView, rolecall.Global())
		if err := p.Check(tb.Context(), ada, taskUpdate, alpha); err != nil {
			tb.Fatalf("Check: %v", err)
		}
		rolecalltest.Deny(tb, p, ada, taskUpdate, beta)
	}
	suite := rolecalltest.FuncSuite(t, "testdata/weak.rolecall", test)
	if diff := cmp.Diff([]string{"weak.rolecall: grant user:bob viewer at /"}, suite.Uncovered(t)); diff != "" {
		t.Errorf("Uncovered (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"weak.rolecall: remove grant user:bob viewer at /"}, suite.Survivors(t)); diff != "" {
		t.Errorf("Survivors (-want +got):\n%s", diff)
	}
	wantFailure(t, "a test that fails as it is", func(tb testing.TB) {
		rolecalltest.FuncSuite(tb, "testdata/weak.rolecall", func(tb testing.TB, p *rolecalltest.Policy) { tb.Fatal("red") })
	}, "fail as it is", "red")
	wantFailure(t, "a test that panics", func(tb testing.TB) {
		rolecalltest.FuncSuite(tb, "testdata/weak.rolecall", func(tb testing.TB, p *rolecalltest.Policy) { panic("bang") })
	}, "panic: bang")
	wantFailure(t, "a test that skips", func(tb testing.TB) {
		rolecalltest.FuncSuite(tb, "testdata/weak.rolecall", func(tb testing.TB, p *rolecalltest.Policy) { tb.Skip("no") })
	}, "skipped: no")
}

func TestSuiteWantsPassingScenarios(t *testing.T) {
	file := filepath.Join(t.TempDir(), "red.rolecall")
	if err := os.WriteFile(file, []byte("permission task.view\nexpect allow user:ada task.view at /\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantFailure(t, "ScenarioSuite of a failing scenario", func(tb testing.TB) { rolecalltest.ScenarioSuite(tb, file) }, "fail as it is", "line 2")
	wantFailure(t, "ScenarioSuite of nothing", func(tb testing.TB) { rolecalltest.ScenarioSuite(tb, "testdata/*.none") }, "no file matches")
	wantFailure(t, "ScenarioSuite without a pattern", func(tb testing.TB) { rolecalltest.ScenarioSuite(tb) }, "no pattern")
	wantFailure(t, "RequireCoverage of the zero suite", func(tb testing.TB) { new(rolecalltest.Suite).RequireCoverage(tb) }, "tests nothing")
	wantFailure(t, "RequireMutationsCaught of the zero suite", func(tb testing.TB) { new(rolecalltest.Suite).RequireMutationsCaught(tb) }, "tests nothing")
}

// Every mark of a grant, every window and condition is mutated, and a test that holds none of them down is told of all.
func TestMutationsOfMarks(t *testing.T) {
	const text = `permission task.view
condition assigned
kind scope project
role viewer holders user scopes /,project
  allow task.view when assigned
  forbid task.view
grant user:ada viewer at / replace pierce when assigned from 2026-01-01 until 2026-02-01
grant user:ada viewer at / eligible
override user:ada forbid task.view at / when assigned until 2026-02-01
member user:ada of group:g until 2026-02-01
expect deny user:nobody task.view at /
`
	file := filepath.Join(t.TempDir(), "marks.rolecall")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range rolecalltest.ScenarioSuite(t, file).Survivors(t) {
		got = append(got, strings.TrimPrefix(m, "marks.rolecall: "))
	}
	want := []string{
		`remove "allow task.view when assigned" of role viewer`,
		`make deny of "allow task.view when assigned" of role viewer`,
		`drop the condition of "allow task.view when assigned" of role viewer`,
		`remove "forbid task.view" of role viewer`,
		`make deny of "forbid task.view" of role viewer`,
		"drop who may hold role viewer",
		"drop where role viewer may be held",
		"drop the window of member user:ada of group:g until 2026-02-01",
		"remove member user:ada of group:g until 2026-02-01",
		"drop the eligible of grant user:ada viewer at / eligible",
		"remove grant user:ada viewer at / eligible",
		"drop the condition of grant user:ada viewer at / replace pierce when assigned from 2026-01-01 until 2026-02-01",
		"drop the window of grant user:ada viewer at / replace pierce when assigned from 2026-01-01 until 2026-02-01",
		"drop the replace of grant user:ada viewer at / replace pierce when assigned from 2026-01-01 until 2026-02-01",
		"drop the pierce of grant user:ada viewer at / replace pierce when assigned from 2026-01-01 until 2026-02-01",
		"remove grant user:ada viewer at / replace pierce when assigned from 2026-01-01 until 2026-02-01",
		"make deny of override user:ada forbid task.view at / when assigned until 2026-02-01",
		"drop the condition of override user:ada forbid task.view at / when assigned until 2026-02-01",
		"drop the window of override user:ada forbid task.view at / when assigned until 2026-02-01",
		"remove override user:ada forbid task.view at / when assigned until 2026-02-01",
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Survivors (-want +got):\n%s", diff)
	}
}

func TestRecorder(t *testing.T) {
	p := rolecalltest.Load(t, studio)
	rolecalltest.Allow(t, p, ada, taskView, alpha)
	_ = p.Check(t.Context(), ada, taskUpdate, alpha)
	if diff := cmp.Diff([]string{"task.update", "task.view"}, names(p.Used.Permissions())); diff != "" {
		t.Errorf("Permissions (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"task.approve", "task.delete"}, names(p.Used.Unused(p.Catalog()))); diff != "" {
		t.Errorf("Unused (-want +got):\n%s", diff)
	}
	wantFailure(t, "RequireAll", func(tb testing.TB) { p.Used.RequireAll(tb, p.Catalog(), taskDelete) }, "task.approve")
	p.Used.ObserveBatch(t.Context(), rolecall.BatchObservation{Subject: ada, Permissions: []rolecall.Permission{taskApprove}, Kind: "project"})
	if diff := cmp.Diff([]string{"task.delete"}, names(p.Used.Unused(p.Catalog()))); diff != "" {
		t.Errorf("Unused after a page (-want +got):\n%s", diff)
	}
	wantFailure(t, "RequireAll but one", func(tb testing.TB) { p.Used.RequireAll(tb, p.Catalog(), taskDelete, taskApprove) })
}

func names(permissions []rolecall.Permission) []string {
	var out []string
	for _, p := range permissions {
		out = append(out, p.String())
	}
	return out
}

func TestRoutes(t *testing.T) {
	p := rolecalltest.Load(t, studio)
	guard := httpauthz.New(p, func(*http.Request) (httpauthz.Identity, error) { return httpauthz.Identity{}, nil }, nil)
	mux := httpauthz.NewMux()
	mux.Handle("GET /projects/{project}", guard.Require(taskView, httpauthz.Path("project"))(http.NotFoundHandler()))
	mux.Handle("GET /about", httpauthz.Public(http.NotFoundHandler()))
	rolecalltest.Routes(t, mux, p.Catalog(), "testdata/routes.txt")
	if *update {
		return
	}
	mux.Handle("PUT /projects/{project}", guard.Require(rolecall.NewPermission("task.updaet"), httpauthz.Path("project"))(http.NotFoundHandler()))
	got := failures(t, func(tb testing.TB) { rolecalltest.Routes(tb, mux, p.Catalog(), "testdata/routes.txt") })
	if len(got) != 2 || !strings.Contains(got[0], "task.updaet") || !strings.Contains(got[1], "+ PUT /projects/{project}") {
		t.Errorf("Routes with an undeclared permission on a new route: got failures %q, want both told", got)
	}
	for _, at := range []httpauthz.Place{
		httpauthz.Path("projct=project"), httpauthz.Path("project", "projct=shot"), httpauthz.Query("projct", "project"), httpauthz.Fixed(rolecall.In("projct", "alpha")),
	} {
		route := httpauthz.Route{Pattern: "GET /x", Requirement: httpauthz.Requirement{Permission: taskView, At: at}}
		wantFailure(t, "an undeclared kind", func(tb testing.TB) { rolecalltest.CheckRoutes(tb, []httpauthz.Route{route}, p.Catalog()) }, "GET /x", `"projct"`)
	}
	inner := guard.Require(rolecall.NewPermission("task.updaet"), httpauthz.Path("projct"))(http.NotFoundHandler())
	for name, h := range map[string]http.Handler{
		"a requirement": guard.Require(taskView, httpauthz.Path("project"))(inner), "Identify": guard.Identify(inner), "Public": httpauthz.Public(inner),
	} {
		route := httpauthz.RouteOf("GET /x", h)
		got := failures(t, func(tb testing.TB) { rolecalltest.CheckRoutes(tb, []httpauthz.Route{route}, p.Catalog()) })
		if len(got) != 2 || !strings.Contains(got[0], "task.updaet") || !strings.Contains(got[1], `"projct"`) {
			t.Errorf("CheckRoutes with a guard behind %s: got failures %q, want its permission and its kind told", name, got)
		}
	}
	wantFailure(t, "no routes", func(tb testing.TB) { rolecalltest.CheckRoutes(tb, nil, p.Catalog()) }, "no routes")
	wantFailure(t, "an unguarded route", func(tb testing.TB) {
		rolecalltest.CheckRoutes(tb, []httpauthz.Route{{Pattern: "GET /x"}}, p.Catalog())
	}, "GET /x", "no requirement")
}

// A program that links the package by mistake does not get as far as main.
func TestAProgramThatLinksThisDoesNotStart(t *testing.T) {
	out, err := exec.Command("go", "run", "./testdata/linked").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "this program is no test") || strings.Contains(string(out), "it runs") {
		t.Errorf("go run ./testdata/linked: got %v and\n%s\nwant a panic before main", err, out)
	}
}

// Nothing that can end in a program imports this package: only test files do.
func TestNothingButTestsImportsThis(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}} {{join .Imports \" \"}}", "github.com/rolecall-go/rolecall/...").CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	seen := 0
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		seen++
		if slices.Contains(words[1:], "github.com/rolecall-go/rolecall/rolecalltest") {
			t.Errorf("%s imports rolecalltest outside its tests", words[0])
		}
	}
	if seen < 3 {
		t.Errorf("go list found %d packages, want the whole module", seen)
	}
}
