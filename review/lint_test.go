package review_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/memstore"
	"github.com/rolecall-go/rolecall/policy"
	"github.com/rolecall-go/rolecall/review"
	"pgregory.net/rapid"
)

// examplePolicyFor loads a policy, judged in June.
func examplePolicyFor(text string) *rolecall.Snapshot {
	_, s, err := policy.Load("example", []byte(text))
	if err != nil {
		panic(err)
	}
	return s.At(time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC))
}

func ExampleLint() {
	s := examplePolicyFor(`
permission task.view
permission task.update
kind scope project
role artist
  allow task.*
member user:ada of group:animation
grant group:animation artist at /project:alpha
grant user:ada artist at /project:alpha
`)
	found, err := review.Lint(s, &review.LintOptions{Off: []review.LintCode{review.LintSoleHolder}})
	if err != nil {
		panic(err)
	}
	for _, d := range found {
		fmt.Println(d)
		plan, err := s.Plan(rolecall.Change{Edits: d.Fix.Edits})
		if err != nil {
			panic(err)
		}
		fmt.Println(plan)
	}
	// Output:
	// note: user:ada has role artist at /project:alpha through group:animation already, by "grant group:animation artist at /project:alpha" (covered-grant)
	// plan for revision 0
	//   nobody gains or loses anything
}

// drawLintPolicy draws a policy in which there is much to find: the random one, and statements that meet others.
func drawLintPolicy(t *rapid.T) []rolecall.Statement {
	byKey := map[rolecall.StatementKey]rolecall.Statement{}
	put := func(s rolecall.Statement) { byKey[rolecall.KeyOf(s)] = s }
	for _, s := range drawPolicy(t) {
		put(s)
	}
	if often(t, 40, "plain") { // nothing strict, so that what is plainly covered is found
		for key, s := range byKey {
			byKey[key] = plain(s)
		}
	}
	for range rapid.IntRange(0, 3).Draw(t, "roles more") {
		r := rolecall.Role{Name: pick(t, []rolecall.RoleName{"extra", "spare", "unnamed"}, "extra role")}
		for range rapid.IntRange(0, 2).Draw(t, "rules") {
			p := []rolecall.Pattern{pick(t, patterns, "pattern"), pick(t, []rolecall.Pattern{"task.view", "shot.view", "task.update", "nothing.*", "*.escalate"}, "another")}
			r.Rules = append(r.Rules, rolecall.Rule{Effect: pick(t, []rolecall.Effect{rolecall.Allow, rolecall.Allow, rolecall.Except}, "effect"), Patterns: p})
		}
		if often(t, 30, "inherits") {
			r.Inherits = []rolecall.RoleName{pick(t, roleNames, "parent")}
		}
		put(r)
		if often(t, 50, "granted") {
			put(rolecall.Grant{Subject: pick(t, subjects, "holder"), Role: r.Name, Scope: pick(t, scopes, "scope"), Eligible: often(t, 20, "eligible")})
		}
	}
	for range rapid.IntRange(0, 4).Draw(t, "people more") {
		who := pick(t, []rolecall.Subject{rolecall.Guest("client"), ada, ben, rolecall.User("cleo")}, "who")
		put(rolecall.Membership{Member: who, Group: pick(t, groups, "group"), Window: drawWindow(t)})
		put(rolecall.Grant{Subject: who, Role: pick(t, roleNames, "role"), Scope: pick(t, scopes, "scope"), Pierce: often(t, 20, "pierce")})
	}
	if often(t, 25, "a team") {
		for _, who := range []rolecall.Subject{ada, ben, rolecall.User("cleo")} {
			put(rolecall.Membership{Member: who, Group: layout})
			put(rolecall.Grant{Subject: who, Role: "viewer", Scope: beta})
		}
	}
	if often(t, 15, "twins") {
		put(rolecall.Role{Name: "lead", Rules: []rolecall.Rule{{Effect: rolecall.Allow, Patterns: []rolecall.Pattern{"task.*", "shot.view"}}}})
		put(rolecall.Role{Name: "viewer", Rules: []rolecall.Rule{{Effect: rolecall.Allow, Patterns: []rolecall.Pattern{"task.view", "task.update", "*.view"}}}})
	}
	if often(t, 10, "apart") {
		who := pick(t, users, "who")
		put(rolecall.Constraint{Name: "apart", Kind: rolecall.Static, Limit: 2, Roles: []rolecall.RoleName{"lead", "artist"}})
		put(rolecall.Grant{Subject: who, Role: "artist", Scope: alpha})
		put(rolecall.Grant{Subject: who, Role: "lead", Scope: alpha, Eligible: true})
	}
	if often(t, 30, "constraint") {
		put(rolecall.Constraint{Name: "c", Kind: pick(t, []rolecall.ConstraintKind{rolecall.Static, rolecall.Dynamic}, "kind"), Limit: 2, Roles: []rolecall.RoleName{"lead", "viewer"}})
	}
	var all []rolecall.Statement
	for _, s := range byKey {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b rolecall.Statement) int { return rolecall.KeyOf(a).Compare(rolecall.KeyOf(b)) })
	return all
}

