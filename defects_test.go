package rolecall_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/memstore"
)

// The classes of defects that authorization engines have published advisories about, as far as they concern the core,
// each with an attempt to have it here.

var errUnsaid = errors.New("the database is down")

// answer is one way in which a host answers the condition "assigned".
type answer struct {
	name  string
	facts rolecall.Facts
	holds bool // known to hold
	fails bool // known not to hold
}

var factAnswers = []answer{
	{"no facts", nil, false, true},
	{"holds", rolecall.Given{"assigned"}, true, false},
	{"fails", rolecall.Given{}, false, true},
	{"error", rolecall.FactFunc(func(rolecall.Condition) (bool, error) { return false, errUnsaid }), false, false},
	{"true with an error", rolecall.FactFunc(func(rolecall.Condition) (bool, error) { return true, errUnsaid }), false, false},
	{"panic", rolecall.FactFunc(func(rolecall.Condition) (bool, error) { panic("boom") }), false, false},
}

// counts says whether a statement of that effect under the condition is heard: what cannot be said permits less.
func (a answer) counts(effect rolecall.Effect) bool {
	if effect == rolecall.Allow {
		return a.holds
	}
	return !a.fails
}

// wantVerdict asks one question in every way there is and wants one answer of all.
func wantVerdict(t testing.TB, s *rolecall.Snapshot, who rolecall.Subject, p rolecall.Permission, at rolecall.Scope, facts rolecall.Facts, want bool) {
	t.Helper()
	got := map[string]bool{"Check": s.Check(who, p, at, facts) == nil}
	d, err := s.Decide(rolecall.Request{Subject: who, Permission: p, Scope: at, Facts: facts})
	got["Decide"] = d.Allowed()
	v, forErr := s.For(who, nil)
	if err != nil || forErr != nil {
		t.Fatalf("Decide: %v, For(%s): %v", err, who, forErr)
	}
	got["View.Check"] = v.Check(p, at, facts) == nil
	answers, err := v.CheckAll([]rolecall.Target{{Scope: at, Facts: facts}, {Scope: at, Facts: facts}}, mayDelete, p)
	if err != nil {
		t.Fatalf("CheckAll: %v", err)
	}
	got["CheckAll, first"], got["CheckAll, second"] = answers.Allowed(0, 1), answers.Allowed(1, 1)
	all, err := v.Permissions(at, facts)
	if err != nil {
		t.Fatalf("Permissions: %v", err)
	}
	got["Permissions"] = slices.Contains(all, p)
	for _, way := range slices.Sorted(maps.Keys(got)) {
		if got[way] != want {
			t.Errorf("%s(%s, %s, %s) says %v, want %v, under\n%s", way, who, p, at, got[way], want, texts(s))
		}
	}
}

// Nothing that went wrong is remembered: the same question asked again is answered from the policy.
func TestNothingThatWentWrongIsRemembered(t *testing.T) {
	store, c := smallStore(t)
	r := openResolver(t, store, c, nil)
	conditional := grant(userAda, "viewer", projectAlpha)
	conditional.When = "assigned"
	update(t, r, rolecall.Put(conditional))
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	s, err := r.Snapshot()
	if err != nil {
		t.Fatalf("Snapshot: %v", err)
	}
	v, err := s.For(userAda, nil)
	if err != nil {
		t.Fatalf("For: %v", err)
	}
	for _, a := range factAnswers {
		if err := r.Check(cancelled, userAda, mayView, projectAlpha, a.facts); !errors.Is(err, context.Canceled) {
			t.Errorf("Check with a cancelled context: %v, want context.Canceled", err)
		}
		for range 2 {
			checks := map[string]error{"Resolver": r.Check(t.Context(), userAda, mayView, projectAlpha, a.facts), "View": v.Check(mayView, projectAlpha, a.facts)}
			for what, err := range checks {
				if (err == nil) != a.holds {
					t.Errorf("%s.Check where the condition: %s = %v, want allowed: %v", what, a.name, err, a.holds)
				}
			}
		}
	}
	if err := r.Refresh(cancelled); !errors.Is(err, context.Canceled) {
		t.Errorf("Refresh with a cancelled context: %v, want context.Canceled", err)
	}
	commit(t, c, store, rolecall.Put(grant(userBob, "viewer", projectAlpha)))
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatalf("Refresh after a cancelled one: %v", err)
	}
	wantAllowed(t, r, userBob, mayView, projectAlpha)
}

// Whatever takes a right away takes it away at once, here and on a second resolver.
func TestWhatIsTakenAwayIsGoneAtOnce(t *testing.T) {
	g, top := rolecall.Group("animation"), rolecall.Group("studio")
	deletes := override(userAda, rolecall.Allow, "task.delete", projectAlpha)
	deny := override(userAda, rolecall.Deny, "*", projectAlpha)
	ended := member(userAda, g)
	ended.NotAfter = storeTime
	statements := []rolecall.Statement{
		roleOf("viewer", "task.view"), rolecall.Role{Name: "artist", Inherits: []rolecall.RoleName{"viewer"}},
		member(userAda, g), member(g, top), grant(top, "artist", rolecall.Global()), deletes,
	}
	for name, test := range map[string]struct {
		p    rolecall.Permission
		edit rolecall.Edit
	}{
		"grant removed":       {mayView, rolecall.Remove(grant(top, "artist", rolecall.Global()))},
		"membership removed":  {mayView, rolecall.Remove(member(userAda, g))},
		"membership ended":    {mayView, rolecall.Put(ended)},
		"nesting removed":     {mayView, rolecall.Remove(member(g, top))},
		"role edited":         {mayView, rolecall.Put(roleOf("viewer", "task.update"))},
		"inheritance removed": {mayView, rolecall.Put(rolecall.Role{Name: "artist"})},
		"subject suspended":   {mayView, rolecall.Put(suspend(userAda))},
		"group suspended":     {mayView, rolecall.Put(suspend(g))},
		"top group suspended": {mayView, rolecall.Put(suspend(top))},
		"scope made private":  {mayView, rolecall.Put(private(projectAlpha))},
		"denied":              {mayView, rolecall.Put(deny)},
		"override removed":    {mayDelete, rolecall.Remove(deletes)},
		"scope forgotten":     {mayDelete, rolecall.ForgetScope(projectAlpha)},
		"subject forgotten":   {mayView, rolecall.ForgetSubject(userAda)},
		"group forgotten":     {mayView, rolecall.ForgetSubject(top)},
	} {
		t.Run(name, func(t *testing.T) {
			c := smallCatalog(t)
			store := memstore.With(snapshotOf(t, c, statements...))
			o := &rolecall.Options{Clock: func() time.Time { return storeTime }}
			a, b := openResolver(t, store, c, o), openResolver(t, store, c, o)
			for range 2 {
				wantAllowed(t, a, userAda, test.p, projectAlpha.In("shot", "010"))
				wantAllowed(t, b, userAda, test.p, projectAlpha.In("shot", "010"))
			}
			revision := update(t, a, test.edit)
			wantDenied(t, a, userAda, test.p, projectAlpha.In("shot", "010"))
			if err := b.WaitFor(t.Context(), revision); err != nil {
				t.Fatalf("WaitFor(%d): %v", revision, err)
			}
			wantDenied(t, b, userAda, test.p, projectAlpha.In("shot", "010"))
		})
	}
}

