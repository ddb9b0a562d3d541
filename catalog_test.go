package rolecall_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rolecall-go/rolecall"
)

// A title that could not be written and read again is refused, whatever it is a title of.
func TestTitles(t *testing.T) {
	for _, bad := range []string{"\xff", "a\x00b"} {
		for _, d := range []rolecall.Declarations{
			{Permissions: []rolecall.PermissionDecl{{Permission: rolecall.NewPermission("task.view"), Title: bad}}},
			{Permissions: []rolecall.PermissionDecl{{Permission: rolecall.NewPermission("task.view"), Group: bad}}},
			{Conditions: []rolecall.ConditionDecl{{Condition: "own", Title: bad}}},
			{ScopeKinds: []rolecall.ScopeKindDecl{{Kind: "project", Title: bad}}},
			{SubjectKinds: []rolecall.SubjectKindDecl{{Kind: "robot", Title: bad}}},
		} {
			if _, err := rolecall.NewCatalog(d); !errors.Is(err, rolecall.ErrInvalid) {
				t.Errorf("NewCatalog(%+v): got %v, want it invalid", d, err)
			}
		}
	}
}

// What is wrong with a question says so, and a name beyond the limit is code limit, whatever it is a name of.
func TestFaultyQuestions(t *testing.T) {
	long := strings.Repeat("x", 129)
	s := snapshotOf(t, smallCatalog(t), roleOf("viewer", "task.view"))
	ada, at := rolecall.User("ada"), rolecall.In("project", "a")
	for _, c := range []struct {
		request rolecall.Request
		want    rolecall.Code
	}{
		{rolecall.Request{Permission: mayView, Scope: at}, rolecall.ErrInvalid},
		{rolecall.Request{Subject: ada, Scope: at}, rolecall.ErrInvalid},
		{rolecall.Request{Subject: ada, Permission: mayView}, rolecall.ErrInvalid},
		{rolecall.Request{Subject: ada, Permission: rolecall.NewPermission("View"), Scope: at}, rolecall.ErrInvalid},
		{rolecall.Request{Subject: rolecall.NewSubject(rolecall.SubjectKind(long), "a"), Permission: mayView, Scope: at}, rolecall.ErrLimit},
		{rolecall.Request{Subject: ada, Permission: rolecall.NewPermission("task." + long), Scope: at}, rolecall.ErrLimit},
		{rolecall.Request{Subject: ada, Permission: mayView, Scope: rolecall.In(rolecall.ScopeKind(long), "a")}, rolecall.ErrLimit},
		{rolecall.Request{Subject: ada, Permission: mayView, Scope: at, Facts: rolecall.Given{rolecall.Condition(long)}}, rolecall.ErrLimit},
		{rolecall.Request{Subject: ada, Permission: mayView, Scope: at, Facts: rolecall.Given{""}}, rolecall.ErrInvalid},
		{rolecall.Request{Subject: ada, Permission: mayView, Scope: at, Narrow: rolecall.ToRoles(rolecall.RoleName(long))}, rolecall.ErrLimit},
		{rolecall.Request{Subject: ada, Permission: mayView, Scope: at, Narrow: rolecall.ToPatterns(rolecall.Pattern("task." + long))}, rolecall.ErrLimit},
	} {
		_, err := s.Decide(c.request)
		if problems := rolecall.ProblemsOf(err); len(problems) != 1 || problems[0].Code != c.want || problems[0].Place != "request" {
			t.Errorf("Decide(%+v): %v, want one problem of the request: %s", c.request, err, c.want)
		}
	}
}

// Every way to ask refuses what is not declared, and a snapshot without an instant, by an error that is no denial.
func TestFaultsOfEveryQuestion(t *testing.T) {
	without, err := rolecall.NewSnapshot(smallCatalog(t), roleOf("viewer", "task.view"), grant(rolecall.Everyone(), "viewer", rolecall.Global()))
	if err != nil {
		t.Fatal(err)
	}
	s := without.At(storeTime)
	v := succeed(s.For(userAda, nil))
	asks := map[string]func(r rolecall.Request) error{
		"Snapshot.Check": func(r rolecall.Request) error { return s.Check(userAda, r.Permission, r.Scope, r.Facts) },
		"Decide":         func(r rolecall.Request) error { r.Subject = userAda; _, err := s.Decide(r); return err },
		"Who":            func(r rolecall.Request) error { _, _, err := s.Who(r.Permission, r.Scope, r.Facts); return err },
		"Reach":          func(r rolecall.Request) error { _, err := s.Reach(r.Permission, r.Scope, r.Facts); return err },
		"Audience": func(r rolecall.Request) error {
			_, err := s.Audience(r.Permission, r.Scope, func(rolecall.Subject) rolecall.Facts { return r.Facts })
			return err
		},
		"View.Check": func(r rolecall.Request) error { return v.Check(r.Permission, r.Scope, r.Facts) },
		"View.CheckAll": func(r rolecall.Request) error {
			_, err := v.CheckAll([]rolecall.Target{{Scope: projectAlpha}, {Scope: r.Scope, Facts: r.Facts}}, mayView, r.Permission)
			return err
		},
		"View.Permissions":   func(r rolecall.Request) error { _, err := v.Permissions(r.Scope, r.Facts); return err },
		"View.PermissionSet": func(r rolecall.Request) error { _, err := v.PermissionSet(r.Scope, r.Facts); return err },
	}
	for name, ask := range asks {
		for _, c := range []struct {
			what       string
			permission rolecall.Permission
			at         rolecall.Scope
			facts      rolecall.Facts
			want       error
		}{
			{"what is declared", mayView, projectAlpha, nil, nil},
			{"an undeclared permission", rolecall.NewPermission("task.viw"), projectAlpha, nil, rolecall.ErrUnknown},
			{"an undeclared kind", mayView, rolecall.In("projekt", "alpha"), nil, rolecall.ErrUnknown},
			{"an undeclared condition", mayView, projectAlpha, rolecall.Given{"assinged"}, rolecall.ErrUnknown},
			{"a condition without a name", mayView, projectAlpha, rolecall.Given{""}, rolecall.ErrInvalid},
		} {
			err := ask(rolecall.Request{Permission: c.permission, Scope: c.at, Facts: c.facts})
			if !errors.Is(err, c.want) && !(strings.HasPrefix(name, "View.Permission") && c.permission != mayView) {
				t.Errorf("%s of %s: %v, want %v", name, c.what, err, c.want)
			}
		}
	}
	if _, err := s.For(rolecall.NewSubject("robot", "x"), nil); !errors.Is(err, rolecall.ErrUnknown) {
		t.Errorf("For(robot:x): %v, want %s", err, rolecall.ErrUnknown)
	}
	s = without
	for _, name := range []string{"Snapshot.Check", "Decide", "Who", "Reach", "Audience"} {
		if err := asks[name](rolecall.Request{Permission: mayView, Scope: projectAlpha}); !errors.Is(err, rolecall.ErrInvalid) {
			t.Errorf("%s without an instant: %v, want %s", name, err, rolecall.ErrInvalid)
		}
	}
	if _, err := s.For(userAda, nil); !errors.Is(err, rolecall.ErrInvalid) {
		t.Errorf("For without an instant: %v, want %s", err, rolecall.ErrInvalid)
	}
}

