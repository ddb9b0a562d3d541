package policy_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/policy"
)

// A world is a random policy over a small alphabet with ids and titles that are hard to write.
type world struct {
	declarations rolecall.Declarations
	statements   []rolecall.Statement
}

var (
	ids         = []string{"ada", "B", "x/y", "a b", "100%", "at", "#1", `"q"`, "é\u2003", "everyone", "a,b"}
	titles      = []string{"", "A title", `He said "no" # twice`, "tab\tand\nline", "\u2028é", `\`}
	permissions = []string{"task.view", "task.update", "task.status.update", "cost.view"}
	patterns    = []rolecall.Pattern{"task.view", "task.update", "*", "task.*", "*.view", "task.*.update", "rolecall.grant.*"}
	conditions  = []rolecall.Condition{"", "", "own", "assigned"}
	roleNames   = []rolecall.RoleName{"r0", "r1", "R.2", "r-3"}
	instants    = []time.Time{
		{}, {}, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 1, 22, 0, 0, 500, time.FixedZone("", 7200)),
		time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC),
	}
)

func pick[V any](t *rapid.T, from []V) V { return rapid.SampledFrom(from).Draw(t, "one") }

func some[V any](t *rapid.T, from []V, most int) []V {
	return rapid.SliceOfN(rapid.SampledFrom(from), 0, most).Draw(t, "some")
}

func anySubject(t *rapid.T) rolecall.Subject {
	if rapid.IntRange(0, 9).Draw(t, "subject") == 0 {
		return rolecall.Everyone()
	}
	return rolecall.NewSubject(pick(t, []rolecall.SubjectKind{"user", "user", "group", "robot"}), pick(t, ids))
}

func anyScope(t *rapid.T) rolecall.Scope {
	s := rolecall.Global()
	for range rapid.IntRange(0, 3).Draw(t, "depth") {
		s = s.In(pick(t, []rolecall.ScopeKind{"project", "shot"}), pick(t, ids[:4]))
	}
	return s
}

func anyWindow(t *rapid.T) rolecall.Window {
	w := rolecall.Window{NotBefore: pick(t, instants), NotAfter: pick(t, instants)}
	if w.Empty() {
		w.NotBefore = time.Time{}
	}
	return w
}

// anyRole returns the role of that number, which inherits from those before it only.
func anyRole(t *rapid.T, n int) rolecall.Role {
	r := rolecall.Role{Name: roleNames[n], Title: pick(t, titles), Description: pick(t, titles)}
	if n > 0 {
		r.Inherits = some(t, roleNames[:n], 2)
	}
	for range rapid.IntRange(0, 4).Draw(t, "rules") {
		effect := pick(t, []rolecall.Effect{rolecall.Allow, rolecall.Allow, rolecall.Except, rolecall.Deny, rolecall.Forbid})
		patterns := append(some(t, patterns, 2), pick(t, patterns))
		r.Rules = append(r.Rules, rolecall.Rule{Effect: effect, Patterns: patterns, When: pick(t, conditions)})
	}
	return r
}

func anyStatement(t *rapid.T) rolecall.Statement {
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0:
		return rolecall.Suspension{Subject: rolecall.NewSubject("user", pick(t, ids))}
	case 1:
		return rolecall.PrivateScope{Scope: anyScope(t).In("shot", pick(t, ids))}
	case 2, 3:
		return rolecall.Membership{Member: rolecall.User(pick(t, ids)), Group: rolecall.Group(pick(t, ids)), Window: anyWindow(t)}
	case 4:
		n := rapid.IntRange(1, len(ids)-1).Draw(t, "group")
		return rolecall.Membership{Member: rolecall.Group(ids[n]), Group: rolecall.Group(pick(t, ids[:n])), Window: anyWindow(t)}
	case 5, 6:
		return rolecall.Override{
			Subject: anySubject(t), Effect: pick(t, []rolecall.Effect{rolecall.Allow, rolecall.Deny, rolecall.Forbid}),
			Pattern: pick(t, patterns), Scope: anyScope(t), When: pick(t, conditions), Window: anyWindow(t),
		}
	}
	bit := rapid.Bool()
	return rolecall.Grant{
		Subject: anySubject(t), Role: pick(t, roleNames), Scope: anyScope(t), When: pick(t, conditions),
		Replace: bit.Draw(t, "replace"), Pierce: bit.Draw(t, "pierce"), Eligible: bit.Draw(t, "eligible"), Window: anyWindow(t),
	}
}

func anyWorld(t *rapid.T) world {
	var w world
	for _, p := range permissions {
		w.declarations.Permissions = append(w.declarations.Permissions, rolecall.PermissionDecl{
			Permission: rolecall.NewPermission(p), Title: pick(t, titles), Group: pick(t, titles),
		})
	}
	w.declarations.Conditions = []rolecall.ConditionDecl{{Condition: "own", Title: pick(t, titles)}, {Condition: "assigned"}}
	w.declarations.ScopeKinds = []rolecall.ScopeKindDecl{{Kind: "shot", Title: pick(t, titles)}, {Kind: "project"}}
	w.declarations.SubjectKinds = []rolecall.SubjectKindDecl{{Kind: "robot", Title: pick(t, titles)}}
	for n := range roleNames {
		w.statements = append(w.statements, anyRole(t, n))
	}
	w.statements = append(w.statements, rolecall.Constraint{Name: "c", Kind: rolecall.Dynamic, Limit: 2, Roles: roleNames})
	keys := map[rolecall.StatementKey]bool{}
	for range rapid.IntRange(0, 25).Draw(t, "statements") {
		if s := anyStatement(t); !keys[rolecall.KeyOf(s)] {
			keys[rolecall.KeyOf(s)] = true
			w.statements = append(w.statements, s)
		}
	}
	return w
}

func anyRequest(t *rapid.T) rolecall.Request {
	r := rolecall.Request{
		Subject: anySubject(t), Permission: rolecall.NewPermission(pick(t, permissions)), Scope: anyScope(t),
		Now: pick(t, instants[2:]), Facts: rolecall.Given(pick(t, [][]rolecall.Condition{nil, {"own"}, {"own", "assigned"}})),
	}
	if rapid.Bool().Draw(t, "narrow") {
		r.Narrow = rolecall.ToPatterns(pick(t, patterns))
	}
	return r
}

// Formatting a policy and parsing it again gives the same policy and every decision of it, with the same reasons; the
// formatted text is its own one spelling.
func TestFormatThenParseIsTheSamePolicy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := anyWorld(t)
		text := policy.Format(w.declarations, w.statements)
		f, got, err := policy.Load("f", text)
		if err != nil {
			t.Fatalf("Load of\n%s\n%v", text, err)
		}
		checkStatements(t, w.statements, f.Statements, text)
		if diff := cmp.Diff(string(text), string(policy.Format(f.Declarations, f.Statements))); diff != "" {
			t.Errorf("Format of what it wrote: -want +got\n%s", diff)
		}
		tidy, err := policy.FormatSource("f", text)
		if diff := cmp.Diff(string(text), string(tidy)); diff != "" || err != nil {
			t.Errorf("FormatSource of what Format wrote: %v, -want +got\n%s", err, diff)
		}
		catalog, err := rolecall.NewCatalog(w.declarations)
		if err != nil {
			t.Fatalf("NewCatalog: %v", err)
		}
		if diff := cmp.Diff(fmt.Sprintf("%q", catalog.Declarations()), fmt.Sprintf("%q", got.Catalog().Declarations())); diff != "" {
			t.Errorf("declarations after Format and Load: -want +got\n%s", diff)
		}
		want, err := rolecall.NewSnapshot(catalog, w.statements...)
		if err != nil {
			t.Fatalf("NewSnapshot: %v", err)
		}
		for range 10 {
			checkDecision(t, want, got, anyRequest(t), text)
		}
	})
}

// checkStatements fails unless both lists hold the same statements.
func checkStatements(t *rapid.T, want, got []rolecall.Statement, text []byte) {
	if len(want) != len(got) {
		t.Fatalf("got %d statements out of\n%s\nwant %d", len(got), text, len(want))
	}
	for _, s := range want {
		if !slices.ContainsFunc(got, func(o rolecall.Statement) bool { return rolecall.Equal(s, o) }) {
			t.Errorf("%s is lost in\n%s", s, text)
		}
	}
}

func checkDecision(t *rapid.T, want, got *rolecall.Snapshot, r rolecall.Request, text []byte) {
	a, errA := want.Decide(r)
	b, errB := got.Decide(r)
	if errA != nil || errB != nil {
		t.Fatalf("Decide(%v): %v, %v, want two decisions", r, errA, errB)
	}
	if diff := cmp.Diff(findings(a), findings(b)); diff != "" || a.Reason() != b.Reason() {
		t.Errorf("Decide(%v) in\n%s\nvalues: %v, text: %v, -values +text\n%s", r, text, a.Reason(), b.Reason(), diff)
	}
}

// findings lists the statements that bear on a decision and what became of them, in an order of their own.
func findings(d rolecall.Decision) []string {
	var list []string
	for _, f := range slices.Concat(d.Deciding(), d.Losing()) {
		list = append(list, fmt.Sprintf("%s: %s", rolecall.Canonical(f.Statement), f.Fate))
	}
	slices.Sort(list)
	return list
}