// A concrete and a wildcard statement, of the subject or of everyone, under every answer to a condition.
func TestConcreteBesideWild(t *testing.T) {
	c := smallCatalog(t)
	effects := []rolecall.Effect{0, rolecall.Allow, rolecall.Deny}
	for _, concrete := range effects {
		for _, wildcard := range effects {
			for _, public := range []rolecall.Subject{userAda, rolecall.Everyone()} {
				for _, when := range []rolecall.Condition{"", "assigned"} {
					var statements []rolecall.Statement
					if concrete != 0 {
						statements = append(statements, overrideWhen(override(userAda, concrete, "task.view", projectAlpha), when))
					}
					if wildcard != 0 {
						statements = append(statements, overrideWhen(override(public, wildcard, "task.*", projectAlpha), when))
					}
					s := snapshotOf(t, c, statements...)
					for _, a := range factAnswers {
						near, far := heard(concrete, when, a), heard(wildcard, when, a)
						verdict := max(near, far)
						if public != userAda && near != 0 {
							verdict = near
						}
						wantVerdict(t, s, userAda, mayView, projectAlpha, a.facts, verdict == rolecall.Allow)
					}
				}
			}
		}
	}
	// A star stands for whole segments, and reaches neither further down nor into ids.
	wide := smallCatalog(t, "tasks.view", "task.view.all", "subtask.view", "ta.view")
	s := snapshotOf(t, wide, roleOf("r", "task.*", "*.all"), grant(userAda, "r", projectAlpha), grant(rolecall.User("*"), "r", projectBeta))
	for name, want := range map[string]bool{"task.view": true, "task.view.all": true, "tasks.view": false, "subtask.view": false, "ta.view": false} {
		wantVerdict(t, s, userAda, rolecall.NewPermission(name), projectAlpha, nil, want)
	}
	wantVerdict(t, s, userAda, mayView, projectBeta, nil, false)
	wantVerdict(t, s, rolecall.User("*"), mayView, projectBeta, nil, true)
}

func heard(e rolecall.Effect, when rolecall.Condition, a answer) rolecall.Effect {
	if when != "" && !a.counts(e) {
		return 0
	}
	return e
}

// Exclusion with three-valued conditions: every combination of the four effects, each under its own answer, in a role
// whose rules stand in one order and in the other.
func TestExclusionUnderEveryAnswer(t *testing.T) {
	d := smallDeclarations()
	effects := []rolecall.Effect{rolecall.Allow, rolecall.Except, rolecall.Deny, rolecall.Forbid}
	mixed := role("r")
	for _, e := range effects {
		when := rolecall.Condition("for-" + e.String())
		d.Conditions = append(d.Conditions, rolecall.ConditionDecl{Condition: when})
		mixed.Rules = append(mixed.Rules, rule(e, when, "task.view"))
	}
	c, err := rolecall.NewCatalog(d)
	if err != nil {
		t.Fatalf("NewCatalog: %v", err)
	}
	for range 2 {
		s := snapshotOf(t, c, mixed, grant(userAda, "r", projectAlpha))
		for n := range 3 * 3 * 3 * 3 {
			answers := map[rolecall.Condition]int{} // 0 fails, 1 holds, 2 cannot be said
			rest := n
			for _, e := range effects {
				answers["for-"+rolecall.Condition(e.String())] = rest % 3
				rest /= 3
			}
			facts := rolecall.FactFunc(func(c rolecall.Condition) (bool, error) {
				if answers[c] == 2 {
					return true, errUnsaid
				}
				return answers[c] == 1, nil
			})
			want := answers["for-allow"] == 1 && answers["for-except"] == 0 && answers["for-deny"] == 0 && answers["for-forbid"] == 0
			wantVerdict(t, s, userAda, mayView, projectAlpha, facts, want)
		}
		slices.Reverse(mixed.Rules)
	}
}