// A catalog tells the kinds of subject that a policy may name: its own, and those that every catalog knows.
func TestSubjectKinds(t *testing.T) {
	for name, test := range map[string]struct {
		declared []rolecall.SubjectKind
		want     []rolecall.SubjectKind
	}{
		"none":          {nil, []rolecall.SubjectKind{"group", "guest", "service", "user"}},
		"one":           {[]rolecall.SubjectKind{"robot"}, []rolecall.SubjectKind{"group", "guest", "robot", "service", "user"}},
		"a known one":   {[]rolecall.SubjectKind{"user"}, []rolecall.SubjectKind{"group", "guest", "service", "user"}},
		"one two times": {[]rolecall.SubjectKind{"robot", "robot"}, []rolecall.SubjectKind{"group", "guest", "robot", "service", "user"}},
	} {
		var d rolecall.Declarations
		for _, kind := range test.declared {
			d.SubjectKinds = append(d.SubjectKinds, rolecall.SubjectKindDecl{Kind: kind})
		}
		c, err := rolecall.NewCatalog(d)
		if err != nil {
			t.Fatal(err)
		}
		got := slices.Collect(c.SubjectKinds())
		if !slices.Equal(got, test.want) {
			t.Errorf("SubjectKinds of a catalog that declares %s: %v, want %v", name, got, test.want)
		}
		for _, kind := range got {
			if _, err := rolecall.NewSnapshot(c, suspend(rolecall.NewSubject(kind, "x"))); err != nil {
				t.Errorf("a policy that names a %s: %v, want no error", kind, err)
			}
		}
	}
}

// Built-in are the permissions of a catalog that declares none, and no others.
func TestIsBuiltin(t *testing.T) {
	c, err := rolecall.NewCatalog(rolecall.Declarations{})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for p := range c.Permissions() {
		if n++; !p.IsBuiltin() {
			t.Errorf("%s.IsBuiltin() = false, want true", p)
		}
	}
	if n == 0 {
		t.Error("a catalog that declares nothing has no permission, want those of administration")
	}
	for _, p := range []rolecall.Permission{{}, rolecall.NewPermission("task.view"), rolecall.NewPermission("rolecaller.view"), rolecall.NewPermission("task.rolecall")} {
		if p.IsBuiltin() {
			t.Errorf("%s.IsBuiltin() = true, want false", p)
		}
	}
}

// The nearest name is suggested, of many at the same distance the first one; among too many none is looked for.
func TestSuggestions(t *testing.T) {
	catalogOf := func(names ...string) *rolecall.Catalog {
		var d rolecall.Declarations
		for _, n := range names {
			d.Conditions = append(d.Conditions, rolecall.ConditionDecl{Condition: rolecall.Condition(n)})
		}
		c, err := rolecall.NewCatalog(d)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	var many []string
	for i := range 1200 {
		many = append(many, fmt.Sprintf("assigned-%d", i))
	}
	for _, c := range []struct {
		catalog *rolecall.Catalog
		word    rolecall.Condition
		want    string // empty for none
	}{
		{catalogOf("assigned", "own"), "asigned", "assigned"},
		{catalogOf("assigned", "own"), "onw", "own"},
		{catalogOf("assigned", "own"), "office-hours", ""},
		{catalogOf("b2", "a2", "c2"), "d2", "a2"},
		{catalogOf(many[:500]...), "asigned-77", "assigned-77"},
		{catalogOf(many...), "asigned-77", ""},
		{catalogOf("assigned"), rolecall.Condition(strings.Repeat("x", 128)), ""},
	} {
		_, err := rolecall.NewSnapshot(c.catalog, rolecall.Grant{Subject: rolecall.User("ada"), Role: "viewer", Scope: rolecall.Global(), When: c.word}, rolecall.Role{Name: "viewer"})
		suggests := err != nil && strings.Contains(err.Error(), "did you mean")
		if !errors.Is(err, rolecall.ErrUnknown) || suggests != (c.want != "") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("a grant when %s: got %v, want it unknown, with %q suggested", c.word, err, c.want)
		}
	}
}