// plain returns a statement like one, that does nothing but allow.
func plain(s rolecall.Statement) rolecall.Statement {
	switch s := s.(type) {
	case rolecall.Role:
		for i := range s.Rules {
			s.Rules[i].Effect = rolecall.Allow
		}
		return s
	case rolecall.Grant:
		s.Replace = false
		return s
	case rolecall.Override:
		s.Effect = rolecall.Allow
		return s
	}
	return s
}

// drawLintSnapshot draws a policy and builds it.
func drawLintSnapshot(t *rapid.T) ([]rolecall.Statement, *rolecall.Snapshot) {
	all := drawLintPolicy(t)
	s, err := rolecall.NewSnapshot(catalog, all...)
	if err != nil {
		t.Skip("the policy is refused")
	}
	return all, s.At(day(10))
}

// TestLintKeepsItsPromises checks diagnostics of random policies, one of each code: what is proposed can be committed, it
// is gone then, what is neutral changes nothing, and a look at the same statements in another order finds the same.
func TestLintKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all, s := drawLintSnapshot(t)
		found, err := review.Lint(s, nil)
		if err != nil {
			t.Fatalf("Lint: %v; policy:\n%s", err, text(all))
		}
		met := map[review.LintCode]bool{}
		for _, d := range found {
			if !met[d.Code] || often(t, 10, "another of this code") {
				met[d.Code] = true
				mustHold(failing{t, text(all)}, s, d)
				mustBeHarmlessToMembers(failing{t, text(all)}, s, d)
			}
		}
		slices.Reverse(all)
		shuffled, err := rolecall.NewSnapshot(catalog, all...)
		if err != nil {
			t.Fatal(err)
		}
		again, _ := review.Lint(shuffled.At(day(10)), nil)
		if diff := cmp.Diff(lintLines(t, found), lintLines(t, again)); diff != "" {
			t.Fatalf("Lint of the same statements in another order: -first +second:\n%s", diff)
		}
	})
}