// An effect that nobody knows is refused, by whatever door it comes; a deny that is there is heard, also against what
// nobody granted by name.
func TestADenyIsNeverSilentlyIneffective(t *testing.T) {
	c := smallCatalog(t)
	for name, st := range map[string]rolecall.Statement{
		"override without effect": rolecall.Override{Subject: userAda, Pattern: "task.view", Scope: projectAlpha},
		"override of effect 9":    override(userAda, 9, "task.view", projectAlpha),
		"override with except":    override(userAda, rolecall.Except, "task.view", projectAlpha),
		"rule without effect":     rolecall.Role{Name: "r", Rules: []rolecall.Rule{{Patterns: []rolecall.Pattern{"task.view"}}}},
		"rule of effect 9":        rolecall.Role{Name: "r", Rules: []rolecall.Rule{{Effect: 9, Patterns: []rolecall.Pattern{"task.view"}}}},
		"deny of a typo":          override(userAda, rolecall.Deny, "task.veiw", projectAlpha),
		"deny under a typo":       overrideWhen(override(userAda, rolecall.Deny, "task.view", projectAlpha), "asigned"),
		"deny to nobody":          rolecall.Override{Effect: rolecall.Deny, Pattern: "task.view", Scope: projectAlpha},
		"deny nowhere":            rolecall.Override{Subject: userAda, Effect: rolecall.Deny, Pattern: "task.view"},
	} {
		if s, err := rolecall.NewSnapshot(c, st); s != nil || err == nil {
			t.Errorf("NewSnapshot with %s: %v, want an error", name, err)
		}
	}
	viewer, everyoneViews := roleOf("viewer", "task.view"), grant(rolecall.Everyone(), "viewer", rolecall.Global())
	for _, effect := range []rolecall.Effect{rolecall.Deny, rolecall.Forbid} {
		for _, holder := range []rolecall.Subject{userAda, rolecall.Group("g"), rolecall.Everyone()} {
			for _, at := range []rolecall.Scope{rolecall.Global(), projectAlpha, projectAlpha.In("shot", "010")} {
				deny := overrideWhen(override(holder, effect, "*", at), "assigned")
				s := snapshotOf(t, c, viewer, everyoneViews, deny, member(userAda, rolecall.Group("g")))
				for _, a := range factAnswers {
					wantVerdict(t, s, userAda, mayView, projectAlpha.In("shot", "010"), a.facts, a.fails)
				}
			}
		}
	}
}

// Only an answer that is known opens a door, and only one that is known lifts a denial.
func TestOnlyAKnownAnswerOpens(t *testing.T) {
	c := smallCatalog(t)
	when := func(e rolecall.Effect) rolecall.Rule {
		return rule(e, "assigned", "task.view")
	}
	always := rule(rolecall.Allow, "", "task.view")
	conditional, replacing := grant(userAda, "viewer", projectAlpha), grant(userAda, "updater", projectAlpha)
	conditional.When, replacing.When, replacing.Replace = "assigned", "assigned", true
	group, viewer := rolecall.Group("g"), roleOf("viewer", "task.view")
	for name, test := range map[string]struct {
		statements []rolecall.Statement
		effect     rolecall.Effect
	}{
		"allow in a rule":      {[]rolecall.Statement{rolecall.Role{Name: "viewer", Rules: []rolecall.Rule{when(rolecall.Allow)}}, grant(userAda, "viewer", projectAlpha)}, rolecall.Allow},
		"allow of a grant":     {[]rolecall.Statement{viewer, conditional}, rolecall.Allow},
		"allow of an override": {[]rolecall.Statement{overrideWhen(override(userAda, rolecall.Allow, "*", projectAlpha), "assigned")}, rolecall.Allow},
		"except in a rule":     {[]rolecall.Statement{rolecall.Role{Name: "viewer", Rules: []rolecall.Rule{when(rolecall.Except), always}}, grant(userAda, "viewer", projectAlpha)}, rolecall.Except},
		"deny in a rule":       {[]rolecall.Statement{rolecall.Role{Name: "viewer", Rules: []rolecall.Rule{when(rolecall.Deny), always}}, grant(userAda, "viewer", projectAlpha)}, rolecall.Deny},
		"forbid in a rule":     {[]rolecall.Statement{rolecall.Role{Name: "viewer", Rules: []rolecall.Rule{when(rolecall.Forbid), always}}, grant(userAda, "viewer", projectAlpha)}, rolecall.Forbid},
		"replace of a grant":   {[]rolecall.Statement{viewer, roleOf("updater", "task.update"), member(userAda, group), grant(group, "viewer", projectAlpha), replacing}, rolecall.Deny},
	} {
		s := snapshotOf(t, c, test.statements...)
		for _, a := range factAnswers {
			want := a.counts(test.effect) == (test.effect == rolecall.Allow)
			wantVerdict(t, s, userAda, mayView, projectAlpha, a.facts, want)
			if t.Failed() {
				t.Fatalf("the failure above is of: %s, where the condition: %s", name, a.name)
			}
		}
	}
	d, err := snapshotOf(t, c, viewer, conditional).Decide(rolecall.Request{Subject: userAda, Permission: mayView, Scope: projectAlpha, Facts: factAnswers[3].facts})
	if err != nil || d.Reason() != rolecall.ConditionUnknown || len(d.Losing()) != 1 || !errors.Is(d.Losing()[0].Cause, errUnsaid) {
		t.Errorf("Decide where the condition fails to be answered = %v, %v, want condition unknown with the cause", d, err)
	}
}

// Lists of every size agree with the single check.
func TestListsOfEverySizeAreTheCheck(t *testing.T) {
	c := smallCatalog(t)
	statements := []rolecall.Statement{roleOf("viewer", "task.view"), roleOf("artist", "task.*"), member(userAda, rolecall.Group("g"))}
	var targets []rolecall.Target
	var people []rolecall.Subject
	for i := range 101 {
		at := projectAlpha.In("shot", fmt.Sprint(i))
		targets = append(targets, rolecall.Target{Scope: at, Facts: factAnswers[i%3].facts})
		people = append(people, rolecall.User(fmt.Sprint("u", i)))
		g := grant([]rolecall.Subject{userAda, rolecall.Group("g"), people[i]}[i%3], []rolecall.RoleName{"viewer", "artist"}[i%2], at)
		g.When = []rolecall.Condition{"", "assigned"}[i/2%2]
		statements = append(statements, g, grant(people[i], "viewer", []rolecall.Scope{projectAlpha, projectBeta}[i/3%2]))
		if i%7 == 0 {
			statements = append(statements, private(at), suspend(people[i]))
		}
	}
	s := snapshotOf(t, c, statements...)
	permissions := []rolecall.Permission{mayView, mayUpdate, mayDelete}
	v, err := s.For(userAda, nil)
	if err != nil {
		t.Fatalf("For: %v", err)
	}
	for _, size := range []int{0, 1, 2, 99, 100, 101} {
		answers, err := v.CheckAll(targets[:size], permissions...)
		if err != nil {
			t.Fatalf("CheckAll of %d: %v", size, err)
		}
		for i, target := range targets[:size] {
			for j, p := range permissions {
				if want := s.Check(userAda, p, target.Scope, target.Facts) == nil; answers.Allowed(i, j) != want {
					t.Errorf("CheckAll of %d says %v of %s at %s, Check says %v", size, answers.Allowed(i, j), p, target.Scope, want)
				}
			}
		}
	}
	for i, target := range targets {
		got, everyone, err := s.Who(mayView, target.Scope, target.Facts)
		var want []rolecall.Subject
		for _, who := range append(slices.Clone(people), userAda) {
			if s.Check(who, mayView, target.Scope, target.Facts) == nil {
				want = append(want, who)
			}
		}
		slices.SortFunc(want, rolecall.Subject.Compare)
		if err != nil || everyone || !slices.Equal(got, want) {
			t.Errorf("Who(%s, %s) of target %d = %v, everyone %v, %v; checks say %v", mayView, target.Scope, i, got, everyone, err, want)
		}
	}
}

// hostileIDs are ids that stores and transports like to confuse with each other.
var hostileIDs = []string{
	"a", "A", "a ", " a", "ä", "a\u0308", "\u1e9e", "ss", "ß", "İ", "i", "..", ".", "%2e", "%2E", "a/b", "a%2Fb", "a:b", "*", "@", "#", "a#b",
	"'", `"`, "`", "user:a", "everyone", "at", "of", "0", "00", "-1", "null", "\u200b", "a\u200b", "\u00a0", "😀", strings.Repeat("x", 256), strings.Repeat("x", 255),
}

// What is said of one id is said of that id only, before and after every way of writing it down.
func TestIDsAreComparedByteForByte(t *testing.T) {
	c := smallCatalog(t)
	statements := []rolecall.Statement{roleOf("viewer", "task.view"), roleOf("artist", "task.update")}
	for i, id := range hostileIDs {
		if i%2 == 0 {
			statements = append(statements, grant(rolecall.User(id), "viewer", projectAlpha), grant(userAda, "artist", rolecall.In("project", id)))
		}
	}
	s := snapshotOf(t, c, statements...)
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatalf("json.Marshal: %v", err)
	}
	again, err := rolecall.UnmarshalSnapshot(text)
	if err != nil {
		t.Fatalf("UnmarshalSnapshot: %v", err)
	}
	for way, s := range map[string]*rolecall.Snapshot{"direct": s, "JSON": again.At(storeTime), "store": load(t, c, memstore.With(s))} {
		for i, id := range hostileIDs {
			who, errWho := rolecall.ParseSubject(rolecall.User(id).String())
			at, errAt := rolecall.ParseScope(rolecall.In("project", id).String())
			if errWho != nil || errAt != nil || who != rolecall.User(id) || at.ID() != id {
				t.Errorf("id %q comes back from its text as %q, %v and %q, %v", id, who.ID(), errWho, at.ID(), errAt)
			}
			if got, want := s.Check(who, mayView, projectAlpha) == nil, i%2 == 0; got != want {
				t.Errorf("%s: user %q is allowed: %v, want %v", way, id, got, want)
			}
			if got, want := s.Check(userAda, mayUpdate, at) == nil, i%2 == 0; got != want {
				t.Errorf("%s: project %q is allowed: %v, want %v", way, id, got, want)
			}
		}
	}
	for _, id := range []string{"", "\x00", "a\x00", "a\nb", "\x7f", "\u0085", "\xff", strings.Repeat("x", 257)} {
		if _, err := rolecall.NewSnapshot(c, roleOf("viewer", "task.view"), grant(rolecall.User(id), "viewer", projectAlpha)); !errors.Is(err, rolecall.ErrInvalid) {
			t.Errorf("NewSnapshot with user id %q: %v, want ErrInvalid", id, err)
		}
		if err := s.Check(userAda, mayView, rolecall.In("project", id)); !errors.Is(err, rolecall.ErrInvalid) {
			t.Errorf("Check at project id %q: %v, want ErrInvalid", id, err)
		}
	}
}

// A name that another one starts with is another name; the same id under another kind is another thing; and what has
// no name is refused.
func TestPrefixesAndKindsAreNotConfused(t *testing.T) {
	c := smallCatalog(t)
	s := snapshotOf(t, c,
		roleOf("ab", "task.view"), roleOf("abc", "task.update"),
		grant(rolecall.User("ab"), "ab", rolecall.In("project", "ab")), grant(rolecall.User("abc"), "abc", rolecall.In("project", "abc")),
		grant(rolecall.User("sh"), "ab", rolecall.In("project", "x").In("shot", "1")))
	for _, who := range []rolecall.Subject{rolecall.User("a"), rolecall.User("ab"), rolecall.User("abc"), rolecall.User("abcd"), rolecall.Service("ab"), rolecall.Guest("ab"), rolecall.Group("ab")} {
		for _, id := range []string{"a", "ab", "abc", "abcd"} {
			for _, p := range []rolecall.Permission{mayView, mayUpdate} {
				want := who == rolecall.User(id) && (id == "ab" && p == mayView || id == "abc" && p == mayUpdate)
				wantVerdict(t, s, who, p, rolecall.In("project", id), nil, want)
				wantVerdict(t, s, who, p, rolecall.In("project", id).In("shot", id), nil, want)
				wantVerdict(t, s, who, p, rolecall.In("shot", id), nil, false)
			}
		}
	}
	wantVerdict(t, s, rolecall.User("sh"), mayView, rolecall.In("project", "x").In("shot", "1"), nil, true)
	wantVerdict(t, s, rolecall.User("sh"), mayView, rolecall.In("project", "x").In("shot", "10"), nil, false)
	wantVerdict(t, s, rolecall.User("sh"), mayView, rolecall.In("shot", "1"), nil, false)
	for name, st := range map[string]rolecall.Statement{
		"nameless role": rolecall.Role{}, "zero grant": rolecall.Grant{}, "zero membership": rolecall.Membership{}, "zero override": rolecall.Override{},
		"zero suspension": rolecall.Suspension{}, "zero private scope": rolecall.PrivateScope{}, "zero constraint": rolecall.Constraint{},
		"private Global": private(rolecall.Global()), "suspended Everyone": suspend(rolecall.Everyone()),
		"joining Everyone": member(userAda, rolecall.Everyone()), "joining a user": member(userAda, userBob),
	} {
		if s, err := rolecall.NewSnapshot(c, st); s != nil || err == nil {
			t.Errorf("NewSnapshot with %s: %v, want an error", name, err)
		}
	}
}