// TestLintPoliciesAreWorthLinting keeps the generator honest: every code comes up that it can bring up.
func TestLintPoliciesAreWorthLinting(t *testing.T) {
	met := map[review.LintCode]int{}
	draw := rapid.Custom(drawLintPolicy)
	for seed := range 300 { // always the same ones: this is about the generator, not about luck
		s, err := rolecall.NewSnapshot(catalog, draw.Example(seed)...)
		if err != nil {
			continue
		}
		found, err := review.Lint(s.At(day(10)), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range found {
			met[d.Code]++
		}
	}
	t.Log(met)
	for _, code := range review.LintCodes() {
		if met[code] == 0 && code != review.LintDormantSubject { // of which only a usage tells
			t.Errorf("code %s was never met, want it to be", code)
		}
	}
}

// failing adds the policy to what is said of a failure.
type failing struct {
	*rapid.T
	policy string
}

func (t failing) Fatalf(format string, args ...any) {
	t.T.Helper()
	t.T.Fatalf(format+"; policy:\n"+t.policy, args...)
}

// Members fare the same where a grant that they have one by one is given to their group.
func mustBeHarmlessToMembers(t failing, s *rolecall.Snapshot, d review.Diagnostic) {
	if d.Code != review.LintSharedGrant || len(d.Fix.Edits) == 0 {
		return
	}
	plan, err := s.Plan(rolecall.Change{Edits: d.Fix.Edits})
	if err != nil {
		t.Fatalf("%s: Plan: %v", d, err)
	}
	for diff := range plan.Lost() {
		t.Fatalf("%s: lost %s", d, diff)
	}
	for diff := range plan.Gained() {
		if diff.Subject != d.Fix.Edits[0].Statement.(rolecall.Grant).Subject {
			t.Fatalf("%s: gained %s", d, diff)
		}
	}
}

func lintLines(t rapid.TB, found []review.Diagnostic) []string {
	var out []string
	for _, d := range found {
		data, err := json.Marshal(d)
		if err != nil {
			t.Fatalf("MarshalJSON of %s: %v", d, err)
		}
		out = append(out, string(data))
	}
	return out
}

// TestLintSimilarRoles checks pairs of roles that are about the same, among others that inherit from them and deny.
func TestLintSimilarRoles(t *testing.T) {
	var many []rolecall.Permission
	for _, name := range strings.Fields("a b c d e f g h i j k l m n o p q r s t u v w x") {
		many = append(many, rolecall.NewPermission(name+".use"))
	}
	large := newCatalog(many...)
	allow := func(t *rapid.T, label string) rolecall.Rule {
		r := rolecall.Rule{Effect: rolecall.Allow}
		for i, p := range many {
			if i < 20 || often(t, 40, label) {
				r.Patterns = append(r.Patterns, rolecall.Pattern(p.String()))
			}
		}
		return r
	}
	met := map[int]int{} // by the number of edits
	rapid.Check(t, func(t *rapid.T) {
		all := []rolecall.Statement{
			rolecall.Role{Name: "base", Rules: []rolecall.Rule{{Effect: rolecall.Allow, Patterns: []rolecall.Pattern{pick(t, []rolecall.Pattern{"a.*", "*.use", "x.use"}, "base")}}}},
			rolecall.Role{Name: "one", Inherits: pick(t, [][]rolecall.RoleName{nil, {"base"}}, "inherits"), Rules: []rolecall.Rule{allow(t, "one")}},
			rolecall.Role{Name: "two", Inherits: pick(t, [][]rolecall.RoleName{nil, {"base"}}, "inherits"), Rules: []rolecall.Rule{allow(t, "two")}},
			rolecall.Role{Name: "no", Inherits: pick(t, [][]rolecall.RoleName{nil, {"one"}, {"base"}}, "no inherits"), Rules: []rolecall.Rule{{Effect: pick(t, []rolecall.Effect{rolecall.Deny, rolecall.Except}, "effect"), Patterns: []rolecall.Pattern{"a.use", "x.use"}}}},
			rolecall.Role{Name: "heir", Inherits: pick(t, [][]rolecall.RoleName{{"one", "no"}, {"two", "no"}, {"one", "two", "no"}}, "heir")},
			rolecall.Grant{Subject: ada, Role: pick(t, []rolecall.RoleName{"one", "two", "heir"}, "granted"), Scope: alpha},
			rolecall.Grant{Subject: ben, Role: "heir", Scope: alpha},
		}
		built, err := rolecall.NewSnapshot(large, all...)
		if err != nil {
			t.Fatal(err)
		}
		s := built.At(day(10))
		for _, d := range lintFor(t, s, review.LintSimilarRoles) {
			mustHold(failing{t, text(all)}, s, d)
			met[len(d.Fix.Edits)]++
		}
	})
	if met[1] == 0 || met[3] == 0 || met[0] > 0 {
		t.Errorf("similar roles by number of edits: %v, want some with one and some with three", met)
	}
}

const lintVocabulary = "permission task.view\npermission task.update\npermission note.create\npermission budget.view\nkind scope project\nkind scope shot\nkind subject vendor\ncondition assigned\nclock 2026-06-01\n" +
	"role artist\n  allow task.*\n"

func lintPolicy(t testing.TB, text string) *rolecall.Snapshot {
	t.Helper()
	file, s, err := policy.Load(t.Name(), []byte(lintVocabulary+text))
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return s.At(file.Now())
}

// What is close to a diagnostic and is none.
func TestLintLeavesAlone(t *testing.T) {
	const adas = "grant user:ada artist at /project:alpha\n"
	for name, test := range map[string]struct {
		code   review.LintCode
		policy string
	}{
		"a role held through an heir":              {review.LintUnusedRole, "role lead\n  inherits artist\ngrant user:ada lead at /project:alpha\n"},
		"a role that one is eligible for":          {review.LintUnusedRole, "grant user:ada artist at /project:alpha eligible\n"},
		"a role of a constraint":                   {review.LintUnusedRole, adas + "role pay\n  allow budget.view\nconstraint c static 2 of pay artist\n"},
		"an empty role that replaces":              {review.LintEmptyRole, "role nothing\ngrant user:ada nothing at /project:alpha replace\n"},
		"an allow under a condition":               {review.LintShadowedPattern, "role r\n  allow task.view note.*\n  deny task.* when assigned\ngrant user:ada r at /\nrole q\n  deny task.view\n  except task.* when assigned\n"},
		"an allow that lifts an inherited deny":    {review.LintInheritedPattern, "role no\n  deny task.view\nrole r\n  inherits artist no\n  allow task.view\n"},
		"a rule that somebody has by itself":       {review.LintOverriddenRule, "role no\n  deny note.create\nrole r\n  inherits no\n  allow note.create\ngrant user:ada r at /\ngrant user:ben no at /\n"},
		"a rule that one of two heirs overrides":   {review.LintOverriddenRule, "role no\n  deny note.create\nrole r\n  inherits no\n  allow note.create\nrole q\n  inherits no\ngrant user:ada r at /\ngrant user:ada q at / eligible\n"},
		"a rule overridden under a condition":      {review.LintOverriddenRule, "role no\n  deny note.create\nrole r\n  inherits no\n  allow note.create when assigned\ngrant user:ada r at /\n"},
		"a rule overridden but for an except":      {review.LintOverriddenRule, "role no\n  deny note.create\nrole r\n  inherits no\n  allow note.*\n  except note.create when assigned\ngrant user:ada r at /\n"},
		"a rule overridden in part":                {review.LintOverriddenRule, "role no\n  deny note.*\nrole r\n  inherits no\n  allow note.create\ngrant user:ada r at /\n"},
		"a denial of administration":               {review.LintOverriddenRule, "role no\n  deny *.escalate\nrole r\n  inherits no\n  allow *\ngrant user:ada r at /\n"},
		"a rule of a role beside it":               {review.LintOverriddenRule, "role no\n  deny note.create\nrole yes\n  allow note.create\nrole r\n  inherits no yes\ngrant user:ada r at /\n"},
		"a rule beside a forbid under a condition": {review.LintOverriddenRule, "role no\n  forbid note.create when assigned\nrole r\n  inherits no\n  allow note.create\ngrant user:ada r at /\n"},
		"an allow beside an allow":                 {review.LintOverriddenRule, "role yes\n  allow note.create\nrole r\n  inherits yes\n  allow note.create\ngrant user:ada r at /\n"},
		"an except of what a parent allows":        {review.LintIdleExcept, "role r\n  inherits artist\n  except task.update\n"},
		"an except beside an allow":                {review.LintIdleExcept, "role no\n  except task.update\nrole r\n  inherits artist no\n"},
		"a star of one kind":                       {review.LintWidePattern, "role r\n  allow task.* *.view\n  deny *\n"},
		"roles that share what they allow":         {review.LintSimilarRoles, "role a\n  inherits artist\n  allow note.create\nrole b\n  inherits a\nrole c\n  inherits a\n"},
		"roles that differ under a condition":      {review.LintSimilarRoles, "role a\n  allow task.view task.update note.create\nrole b\n  allow task.view task.update note.create when assigned\n"},
		"a grant that ends later than its cover":   {review.LintCoveredGrant, "member user:ada of group:g until 2026-07-01\ngrant group:g artist at /\n" + adas},
		"a grant that its cover does not reach":    {review.LintCoveredGrant, "grant user:ada artist at /\nprivate /project:alpha\n" + adas},
		"a grant that its cover joins later":       {review.LintCoveredGrant, "grant user:ada artist at / from 2026-07-01\n" + adas},
		"a grant that pierces":                     {review.LintCoveredGrant, "grant user:ada artist at /\ngrant user:ada artist at /project:alpha pierce\n"},
		"a grant beside one under a condition":     {review.LintCoveredGrant, "grant user:ada artist at / when assigned\n" + adas},
		"a grant nearer than a deny":               {review.LintCoveredGrant, "member user:ada of group:g\ngrant group:g artist at /\noverride group:g deny task.view at /project:alpha\n" + adas},
		"a grant nearer than a deny of next month": {review.LintCoveredGrant, "member user:ada of group:g\ngrant group:g artist at /\noverride group:g deny task.view at /project:alpha from 2026-07-01\n" + adas},
		"a grant beside a suspended group's":       {review.LintCoveredGrant, "member user:ada of group:g\ngrant group:g artist at /\nsuspend group:g\n" + adas},
		"an override that allows more":             {review.LintNeedlessOverride, adas + "override user:ada allow note.create at /project:alpha\n"},
		"an override that allows more next month":  {review.LintNeedlessOverride, "grant user:ada artist at / until 2026-07-01\noverride user:ada allow task.view at /project:alpha\n"},
		"an override under a forbid of less":       {review.LintNeedlessOverride, "override everyone forbid task.view at /project:alpha\noverride user:ada allow task.* at /project:alpha\n"},
		"an override of nothing, told as such":     {review.LintNeedlessOverride, adas + "override user:ada allow taks.* at /\n"},
		"an administrative star in an override":    {review.LintIdlePattern, "override user:ada deny *.escalate at /\noverride user:ada allow shot.* at / until 2026-05-01\n"},
		"a deny of what nobody allows":             {review.LintNeedlessOverride, "override user:ada deny task.* at /\n"},
		"members that have it under conditions":    {review.LintSharedGrant, "member user:a of group:g\nmember user:b of group:g\nmember user:c of group:g\ngrant user:a artist at /\ngrant user:b artist at /\ngrant user:c artist at / when assigned\n"},
		"a group with a member further down":       {review.LintEmptyGroup, "member user:ada of group:a\nmember group:a of group:b\ngrant group:b artist at /\n"},
		"a group whose group has something":        {review.LintUnusedGroup, "member user:ada of group:a\nmember group:a of group:b\nmember group:b of group:c\noverride group:c deny task.view at /\n"},
		"a group whose group has it later":         {review.LintUnusedGroup, "member user:ada of group:a\nmember group:a of group:b from 2026-07-01\ngrant group:b artist at / eligible\n"},
		"a group without members":                  {review.LintUnusedGroup, "suspend group:a\nmember user:ada of group:b until 2026-05-01\n"},
		"a group that is switched off":             {review.LintUnusedGroup, "suspend group:a\nmember user:ada of group:a\n"},
		"a role made for everywhere":               {review.LintGlobalGrant, "role root scopes /\n  allow task.*\ngrant user:ada root at /\n"},
		"a global grant with an end":               {review.LintGlobalGrant, "grant user:ada artist at / until 2026-07-01\n"},
		"a guest's deny":                           {review.LintEndlessGuest, "override guest:g deny task.view at /\nmember guest:g of group:g until 2026-07-01\n"},
		"a small default":                          {review.LintWideDefault, "role little\n  allow note.create\ngrant everyone little at /\n"},
		"a small role to activate":                 {review.LintWideDefault, "role little\n  allow note.create\ngrant everyone little at / eligible\n"},
		"a suspended subject with nothing":         {review.LintSuspendedHolder, "suspend user:ada\nmember user:ben of group:g\ngrant group:g artist at /\nsuspend group:g\n"},
		"two administrators":                       {review.LintSingleAdmin, "role admin\n  allow rolecall.*\ngrant user:ada admin at /\nmember user:ben of group:it\ngrant group:it admin at /\n"},
		"a policy managed by its host":             {review.LintSingleAdmin, adas},
		"two who have it, one of them by an allow": {review.LintSoleHolder, adas + "override user:ben allow task.* at /project:beta\n"},
		"what everyone has":                        {review.LintSoleHolder, "grant everyone artist at /\n" + adas},
		"an eligible grant that may be activated":  {review.LintSeparationGrant, "role pay\n  allow budget.view\nconstraint c dynamic 2 of pay artist\n" + adas + "grant user:ada pay at / eligible\n"},
		"an eligible grant without the other role": {review.LintSeparationGrant, "role pay\n  allow budget.view\nconstraint c static 2 of pay artist\n" + adas + "grant user:ben pay at / eligible\n"},
		"an eligible grant that outlasts it":       {review.LintSeparationGrant, "role pay\n  allow budget.view\nconstraint c static 2 of pay artist\ngrant user:ada artist at /project:alpha until 2026-07-01\ngrant user:ada pay at / eligible\n"},
		"an eligible grant that outlasts a group":  {review.LintSeparationGrant, "role pay\n  allow budget.view\nconstraint c static 2 of pay artist\nmember user:ada of group:g until 2026-07-01\ngrant group:g artist at /\ngrant user:ada pay at / eligible until 2026-08-01\n"},
		"a role with one of a constraint":          {review.LintSeparationRole, "role pay\n  inherits artist\nrole see\n  allow note.create\nconstraint c static 2 of artist see\n"},
		"a window that is open or still to come":   {review.LintExpired, "grant user:ada artist at / from 2026-05-01 until 2026-07-01\ngrant user:ben artist at / from 2026-07-01\n"},
		"a permission under a condition":           {review.LintUnusedPermission, adas + "override user:ada allow budget.view at / when assigned\noverride user:ada allow note.* at /\n"},
		"a star that covers something in a denial": {review.LintIdlePattern, "role r\n  deny *.escalate\n"},
	} {
		for _, d := range lintFor(t, lintPolicy(t, test.policy), test.code) {
			t.Errorf("%s: got %s, want nothing", name, d)
		}
	}
}

// What everyone has, or may activate.
func TestLintWideDefaults(t *testing.T) {
	for _, c := range []struct{ policy, want string }{
		{"override everyone allow rolecall.grant.* at /\n", `serious: everyone, guests and strangers too, may rolecall.grant.activate, rolecall.grant.create and rolecall.grant.delete by "override everyone rolecall.grant.* at /" (wide-default)`},
		{"role boss\n  allow rolecall.grant.create\ngrant everyone boss at / eligible\n", `serious: everyone, guests and strangers too, may activate a role to rolecall.grant.create by "grant everyone boss at / eligible" (wide-default)`},
		{"grant everyone artist at / eligible\n", `warning: everyone, guests and strangers too, may activate a role with 2 permissions by "grant everyone artist at / eligible" (wide-default)`},
	} {
		if found := lintFor(t, lintPolicy(t, c.policy), review.LintWideDefault); len(found) != 1 || found[0].String() != c.want {
			t.Errorf("Lint of\n%s\ngot %v, want %s", c.policy, found, c.want)
		}
	}
}

// What a role says never matters beside what is nearer, or forbidden, wherever somebody has it.
func TestLintOverriddenRules(t *testing.T) {
	for name, test := range map[string]struct{ policy, rule, role, beside, of string }{
		"a deny beside an allow":  {"role a\n  deny note.create\nrole b\n  inherits a\n  allow note.create\n", "deny note.create", "a", "allow note.create", "b"},
		"an allow beside a deny":  {"role a\n  allow note.create when assigned\nrole b\n  inherits a\n  deny note.*\n", "allow note.create when assigned", "a", "deny note.*", "b"},
		"an except beside both":   {"role a\n  allow *.view\n  except note.*\nrole b\n  inherits a\n  allow note.* task.*\n", "except note.*", "a", "allow note.*", "b"},
		"less beside more":        {"role a\n  allow note.create when assigned\nrole b\n  inherits a\n  allow note.*\n", "allow note.create when assigned", "a", "allow note.*", "b"},
		"two steps apart":         {"role a\n  deny note.create\nrole m\n  inherits a\nrole b\n  inherits m\n  allow note.create\n", "deny note.create", "a", "allow note.create", "b"},
		"what is forbidden above": {"role a\n  forbid note.*\nrole b\n  inherits a\n  allow note.create\n", "allow note.create", "b", "forbid note.*", "a"},
		"what is forbidden aside": {"role a\n  forbid note.*\nrole c\n  deny note.create\nrole b\n  inherits a c\n", "deny note.create", "c", "forbid note.*", "a"},
	} {
		s := lintPolicy(t, test.policy+"grant user:ada b at /\n")
		found := lintFor(t, s, review.LintOverriddenRule)
		want := fmt.Sprintf("in role %s, %q never matters: nobody has it without %q of role %s", test.role, test.rule, test.beside, test.of)
		if len(found) != 1 || found[0].Message != want {
			t.Errorf("%s: Lint: %v, want %s", name, found, want)
			continue
		}
		mustHold(t, s, found[0])
	}
}

// In groups that share their members, level by level, there are more ways down than can be gone: each group is looked at
// once.
func TestLintOfGroupsInGroups(t *testing.T) {
	ladder := "grant group:a0 artist at /\n"
	for i := range 64 {
		for _, rung := range []string{"a%d of group:a%d", "b%d of group:a%d", "a%d of group:b%d", "b%d of group:b%d"} {
			ladder += fmt.Sprintf("member group:"+rung+"\n", i+1, i)
		}
	}
	for _, test := range []struct {
		bottom string
		want   int
	}{{"", 1}, {"member user:ada of group:b64\n", 0}, {"member user:ada of group:b64 until 2026-01-01\n", 1}} {
		found, err := review.Lint(lintPolicy(t, ladder+test.bottom), nil)
		if err != nil {
			t.Fatal(err)
		}
		empty := slices.DeleteFunc(found, func(d review.Diagnostic) bool { return d.Code != review.LintEmptyGroup })
		if len(empty) != test.want {
			t.Errorf("Lint of a ladder of groups with %q at its bottom: empty groups %v, want %d", test.bottom, empty, test.want)
		}
	}
}

// What everyone has makes no difference to a group, and neither does a group that it was in once.
func TestLintUnusedGroups(t *testing.T) {
	for name, test := range map[string]struct{ policy, want string }{
		"beside everyone":     {"grant everyone artist at /\nmember user:ada of group:a\nmember group:a of group:b\nmember user:ben of group:b\n", "group:b group:a"},
		"after its time":      {"member user:ada of group:a\nmember group:a of group:b until 2026-05-01\nmember user:ben of group:b\ngrant group:b artist at /\n", "group:a"},
		"before its time":     {"member user:ada of group:a from 2026-07-01\n", "group:a"},
		"above and not below": {"member user:ada of group:a\nmember group:a of group:b\ngrant group:a artist at /\n", "group:b"},
	} {
		s := lintPolicy(t, test.policy)
		var got []string
		for _, d := range lintFor(t, s, review.LintUnusedGroup) {
			got = append(got, d.Subjects[0].String())
			mustHold(t, s, d)
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: Lint finds %v, want %s", name, got, test.want)
		}
	}
}

// Options decide who is an outsider, who stands in, how long, and what is not looked for.
func TestLintOptions(t *testing.T) {
	s := lintPolicy(t, "grant vendor:v artist at /project:alpha\ngrant user:ada artist at /project:alpha\nmember user:ada of group:g\nmember user:ben of group:g\nmember user:cleo of group:g\nrole pay\n  allow budget.view\ngrant user:ada pay at /project:alpha\n")
	fix := func(o *review.LintOptions, code review.LintCode) string {
		found, err := review.Lint(s, o)
		if err != nil {
			t.Fatalf("Lint: %v", err)
		}
		for _, d := range found {
			if d.Code == code {
				return d.Fix.Edits[0].Statement.String()
			}
		}
		return "none"
	}
	external := []rolecall.SubjectKind{"vendor"}
	for name, test := range map[string]struct {
		o    *review.LintOptions
		code review.LintCode
		want string
	}{
		"an outsider":        {&review.LintOptions{External: external}, review.LintEndlessGuest, "grant vendor:v artist at /project:alpha until 2026-08-30"},
		"no outsider":        {nil, review.LintEndlessGuest, "none"},
		"a term":             {&review.LintOptions{External: external, Term: 24 * time.Hour}, review.LintEndlessGuest, "grant vendor:v artist at /project:alpha until 2026-06-02"},
		"a term of minutes":  {&review.LintOptions{External: external, Term: time.Minute}, review.LintEndlessGuest, "grant vendor:v artist at /project:alpha until 2026-06-02"},
		"a colleague":        {nil, review.LintSoleHolder, "grant user:ben pay at /project:alpha"},
		"a deputy":           {&review.LintOptions{Deputy: rolecall.User("zoe")}, review.LintSoleHolder, "grant user:zoe pay at /project:alpha"},
		"a code turned off":  {&review.LintOptions{Off: []review.LintCode{review.LintSoleHolder}}, review.LintSoleHolder, "none"},
		"another turned off": {&review.LintOptions{Off: []review.LintCode{review.LintExpired}}, review.LintSoleHolder, "grant user:ben pay at /project:alpha"},
	} {
		if got := strings.TrimSpace(fix(test.o, test.code)); got != test.want {
			t.Errorf("%s: %s proposes %q, want %q", name, test.code, got, test.want)
		}
	}
	for _, test := range []struct {
		options review.LintOptions
		want    error
		words   string
	}{
		{review.LintOptions{External: []rolecall.SubjectKind{"vendor", "vendr"}}, rolecall.ErrUnknown, `external: no subject kind "vendr" is declared (did you mean "vendor"?)`},
		{review.LintOptions{External: []rolecall.SubjectKind{""}}, rolecall.ErrInvalid, "external: "},
		{review.LintOptions{Deputy: rolecall.NewSubject("usr", "zoe")}, rolecall.ErrUnknown, "usr"},
	} {
		if _, err := review.Lint(s, &test.options); !errors.Is(err, test.want) || !strings.Contains(fmt.Sprint(err), test.words) {
			t.Errorf("Lint with %+v: %v, want %s and %q", test.options, err, test.want, test.words)
		}
	}
	if _, err := review.Lint(s, &review.LintOptions{External: []rolecall.SubjectKind{rolecall.KindService, rolecall.KindGuest, "vendor"}}); err != nil {
		t.Errorf("Lint with kinds that every catalog knows as outsiders: %v, want no error", err)
	}
	if _, err := review.Lint(s, &review.LintOptions{Off: []review.LintCode{"no-such"}, Deputy: rolecall.Group("g")}); !errors.Is(err, rolecall.ErrUnknown) || !errors.Is(err, rolecall.ErrInvalid) {
		t.Errorf("Lint with an unknown code and a group as deputy: %v, want %s and %s", err, rolecall.ErrUnknown, rolecall.ErrInvalid)
	}
	if _, err := review.Lint(s.At(time.Time{}), nil); !errors.Is(err, rolecall.ErrInvalid) {
		t.Errorf("Lint without an instant: %v, want %s", err, rolecall.ErrInvalid)
	}
}

// Nobody is called dormant where the usage does not vouch for it, or where what somebody has is new.
func TestLintDormant(t *testing.T) {
	s := committed(t, lintPolicy(t, "grant user:ada artist at /project:alpha\ngrant user:ben artist at /project:alpha\n"))
	long, short := s.Now().AddDate(0, -4, 0), s.Now().AddDate(0, -1, 0)
	used := []rolecall.Use{{Subject: ada, Permission: taskView, Scope: alpha}}
	old, young := provenanceOf(t, s, long), provenanceOf(t, s, short)
	for name, test := range map[string]struct {
		from       time.Time
		uses       []rolecall.Use
		dropped    uint64
		dormant    time.Duration
		provenance *rolecall.Provenance
		until      time.Duration
		want       string
	}{
		"one was seen":        {from: long, uses: used, want: "user:ben"},
		"nobody was seen":     {from: long, want: "user:ada user:ben"},
		"not watched so long": {from: short, uses: used},
		"long enough":         {from: short, uses: used, dormant: time.Hour, want: "user:ben"},
		"something dropped":   {from: long, uses: used, dropped: 1},
		"they are new":        {from: long, provenance: young},
		"they are not":        {from: long, provenance: old, want: "user:ada user:ben"},
		"not watched of late": {from: long, uses: used, until: -25 * time.Hour},
		"read last night":     {from: long, uses: used, until: -23 * time.Hour, want: "user:ben"},
	} {
		u := review.NewUsage(rolecall.Reading{From: test.from, Until: s.Now().Add(test.until), Uses: test.uses, Dropped: test.dropped})
		found, err := review.Lint(s, &review.LintOptions{Usage: u, Dormant: test.dormant, Provenance: test.provenance})
		if err != nil {
			t.Fatalf("%s: Lint: %v", name, err)
		}
		var got []string
		for _, d := range found {
			if d.Code == review.LintDormantSubject {
				got = append(got, d.Subjects[0].String())
			}
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: dormant %v, want %s", name, got, test.want)
		}
	}
}

// Who is new cannot be told by a history that ends before the policy, that is of other statements or of some only: that
// is not the same as a history that begins too late to tell.
func TestLintDormantUntold(t *testing.T) {
	s := committed(t, lintPolicy(t, "grant user:ada artist at /project:alpha\n"))
	first, err := s.Propose(rolecall.Change{Edits: []rolecall.Edit{rolecall.Put(rolecall.Grant{Subject: ben, Role: "artist", Scope: alpha})}})
	if err != nil {
		t.Fatal(err)
	}
	later := first.Next().At(s.Now())
	used := review.NewUsage(rolecall.Reading{From: s.Now().AddDate(0, -4, 0), Until: s.Now(), Uses: []rolecall.Use{{Subject: ada, Permission: taskView, Scope: alpha}}})
	for name, test := range map[string]struct {
		provenance *rolecall.Provenance
		want       error
	}{
		"ends before": {provenanceOf(t, s, s.Now()), rolecall.ErrStale},
		"is of some":  {must[*rolecall.Provenance](t)(rolecall.TraceOnly(t.Context(), memstore.With(later), later)), rolecall.ErrInvalid},
		"is none":     {&rolecall.Provenance{}, nil},
	} {
		found, err := review.Lint(later, &review.LintOptions{Usage: used, Provenance: test.provenance})
		dormant := slices.ContainsFunc(found, func(d review.Diagnostic) bool { return d.Code == review.LintDormantSubject })
		if !errors.Is(err, test.want) || dormant != (test.want == nil) {
			t.Errorf("Lint with a provenance that %s: %v, somebody dormant %t, want %v", name, err, dormant, test.want)
		}
	}
}

// committed returns the same policy at revision 1.
func committed(t *testing.T, s *rolecall.Snapshot) *rolecall.Snapshot {
	next, err := rolecall.LoadSnapshot(s.Catalog(), rolecall.State{Revision: 1, Statements: func(yield func(rolecall.Statement, error) bool) {
		for st := range s.Statements() {
			if !yield(st, nil) {
				return
			}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	return next.At(s.Now())
}

// provenanceOf tells that everything in a policy was made at one instant.
func provenanceOf(t *testing.T, s *rolecall.Snapshot, at time.Time) *rolecall.Provenance {
	e := rolecall.Entry{Revision: 1, Meta: rolecall.Meta{Time: at}}
	for st := range s.Statements() {
		e.Deltas = append(e.Deltas, rolecall.Delta{After: st})
	}
	var p rolecall.Provenance
	if err := p.Add(e); err != nil {
		t.Fatal(err)
	}
	return &p
}

// Patterns overlap, or cover each other, as trying every name says: an except beside an allow that it does not meet is
// idle, and an allow beside one of all that is shadowed.
func TestLintOfPatterns(t *testing.T) {
	all, names := wordsOf("*ab", 3), []rolecall.Permission(nil)
	for _, word := range wordsOf("ab", 5) {
		if strings.Contains(word, ".") {
			names = append(names, rolecall.NewPermission(word))
		}
	}
	small := newCatalog(names...)
	for _, a := range all {
		for _, b := range all {
			p, q := rolecall.Pattern(a), rolecall.Pattern(b)
			if p == q || p.Valid() != nil || q.Valid() != nil {
				continue
			}
			both, less := false, false
			for _, name := range names {
				both = both || p.Matches(name) && q.Matches(name)
				less = less || p.Matches(name) && !q.Matches(name)
			}
			if got := lintFinds(t, small, review.LintIdleExcept, rule(rolecall.Except, p), rule(rolecall.Allow, q)); got == both {
				t.Errorf("except %s beside allow %s: idle %t, want %t", p, q, got, !both)
			}
			got := lintFinds(t, small, review.LintShadowedPattern, rule(rolecall.Deny, p), rule(rolecall.Forbid, q))
			if plainly := strings.Count(a, "*") < 2 && a != "*"; got && less || !got && !less && plainly {
				t.Errorf("deny %s beside forbid %s: shadowed %t, want %t", p, q, got, !less)
			}
		}
	}
}

// wordsOf returns every dotted word of up to n of the letters.
func wordsOf(letters string, n int) []string {
	words, last := []string(nil), []string{""}
	for range n {
		var longer []string
		for _, word := range last {
			for _, letter := range letters {
				longer = append(longer, strings.TrimPrefix(word+"."+string(letter), "."))
			}
		}
		words, last = append(words, longer...), longer
	}
	return words
}

func rule(e rolecall.Effect, p rolecall.Pattern) rolecall.Rule {
	return rolecall.Rule{Effect: e, Patterns: []rolecall.Pattern{p}}
}

// lintFinds says whether Lint finds something in a role of these rules.
func lintFinds(t *testing.T, c *rolecall.Catalog, code review.LintCode, rules ...rolecall.Rule) bool {
	s, err := rolecall.NewSnapshot(c, rolecall.Role{Name: "r", Rules: rules})
	if err != nil {
		t.Fatal(err)
	}
	return len(lintFor(t, s.At(day(1)), code)) > 0
}

// allBut returns what to turn off to look for one thing.
func allBut(code review.LintCode) []review.LintCode {
	return slices.DeleteFunc(review.LintCodes(), func(c review.LintCode) bool { return c == code })
}

// lintFor returns what Lint finds of one code.
func lintFor(t rapid.TB, s *rolecall.Snapshot, code review.LintCode) []review.Diagnostic {
	t.Helper()
	found, err := review.Lint(s, &review.LintOptions{Off: allBut(code)})
	if err != nil {
		t.Fatalf("Lint for %s: %v", code, err)
	}
	return found
}