// An administrator who may hand out roles can hand out nothing that is not the administrator's own, by any door.
func TestAPermittedAdministratorDoesNotEscalate(t *testing.T) {
	c := smallCatalog(t)
	pia, helper, lead := rolecall.User("pia"), rolecall.User("helper"), rolecall.Group("leads")
	deny := override(userBob, rolecall.Deny, "task.update", projectAlpha)
	base := snapshotOf(t, c,
		rolecall.Role{Name: "manager", Rules: []rolecall.Rule{
			{Effect: rolecall.Allow, Patterns: []rolecall.Pattern{"*", "rolecall.*"}},
			{Effect: rolecall.Except, Patterns: []rolecall.Pattern{"task.update", "task.delete"}},
		}},
		roleOf("viewer", "task.view"), roleOf("artist", "task.update"), roleOf("root", "*", "rolecall.*", "rolecall.escalate"),
		grant(pia, "manager", rolecall.Global()), grant(lead, "artist", projectAlpha), grant(userBob, "artist", projectAlpha), deny,
		suspend(rolecall.User("sleeper")), grant(rolecall.User("sleeper"), "artist", projectAlpha),
		private(projectBeta), grant(helper, "artist", rolecall.Global()), grant(rolecall.User("admin"), "root", rolecall.Global()))
	eligible := grant(helper, "root", projectAlpha)
	eligible.Eligible = true
	for name, edits := range map[string][]rolecall.Edit{
		"grant to herself":        {rolecall.Put(grant(pia, "artist", projectAlpha))},
		"grant to an accomplice":  {rolecall.Put(grant(userAda, "artist", projectAlpha))},
		"grant to everyone":       {rolecall.Put(grant(rolecall.Everyone(), "artist", projectAlpha))},
		"grant of root":           {rolecall.Put(grant(pia, "root", rolecall.Global()))},
		"override":                {rolecall.Put(override(userAda, rolecall.Allow, "task.update", projectAlpha))},
		"override of a wildcard":  {rolecall.Put(override(userAda, rolecall.Allow, "*", projectAlpha))},
		"joining a group":         {rolecall.Put(member(pia, lead))},
		"nesting a group":         {rolecall.Put(member(rolecall.Group("mine"), lead))},
		"editing a held role":     {rolecall.Put(roleOf("viewer", "task.view", "task.update")), rolecall.Put(grant(userAda, "viewer", projectAlpha))},
		"lifting a deny":          {rolecall.Remove(deny)},
		"resuming a subject":      {rolecall.Remove(suspend(rolecall.User("sleeper")))},
		"opening a private scope": {rolecall.Remove(private(projectBeta))},
		"making eligible":         {rolecall.Put(eligible)},
	} {
		p, err := base.Propose(rolecall.Change{Meta: rolecall.Meta{Actor: pia}, Edits: edits})
		if p != nil || !errors.Is(err, rolecall.ErrEscalation) {
			t.Errorf("Propose by an administrator, %s: %v, want ErrEscalation", name, err)
		}
		if _, err := base.Propose(rolecall.Change{Meta: rolecall.Meta{Actor: rolecall.User("admin")}, Edits: edits}); err != nil {
			t.Errorf("Propose by a holder of rolecall.escalate, %s: %v, want no error", name, err)
		}
	}
	if _, err := base.Propose(rolecall.Change{Meta: rolecall.Meta{Actor: pia}, Edits: []rolecall.Edit{rolecall.Put(grant(userAda, "viewer", projectAlpha))}}); err != nil {
		t.Errorf("Propose by an administrator of what is her own: %v, want no error", err)
	}
	if _, err := base.Propose(rolecall.Change{Meta: rolecall.Meta{Actor: userAda}, Edits: []rolecall.Edit{rolecall.Put(grant(userAda, "viewer", projectAlpha))}}); !errors.Is(err, rolecall.ErrNotPermitted) {
		t.Errorf("Propose by who administers nothing: %v, want ErrNotPermitted", err)
	}
	wantVerdict(t, base, pia, rolecall.Escalate, rolecall.Global(), nil, false)
}

// An id that is used again starts with nothing.
func TestAnIDUsedAgainStartsWithNothing(t *testing.T) {
	group, shotOne := rolecall.Group("g"), projectAlpha.In("shot", "1")
	for name, test := range map[string]struct {
		forget rolecall.Edit
		again  []rolecall.Edit
	}{
		"user":  {rolecall.ForgetSubject(userAda), []rolecall.Edit{rolecall.Put(grant(userAda, "nothing", projectAlpha))}},
		"group": {rolecall.ForgetSubject(group), []rolecall.Edit{rolecall.Put(member(userAda, group))}},
		"scope": {rolecall.ForgetScope(projectAlpha), []rolecall.Edit{rolecall.Put(grant(userAda, "nothing", shotOne)), rolecall.Put(member(userBob, group))}},
	} {
		store, c := memstore.New(), smallCatalog(t)
		r := openResolver(t, store, c, nil)
		update(t, r, rolecall.Put(roleOf("viewer", "task.view")), rolecall.Put(rolecall.Role{Name: "nothing"}),
			rolecall.Put(member(userAda, group)), rolecall.Put(member(group, rolecall.Group("top"))), rolecall.Put(grant(group, "viewer", shotOne)),
			rolecall.Put(override(group, rolecall.Allow, "task.update", projectAlpha)))
		wantAllowed(t, r, userAda, mayView, shotOne)
		wantAllowed(t, r, userAda, mayUpdate, shotOne)
		update(t, r, test.forget)
		update(t, r, test.again...)
		reopened := openResolver(t, store, c, nil)
		for _, r := range []*rolecall.Resolver{r, reopened} {
			for _, p := range []rolecall.Permission{mayView, mayUpdate} {
				if err := r.Check(t.Context(), userAda, p, shotOne); !errors.Is(err, rolecall.ErrDenied) {
					t.Errorf("after a %s was forgotten and its id used again, Check(%s) = %v, want denied", name, p, err)
				}
			}
		}
	}
}

// chain returns a state of n+1 links, each in the next, yielded one by one as a store would.
func chain(n int, link func(i int) rolecall.Statement) rolecall.State {
	return rolecall.State{Statements: func(yield func(rolecall.Statement, error) bool) {
		for i := range n {
			if !yield(link(i), nil) {
				return
			}
		}
	}}
}

func groupLink(i int) rolecall.Statement {
	return member(rolecall.Group(fmt.Sprint(i)), rolecall.Group(fmt.Sprint(i+1)))
}

func roleLink(last int) func(i int) rolecall.Statement {
	return func(i int) rolecall.Statement {
		r := rolecall.Role{Name: rolecall.RoleName(fmt.Sprint("r", i))}
		if i < last {
			r.Inherits = []rolecall.RoleName{rolecall.RoleName(fmt.Sprint("r", i+1))}
		}
		return r
	}
}

// What is too deep or goes round in circles is refused when it is loaded and when it is written; what is wide is not.
func TestDepthAndCyclesAreRefused(t *testing.T) {
	c := smallCatalog(t)
	circle := func(n int, link func(int) rolecall.Statement, closing rolecall.Statement) rolecall.State {
		return chain(n+1, func(i int) rolecall.Statement {
			if i == n {
				return closing
			}
			return link(i)
		})
	}
	for name, test := range map[string]struct {
		st   rolecall.State
		want error
	}{
		"10,000 groups in a chain":    {chain(10_000, groupLink), rolecall.ErrLimit},
		"65 steps of groups":          {chain(65, groupLink), rolecall.ErrLimit},
		"64 steps of groups":          {chain(64, groupLink), nil},
		"10,000 roles in a chain":     {chain(10_001, roleLink(10_000)), rolecall.ErrLimit},
		"33 steps of roles":           {chain(34, roleLink(33)), rolecall.ErrLimit},
		"32 steps of roles":           {chain(33, roleLink(32)), nil},
		"a group in itself":           {chain(1, func(int) rolecall.Statement { return member(rolecall.Group("0"), rolecall.Group("0")) }), rolecall.ErrCycle},
		"a circle of two groups":      {circle(1, groupLink, member(rolecall.Group("1"), rolecall.Group("0"))), rolecall.ErrCycle},
		"a circle of 10,000 groups":   {circle(10_000, groupLink, member(rolecall.Group("10000"), rolecall.Group("0"))), rolecall.ErrCycle},
		"a role that inherits itself": {chain(1, func(int) rolecall.Statement { return rolecall.Role{Name: "r", Inherits: []rolecall.RoleName{"r"}} }), rolecall.ErrCycle},
		"a circle of 10,000 roles":    {circle(10_000, roleLink(10_000), rolecall.Role{Name: "r10000", Inherits: []rolecall.RoleName{"r0"}}), rolecall.ErrCycle},
		"17 segments of a scope":      {chain(1, func(int) rolecall.Statement { return private(deep(17)) }), rolecall.ErrLimit},
		"10,000 segments of a scope":  {chain(1, func(int) rolecall.Statement { return private(deep(10_000)) }), rolecall.ErrLimit},
		"16 segments of a scope":      {chain(1, func(int) rolecall.Statement { return private(deep(16)) }), nil},
	} {
		s, err := rolecall.LoadSnapshot(c, test.st)
		if !errors.Is(err, test.want) || (err == nil) != (s != nil) {
			t.Errorf("LoadSnapshot with %s: %v, want %v", name, err, test.want)
		}
		if err != nil && len(err.Error()) > 1<<20 {
			t.Errorf("LoadSnapshot with %s: the error has %d bytes, want one to read", name, len(err.Error()))
		}
	}
	s, err := rolecall.LoadSnapshot(c, chain(64, groupLink))
	if err != nil {
		t.Fatalf("LoadSnapshot: %v", err)
	}
	s = s.At(storeTime)
	for edit, want := range map[rolecall.Statement]error{
		member(rolecall.Group("64"), rolecall.Group("65")): rolecall.ErrLimit,
		member(rolecall.Group("64"), rolecall.Group("0")):  rolecall.ErrCycle,
		member(rolecall.Group("x"), rolecall.Group("0")):   rolecall.ErrLimit,
	} {
		if p, err := s.Propose(rolecall.Change{Edits: []rolecall.Edit{rolecall.Put(edit)}}); p != nil || !errors.Is(err, want) {
			t.Errorf("Propose(%s) on a chain of 64: %v, want %v", edit, err, want)
		}
	}
}

func deep(n int) rolecall.Scope {
	at := rolecall.Global()
	for range n {
		at = at.In("shot", "1")
	}
	return at
}

func TestAGroupOfAMillion(t *testing.T) {
	n := 1_000_000
	if raceDetector {
		n = 50_000
	}
	c := smallCatalog(t)
	st := chain(n+2, func(i int) rolecall.Statement {
		switch i {
		case n:
			return roleOf("viewer", "task.view")
		case n + 1:
			return grant(rolecall.Group("all"), "viewer", projectAlpha)
		}
		return member(rolecall.User(fmt.Sprint(i)), rolecall.Group("all"))
	})
	s, err := rolecall.LoadSnapshot(c, st)
	if err != nil {
		t.Fatalf("LoadSnapshot of a group of %d: %v", n, err)
	}
	s = s.At(storeTime)
	for id, want := range map[int]bool{0: true, n / 2: true, n - 1: true, n: false} {
		wantVerdict(t, s, rolecall.User(fmt.Sprint(id)), mayView, projectAlpha, nil, want)
	}
}

// Sizes around the usual powers, and rubbish at every entrance: an error or a right answer, never a panic.
func TestMalformedInputNeverPanics(t *testing.T) {
	sizes := []int{0, 1, 1<<16 - 1, 1 << 16, 1<<16 + 1}
	if raceDetector {
		sizes = []int{0, 1, 1<<12 - 1, 1 << 12, 1<<12 + 1}
	}
	for _, n := range sizes {
		store, c := smallStore(t)
		r := openResolver(t, store, c, nil)
		edits := make([]rolecall.Edit, n)
		for i := range edits {
			edits[i] = rolecall.Put(grant(rolecall.User(fmt.Sprint(i)), "viewer", projectAlpha))
		}
		revision := update(t, r, edits...)
		count := 0
		for range load(t, c, store).Statements() {
			count++
		}
		if count != n+2 || revision != rolecall.Revision(min(n, 1)) {
			t.Errorf("a change of %d edits leaves %d statements at revision %d, want %d", n, count, revision, n+2)
		}
		if n > 0 {
			wantAllowed(t, r, rolecall.User(fmt.Sprint(n-1)), mayView, projectAlpha)
		}
	}
	long := strings.Repeat("a", 1<<16)
	for _, text := range []string{"", "\x00", ":", "/", "//", "%", "%2", "a:%", "\xff\xfe", "/:", "/a:", "/a", ".", "..", "a.", "*", "*.*.*.*.*.*.*.*.*", "{", "[[[", long, "user:" + long, "/a:" + strings.Repeat("b/a:", 1<<14)} {
		subject, subjectErr := rolecall.ParseSubject(text)
		scope, scopeErr := rolecall.ParseScope(text)
		permission, permissionErr := rolecall.ParsePermission(text)
		_, effectErr := rolecall.ParseEffect(text)
		_, timeErr := rolecall.ParseTime(text)
		_, statementErr := rolecall.UnmarshalStatement([]byte(text))
		_, snapshotErr := rolecall.UnmarshalSnapshot([]byte(text))
		for what, ok := range map[string]bool{
			"ParseSubject": subjectErr == nil && subject.String() != text, "ParseScope": scopeErr == nil && scope.String() != text,
			"ParsePermission": permissionErr == nil && permission.String() != text,
			"ParseEffect":     effectErr == nil, "ParseTime": timeErr == nil, "UnmarshalStatement": statementErr == nil, "UnmarshalSnapshot": snapshotErr == nil,
		} {
			if ok {
				t.Errorf("%s(%.40q) has no error, want one", what, text)
			}
		}
	}
}

// Who was told a revision finds it there, on the resolver that made it and on one that waited for it, while others
// write; and a state that breaks off in the middle of loading never answers.
func TestAToldRevisionIsThere(t *testing.T) {
	store, c := smallStore(t)
	a, b := openResolver(t, store, c, nil), openResolver(t, store, c, nil)
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for i := range 25 {
				at := projectAlpha.In("shot", fmt.Sprintf("%d-%d", w, i))
				revision, err := a.Update(t.Context(), rolecall.Meta{}, edit(rolecall.Put(grant(userAda, "viewer", at))))
				if err != nil {
					t.Errorf("Update: %v", err)
					return
				}
				wantAllowed(t, a, userAda, mayView, at)
				if err := b.WaitFor(t.Context(), revision); err != nil {
					t.Errorf("WaitFor(%d): %v", revision, err)
				}
				wantAllowed(t, b, userAda, mayView, at)
			}
		})
	}
	writers.Wait()

	// Every prefix of the whole: the resolver keeps what it has until the whole is there.
	full := load(t, c, store)
	all := slices.Collect(full.Statements())
	f := &faulty{Store: store}
	r := openResolver(t, f, c, nil)
	for _, n := range []int{0, 1, len(all) / 2, len(all) - 1, len(all)} {
		f.set(func(f *faulty) {
			f.changes = func(context.Context, rolecall.Revision) iter.Seq2[rolecall.Entry, error] {
				return failing(rolecall.ErrCompacted)
			}
			f.load = func(context.Context) (rolecall.State, error) {
				return rolecall.State{Revision: full.Revision() + 1, Statements: func(yield func(rolecall.Statement, error) bool) {
					for _, s := range all[:n] {
						if !yield(s, nil) {
							return
						}
					}
					yield(nil, errDown)
				}}, nil
			}
		})
		err := r.Refresh(t.Context())
		s, snapshotErr := r.Snapshot()
		if !errors.Is(err, errDown) || snapshotErr != nil || s.Revision() != full.Revision() || texts(s) != texts(full) {
			t.Errorf("Refresh that breaks off after %d of %d statements: %v, then revision %d, %v; want the store's error and revision %d as before", n, len(all), err, s.Revision(), snapshotErr, full.Revision())
		}
	}
}

// A policy written down and read again decides the same, and so does one reached by its history.
func TestWrittenAndReadAgainDecidesTheSame(t *testing.T) {
	store, c := smallStore(t)
	r := openResolver(t, store, c, &rolecall.Options{Clock: func() time.Time { return storeTime }})
	g, timed := rolecall.Group("g"), grant(userBob, "artist", projectAlpha)
	timed.NotAfter, timed.Replace = storeTime.Add(time.Hour), true
	pierce := grant(g, "artist", rolecall.Global())
	pierce.Pierce, pierce.When = true, "assigned"
	update(t, r, rolecall.Put(member(userAda, g)), rolecall.Put(pierce), rolecall.Put(timed), rolecall.Put(private(projectBeta)))
	update(t, r, rolecall.Put(rolecall.Role{Name: "careful", Title: `"quoted" # title`, Inherits: []rolecall.RoleName{"artist"}, Rules: []rolecall.Rule{
		{Effect: rolecall.Except, Patterns: []rolecall.Pattern{"task.update"}, When: "assigned"}, {Effect: rolecall.Allow, Patterns: []rolecall.Pattern{"*"}},
	}}), rolecall.Put(grant(userAda, "careful", projectAlpha)), rolecall.Put(override(rolecall.Everyone(), rolecall.Deny, "*.delete", projectAlpha)))
	update(t, r, rolecall.Remove(timed), rolecall.Put(suspend(userBob)),
		rolecall.Put(rolecall.Constraint{Name: "c", Kind: rolecall.Dynamic, Limit: 2, Roles: []rolecall.RoleName{"viewer", "careful"}}))
	original, err := r.Snapshot()
	if err != nil {
		t.Fatalf("Snapshot: %v", err)
	}
	written, err := json.Marshal(original)
	if err != nil {
		t.Fatalf("json.Marshal: %v", err)
	}
	read, err := rolecall.UnmarshalSnapshot(written)
	if err != nil {
		t.Fatalf("UnmarshalSnapshot: %v", err)
	}
	shuffled := slices.Collect(original.Statements())
	slices.Reverse(shuffled)
	st, err := store.At(t.Context(), 0)
	replayed := loadFrom(t, c, st, err)
	for e, err := range store.Changes(t.Context(), 0) {
		text, marshalErr := json.Marshal(e)
		var again rolecall.Entry
		if err := errors.Join(err, marshalErr, json.Unmarshal(text, &again)); err != nil {
			t.Fatalf("entry %d: %v", e.Revision, err)
		}
		if replayed, err = replayed.Apply(again); err != nil {
			t.Fatalf("Apply(%d): %v", e.Revision, err)
		}
	}
	for way, s := range map[string]*rolecall.Snapshot{"JSON": read, "shuffled": snapshotOf(t, c, shuffled...), "replayed": replayed, "store": load(t, c, store)} {
		if texts(s) != texts(original) {
			t.Errorf("%s: the policy is\n%s\nwant\n%s", way, texts(s), texts(original))
		}
		for _, who := range []rolecall.Subject{userAda, userBob, g, rolecall.Everyone(), rolecall.User("nobody")} {
			for p := range c.Permissions() {
				for _, at := range []rolecall.Scope{rolecall.Global(), projectAlpha, projectBeta, projectBeta.In("shot", "1")} {
					for _, a := range factAnswers {
						want := original.Check(who, p, at, a.facts)
						wantVerdict(t, s.At(storeTime), who, p, at, a.facts, want == nil)
					}
				}
			}
		}
	}
}

// Nothing that a host leaves out opens anything.
func TestNothingLeftOutOpensAnything(t *testing.T) {
	c := smallCatalog(t)
	for name, r := range map[string]*rolecall.Resolver{
		"nil options": openResolver(t, memstore.New(), c, nil), "zero options": openResolver(t, memstore.New(), c, &rolecall.Options{}),
		"staleness only": openResolver(t, memstore.New(), c, &rolecall.Options{MaxStaleness: time.Hour}), "zero resolver": {},
	} {
		for _, who := range []rolecall.Subject{{}, userAda, rolecall.Everyone(), rolecall.Group("admin"), rolecall.User("root")} {
			for p := range c.Permissions() {
				for _, at := range []rolecall.Scope{{}, rolecall.Global(), projectAlpha} {
					if err := r.Check(t.Context(), who, p, at); err == nil {
						t.Errorf("%s, empty policy: Check(%s, %s, %s) allows", name, who, p, at)
					}
				}
			}
		}
	}
	if r, err := rolecall.Open(t.Context(), memstore.New(), nil, nil); r != nil || err == nil {
		t.Errorf("Open without a catalog: %v, want an error", err)
	}
	empty, err := rolecall.NewCatalog(rolecall.Declarations{})
	if err != nil {
		t.Fatalf("NewCatalog: %v", err)
	}
	if err := openResolver(t, memstore.New(), empty, nil).Check(t.Context(), userAda, mayView, rolecall.Global()); !errors.Is(err, rolecall.ErrUnknown) {
		t.Errorf("Check of a permission that nobody declared: %v, want ErrUnknown", err)
	}

	s := snapshotOf(t, c, roleOf("root", "*"), grant(userAda, "root", rolecall.Global()))
	wantVerdict(t, s, userAda, mayView, projectAlpha, nil, true)
	for name, narrow := range map[string]rolecall.Narrowing{"no roles": rolecall.ToRoles(), "no patterns": rolecall.ToPatterns(), "roles, then no patterns": rolecall.ToRoles("root").AndPatterns()} {
		d, err := s.Decide(rolecall.Request{Subject: userAda, Permission: mayView, Scope: projectAlpha, Narrow: narrow})
		if err != nil || d.Allowed() || d.Reason() != rolecall.Narrowed {
			t.Errorf("Decide narrowed to %s = %v, %v, want narrowed", name, d, err)
		}
	}
	var zero rolecall.Snapshot
	if err := zero.Check(userAda, mayView, projectAlpha); err == nil || errors.Is(err, rolecall.ErrDenied) {
		t.Errorf("Check on the zero Snapshot: %v, want an error that is no denial", err)
	}
	unset, err := rolecall.NewSnapshot(c, roleOf("root", "*"), grant(userAda, "root", rolecall.Global()))
	if err != nil {
		t.Fatalf("NewSnapshot: %v", err)
	}
	if err := unset.Check(userAda, mayView, projectAlpha); err == nil || errors.Is(err, rolecall.ErrDenied) {
		t.Errorf("Check on a snapshot without an instant: %v, want an error that is no denial", err)
	}
	var d rolecall.Decision
	if d.Allowed() || !errors.Is(d.Err(), rolecall.ErrDenied) || !errors.Is(new(rolecall.DeniedError), rolecall.ErrDenied) {
		t.Errorf("the zero Decision is allowed: %v, Err: %v; want denied", d.Allowed(), d.Err())
	}
	wantVerdict(t, s, userAda, rolecall.GrantCreate, projectAlpha, nil, false)
}
