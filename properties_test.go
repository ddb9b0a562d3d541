package rolecall_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall-go/rolecall"
	"pgregory.net/rapid"
)

// This file holds what must be true of every policy, each sentence by name, on random worlds. What
// speaks of decisions alone is asked of the naive evaluator too, so that a property that the law does not have shows.

// An evaluator answers questions of a policy, whose statements it is given in any order.
type evaluator func(t rapid.TB, statements []rolecall.Statement) func(question) verdict

func byEngine(t rapid.TB, statements []rolecall.Statement) func(question) verdict {
	s, err := rolecall.NewSnapshot(worldCatalog, statements...)
	if err != nil {
		t.Fatalf("NewSnapshot: %v, want no error; policy:\n%s", err, world{}.add(statements...))
	}
	return func(q question) verdict { return ask(s, q) }
}

func byNaive(_ rapid.TB, statements []rolecall.Statement) func(question) verdict {
	return world{}.add(statements...).decide
}

// always checks a property of both evaluators.
func always(t *testing.T, property func(*rapid.T, evaluator)) {
	t.Run("engine", func(t *testing.T) { rapid.Check(t, func(t *rapid.T) { property(t, byEngine) }) })
	t.Run("naive", func(t *testing.T) { rapid.Check(t, func(t *rapid.T) { property(t, byNaive) }) })
}

// mustKeep fails unless every answer stays the same.
func mustKeep(t rapid.TB, e evaluator, before, after []rolecall.Statement, questions []question) {
	was, is := e(t, before), e(t, after)
	for _, q := range questions {
		if was(q) != is(q) {
			t.Fatalf("%s = %s, want %s as before; before:\n%safter:\n%s", q, is(q), was(q), world{}.add(before...), world{}.add(after...))
		}
	}
}

// mustNotTurn fails where what was one answer is the other one afterwards.
func mustNotTurn(t rapid.TB, e evaluator, one, other verdict, before, after world, questions []question) {
	was, is := e(t, before.statements()), e(t, after.statements())
	for _, q := range questions {
		if was(q) == one && is(q) == other {
			t.Fatalf("%s = %s, want %s as before; before:\n%safter:\n%s", q, other, one, before, after)
		}
	}
}

func mustNotOpen(t rapid.TB, e evaluator, before, after world, questions []question) {
	mustNotTurn(t, e, denied, allowed, before, after, questions)
}

// withRule returns the world in which one role, any one, has one more rule of that effect.
func withRule(t *rapid.T, w world, e rolecall.Effect) world {
	r := pick(t, w.roles, "edited")
	more := drawRule(t)
	more.Effect = e
	r.Rules = append(slices.Clip(r.Rules), more)
	return w.put(r)
}

// only returns the world without the rules and overrides whose effect is not kept.
func (w world) only(keep func(rolecall.Effect) bool) world {
	w.roles = slices.Clone(w.roles)
	for i, r := range w.roles {
		w.roles[i].Rules = slices.DeleteFunc(slices.Clone(r.Rules), func(r rolecall.Rule) bool { return !keep(r.Effect) })
	}
	w.overrides = slices.DeleteFunc(slices.Clone(w.overrides), func(o rolecall.Override) bool { return !keep(o.Effect) })
	return w
}

// Where nothing allows, the answer is no.
func TestDefaultDeny(t *testing.T) {
	always(t, func(t *rapid.T, e evaluator) {
		w, questions := drawWorld(t), drawQuestions(t)
		w = w.only(func(e rolecall.Effect) bool { return e != rolecall.Allow })
		answer := e(t, w.statements())
		for _, q := range questions {
			if answer(q) == allowed {
				t.Fatalf("%s = allowed, want denied: nothing allows it; policy:\n%s", q, w)
			}
		}
	})
}

// Neither the order of statements nor that of a role's lines matters.
func TestOrderNeverMatters(t *testing.T) {
	always(t, func(t *rapid.T, e evaluator) {
		w, questions := drawWorld(t), drawQuestions(t)
		shuffled := rapid.Permutation(w.statements()).Draw(t, "order")
		for i, s := range shuffled {
			if r, ok := s.(rolecall.Role); ok {
				r.Inherits, r.Rules = slices.Clone(r.Inherits), slices.Clone(r.Rules)
				slices.Reverse(r.Inherits)
				slices.Reverse(r.Rules)
				shuffled[i] = r
			}
		}
		mustKeep(t, e, w.statements(), shuffled, questions)
		mustBeSame(t, w.snapshot(t), worldOf(shuffled).snapshot(t))
	})
}

// Adding the same thing twice changes nothing, at once or in a later change.
func TestAddingTheSameTwiceChangesNothing(t *testing.T) {
	always(t, func(t *rapid.T, e evaluator) {
		w, questions := drawWorld(t), drawQuestions(t)
		again := some(t, w.statements(), 40, "again")
		mustKeep(t, e, w.statements(), append(w.statements(), again...), questions)
		s := w.snapshot(t)
		var edits []rolecall.Edit
		for _, r := range again {
			edits = append(edits, rolecall.Put(r))
		}
		if len(edits) > 0 {
			mustBeSame(t, s, propose(t, s.At(day(1)), edits...).Next())
		}
	})
}

// Adding an Allow, under a new key and not Replace, never turns allowed into denied. An Allow is an override that
// allows, a grant of a role that neither itself nor by what it inherits denies or forbids, or another allowing rule.
func TestAddingAnAllowNeverCloses(t *testing.T) {
	always(t, func(t *rapid.T, e evaluator) {
		w, questions := drawWorld(t), drawQuestions(t)
		var after world
		switch upToN(3).Draw(t, "allow") {
		case 0:
			o := drawOverride(t)
			if o.Effect = rolecall.Allow; w.has(o) {
				t.Skip("not a new key")
			}
			after = w.add(o)
		case 1:
			w = w.put(role("gives", drawAllowing(t), drawAllowing(t)), rolecall.Role{Name: "inherits", Inherits: []rolecall.RoleName{"gives"},
				Rules: []rolecall.Rule{drawAllowing(t), rule(rolecall.Except, drawWhen(t), drawPattern(t))}})
			g := drawGrant(t)
			if g.Role, g.Replace = pick(t, []rolecall.RoleName{"gives", "inherits"}, "given"), false; w.has(g) {
				t.Skip("not a new key")
			}
			after = w.add(g)
		default:
			after = withRule(t, w, rolecall.Allow)
		}
		mustNotTurn(t, e, allowed, denied, w, after, questions)
	})
}

func drawAllowing(t *rapid.T) rolecall.Rule {
	r := drawRule(t)
	r.Effect = rolecall.Allow
	return r
}

// Adding an Except, Deny or Forbid never turns denied into allowed: as a rule, as an override (also in the place of
// one that allows), or as a grant of a role that allows nothing.
func TestAddingADenialNeverOpens(t *testing.T) {
	always(t, func(t *rapid.T, e evaluator) {
		w, questions := drawWorld(t), drawQuestions(t)
		denial := pick(t, effects[1:], "denial")
		var after world
		switch upToN(3).Draw(t, "as") {
		case 0:
			after = withRule(t, w, denial)
		case 1:
			o := drawOverride(t)
			if standing := w.overrides; len(standing) > 0 && often(t, 50, "standing") {
				o = pick(t, standing, "stricter")
			}
			o.Effect = max(o.Effect, denial, rolecall.Deny)
			after = w.put(o)
		default:
			w = w.put(role("takes", rule(denial, drawWhen(t), drawPattern(t)), rule(rolecall.Deny, drawWhen(t), drawPattern(t))))
			g := drawGrant(t)
			g.Role = "takes"
			after = w.put(g)
		}
		mustNotOpen(t, e, w, after, questions)
	})
}

// Making a grant Replace never turns denied into allowed.
func TestReplaceNeverOpens(t *testing.T) {
	always(t, func(t *rapid.T, e evaluator) {
		w, questions := drawWorld(t), drawQuestions(t)
		if len(w.grants) == 0 {
			t.Skip("no grant to mark")
		}
		mustNotOpen(t, e, w, w.put(replacing(pick(t, w.grants, "replacing"))), questions)
	})
}

// Suspending never turns denied into allowed.
func TestSuspendingNeverOpens(t *testing.T) {
	always(t, func(t *rapid.T, e evaluator) {
		w, questions := drawWorld(t), drawQuestions(t)
		mustNotOpen(t, e, w, w.put(suspend(pick(t, slices.Concat(users, groups), "suspended"))), questions)
	})
}

// Making a scope private never turns denied into allowed.
func TestPrivacyNeverOpens(t *testing.T) {
	always(t, func(t *rapid.T, e evaluator) {
		w, questions := drawWorld(t), drawQuestions(t)
		mustNotOpen(t, e, w, w.put(drawPrivate(t)), questions)
	})
}

// Narrowing never turns denied into allowed, and narrowing further neither.
func TestNarrowingNeverOpens(t *testing.T) {
	always(t, func(t *rapid.T, e evaluator) {
		w, questions := drawWorld(t), drawQuestions(t)
		answer := e(t, w.statements())
		for _, q := range questions {
			wider, narrower := *q.asker, *q.asker
			if wider.byRole = often(t, 50, "wider"); !wider.byRole {
				wider.roles = nil
			}
			narrower.byRole, narrower.roles = true, some(t, roleNames, 50, "active")
			if wider.byRole {
				narrower.roles = some(t, wider.roles, 70, "fewer")
			}
			was, is := answer(question{&wider, q.permission, q.scope, q.facts}), answer(question{&narrower, q.permission, q.scope, q.facts})
			if was == denied && is == allowed {
				t.Fatalf("%s with roles %v = allowed, want denied as with roles %v (%t); policy:\n%s", q, narrower.roles, wider.roles, wider.byRole, w)
			}
		}
	})
}

// Narrowing to patterns takes away exactly what no pattern matches.
func TestNarrowingToPatternsIsAFilter(t *testing.T) {
	always(t, func(t *rapid.T, e evaluator) {
		w, questions := drawWorld(t), drawQuestions(t)
		answer := e(t, w.statements())
		for _, q := range questions {
			wider, narrower := *q.asker, *q.asker
			wider.byPattern = false
			narrower.byPattern, narrower.patterns = true, some(t, patterns, 20, "only")
			want := answer(question{&wider, q.permission, q.scope, q.facts})
			if want == allowed && !slices.ContainsFunc(narrower.patterns, func(p rolecall.Pattern) bool { return matches(p, q.permission) }) {
				want = denied
			}
			narrowed := question{&narrower, q.permission, q.scope, q.facts}
			if got := answer(narrowed); got != want {
				t.Fatalf("%s = %s, want %s; policy:\n%s", narrowed, got, want, w)
			}
		}
	})
}

// Nothing beats Forbid: one that speaks at a point of the request, by an override or by a role far up in the
// inheritance of a granted one, denies whatever else is said, also nearer.
func TestNothingBeatsForbid(t *testing.T) {
	always(t, func(t *rapid.T, e evaluator) {
		w := drawWorld(t)
		q := question{drawAsker(t), pick(t, permissions, "permission"), pick(t, scopes, "at"), drawFacts(t)}
		h, c := pick(t, w.holders(q), "forbidden"), scopeOf(pick(t, ancestors(q.scope.String()), "forbidden at"))
		if often(t, 50, "by role") {
			w = w.put(role("embargo", rule(rolecall.Forbid, "", "*")), rolecall.Role{Name: "trusted", Inherits: []rolecall.RoleName{"embargo"},
				Rules: []rolecall.Rule{rule(rolecall.Allow, "", "*"), rule(rolecall.Except, "", "*.view")}}, grant(h, "trusted", c))
		} else {
			w = w.put(override(h, rolecall.Forbid, rolecall.Pattern(q.permission.String()), c))
		}
		p := rolecall.Pattern("*.*")
		w = w.put(override(q.subject, rolecall.Allow, p, q.scope), override(h, rolecall.Allow, p, c))
		if got := e(t, w.statements())(q); got == allowed {
			t.Fatalf("%s = allowed, want denied: %s at %s is forbidden it; policy:\n%s", q, h, c, w)
		}
	})
}

func scopeOf(text string) rolecall.Scope {
	s, err := rolecall.ParseScope(text)
	if err != nil {
		panic(err)
	}
	return s
}

// Statements elsewhere in the tree, or about subjects that are neither holders nor the actor, change nothing.
func TestStatementsElsewhereChangeNothing(t *testing.T) {
	always(t, func(t *rapid.T, e evaluator) {
		w, questions := drawWorld(t), drawQuestions(t)
		x := drawStatement(t)
		questions = slices.DeleteFunc(questions, func(q question) bool { return w.concerns(q, x) })
		mustKeep(t, e, w.statements(), w.put(x).statements(), questions)
	})
}

// concerns says whether the statement could have to do with the question.
func (w world) concerns(q question, s rolecall.Statement) bool {
	holder := func(s rolecall.Subject) bool { return slices.Contains(w.holders(q), s) }
	switch s := s.(type) {
	case rolecall.Grant:
		return holder(s.Subject) && inside(q.scope.String(), s.Scope.String())
	case rolecall.Override:
		return holder(s.Subject) && inside(q.scope.String(), s.Scope.String())
	case rolecall.Membership:
		return holder(s.Member)
	case rolecall.Suspension:
		return holder(s.Subject) || q.actor == s.Subject
	case rolecall.PrivateScope:
		return inside(q.scope.String(), s.Scope.String())
	}
	return q.byRole // a constraint
}

// Removing what was added under a new key restores exactly what was there before.
func TestRemovingRestores(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, questions := drawWorld(t), drawQuestions(t)
		added := []rolecall.Statement{role("added", drawRule(t)), grant(pick(t, subjects, "new"), "added", drawScope(t))}
		for range upToN(4).Draw(t, "more") {
			if s := drawStatement(t); !w.has(s) && !worldOf(added).has(s) {
				added = append(added, s)
			}
		}
		before := w.snapshot(t)
		var puts, removes []rolecall.Edit
		for _, s := range added {
			puts, removes = append(puts, rolecall.Put(s)), append(removes, rolecall.Remove(s))
		}
		during := propose(t, before.At(day(1)), puts...).Next()
		after := propose(t, during, rapid.Permutation(removes).Draw(t, "removed")...).Next()
		mustBeSame(t, before, after)
		mustAnswerSame(t, before, after, questions)
	})
}

// Renaming ids injectively renames the answers.
func TestRenamingRenamesTheAnswers(t *testing.T) {
	always(t, func(t *rapid.T, e evaluator) {
		w, questions := drawWorld(t), drawQuestions(t)
		n := drawRenaming(t)
		var renamed []rolecall.Statement
		for _, s := range w.statements() {
			renamed = append(renamed, n.statement(s))
		}
		was, is := e(t, w.statements()), e(t, renamed)
		for _, q := range questions {
			if got, want := is(n.question(q)), was(q); got != want {
				t.Fatalf("%s = %s, want %s as %s; policy:\n%sbefore:\n%s", n.question(q), got, want, q, worldOf(renamed), w)
			}
		}
	})
}

// A renaming gives every id and every role another name.
type renaming map[string]string

func drawRenaming(t *rapid.T) renaming {
	fresh := []string{"z", "p", "a/b", "a:b", "%41", "*", "everyone", "é ü", "\"", "ann", "0", "x", "p2", "P", "group:ann", strings.Repeat("long", 64)}
	fresh = rapid.Permutation(fresh).Draw(t, "ids")
	n := renaming{}
	for i, id := range []string{"ann", "ben", "bot", "crowds", "layout", "animation", "named nowhere", "p", "s", "t", "p2"} {
		n[id] = fresh[i]
	}
	roles := rapid.Permutation([]string{"Z", "r1", "r0", "a.b", "everybody", "0-0", "r4"}).Draw(t, "role names")
	for i, r := range roleNames {
		n[string(r)] = roles[i]
	}
	return n
}

// id returns the other name of an id; one that is not known keeps its name, which no other one gets.
func (n renaming) id(id string) string {
	if fresh, known := n[id]; known {
		return fresh
	}
	return id
}

func (n renaming) subject(s rolecall.Subject) rolecall.Subject {
	if s == everyone || s.IsZero() {
		return s
	}
	return rolecall.NewSubject(s.Kind(), n.id(s.ID()))
}

func (n renaming) scope(s rolecall.Scope) rolecall.Scope {
	out := rolecall.Global()
	for kind, id := range s.Segments() {
		out = out.In(kind, n.id(id))
	}
	return out
}

func (n renaming) role(r rolecall.RoleName) rolecall.RoleName { return rolecall.RoleName(n[string(r)]) }

func mapped[E any](all []E, f func(E) E) []E {
	var out []E
	for _, e := range all {
		out = append(out, f(e))
	}
	return out
}

func (n renaming) statement(s rolecall.Statement) rolecall.Statement {
	switch s := s.(type) {
	case rolecall.Role:
		s.Name, s.Inherits = n.role(s.Name), mapped(s.Inherits, n.role)
		return s
	case rolecall.Membership:
		s.Member, s.Group = n.subject(s.Member), n.subject(s.Group)
		return s
	case rolecall.Grant:
		s.Subject, s.Scope, s.Role = n.subject(s.Subject), n.scope(s.Scope), n.role(s.Role)
		return s
	case rolecall.Override:
		s.Subject, s.Scope = n.subject(s.Subject), n.scope(s.Scope)
		return s
	case rolecall.Suspension:
		return suspend(n.subject(s.Subject))
	case rolecall.PrivateScope:
		return private(n.scope(s.Scope))
	}
	c := s.(rolecall.Constraint)
	c.Roles = mapped(c.Roles, n.role)
	return c
}

func (n renaming) question(q question) question {
	a := *q.asker
	a.subject, a.actor, a.groups, a.roles = n.subject(a.subject), n.subject(a.actor), mapped(a.groups, n.subject), mapped(a.roles, n.role)
	return question{&a, q.permission, n.scope(q.scope), q.facts}
}

// An unknown condition never allows more than either answer would.
func TestUnknownNeverAllowsMore(t *testing.T) {
	always(t, func(t *rapid.T, e evaluator) {
		w, questions := drawWorld(t), drawQuestions(t)
		answer := e(t, w.statements())
		for _, q := range questions {
			for _, c := range conditions {
				unknown := q.given(c, pick(t, []truth{fails, panics}, "unknown"))
				if answer(unknown) != allowed {
					continue
				}
				for _, known := range []question{q.given(c, yes), q.given(c, no)} {
					if got := answer(known); got != allowed {
						t.Fatalf("%s = allowed, but %s = %s; policy:\n%s", unknown, known, got, w)
					}
				}
			}
		}
	})
}

// given returns the question with another answer to one condition.
func (q question) given(c rolecall.Condition, answer truth) question {
	f := facts{c: answer}
	for other, t := range q.facts {
		if other != c {
			f[other] = t
		}
	}
	q.facts = f
	return q
}

// Every list equals the filter of the single check.
func TestListsEqualTheFilterOfTheCheck(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		b := newBench(t, w)
		q := question{drawAsker(t), pick(t, permissions, "permission"), pick(t, scopes, "at"), drawFacts(t)}
		listed, everyone, err := b.now(q.now).Who(q.permission, q.scope, q.facts)
		if err != nil {
			t.Fatalf("Who(%s): %v, want no error; policy:\n%s", q, err, w)
		}
		check := func(s rolecall.Subject) bool { return b.now(q.now).Check(s, q.permission, q.scope, q.facts) == nil }
		want := slices.DeleteFunc(slices.Collect(b.snapshot.Subjects()), func(s rolecall.Subject) bool { return s.IsGroup() || !check(s) })
		if diff := cmp.Diff(textsOf(want), textsOf(listed)); diff != "" || everyone != check(stranger) {
			t.Fatalf("Who(%s): everyone %t, want %t; -want +got:\n%s\npolicy:\n%s", q, everyone, check(stranger), diff, w)
		}
		v := b.view(q.asker)
		if v.err != nil {
			return
		}
		var may []rolecall.Permission
		for p := range worldCatalog.Permissions() {
			if v.Check(p, q.scope, q.facts) == nil {
				may = append(may, p)
			}
		}
		got, err := v.Permissions(q.scope, q.facts)
		if diff := cmp.Diff(textsOf(may), textsOf(got)); err != nil || diff != "" {
			t.Fatalf("Permissions(%s): %v; -want +got:\n%s\npolicy:\n%s", q, err, diff, w)
		}
		answers, err := v.CheckAll([]rolecall.Target{{Scope: q.scope, Facts: q.facts}, {Scope: q.scope}}, permissions...)
		if err != nil {
			t.Fatalf("CheckAll(%s): %v, want no error; policy:\n%s", q, err, w)
		}
		for i, p := range permissions {
			with, without := v.Check(p, q.scope, q.facts) == nil, v.Check(p, q.scope) == nil
			if answers.Allowed(0, i) != with || answers.Allowed(1, i) != without {
				t.Fatalf("CheckAll(%s, %s) = %t with facts and %t without, want %t and %t; policy:\n%s", q, p, answers.Allowed(0, i), answers.Allowed(1, i), with, without, w)
			}
		}
	})
}

// A snapshot reached by any sequence of changes equals the one built from scratch, and a refused change leaves it as
// it was.
func TestAnySequenceOfChangesEqualsScratch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, questions := drawWorld(t), drawQuestions(t)
		s := w.snapshot(t)
		for range upToN(8).Draw(t, "changes") {
			edits, next, legal := drawEdits(t, w)
			p, err := s.Propose(rolecall.Change{Meta: rolecall.Meta{Time: day(1)}, Edits: edits})
			if legal != (err == nil) {
				t.Fatalf("Propose(%v): %v, want an error: %t; policy:\n%s", edits, err, !legal, w)
			}
			if err != nil {
				mustBeSame(t, w.snapshot(t), s)
				continue
			}
			applied, err := s.Apply(p.Entry())
			if err != nil {
				t.Fatalf("Apply(%v): %v, want no error; policy:\n%s", p.Entry(), err, w)
			}
			mustBeSame(t, w.snapshot(t), s)
			w, s = next, p.Next()
			mustBeSame(t, s, applied)
			if p.Base()+1 != p.Entry().Revision || s.Revision() != p.Entry().Revision || applied.Revision() != s.Revision() {
				t.Fatalf("revisions: base %d, entry %d, next %d, applied %d, want base+1 for the others", p.Base(), p.Entry().Revision, s.Revision(), applied.Revision())
			}
			if often(t, 50, "go on by applying") {
				s = applied
			}
		}
		mustBeSame(t, w.snapshot(t), s)
		mustAnswerSame(t, w.snapshot(t), s, questions)
	})
}

// drawEdits draws a change to w, what it makes of w, and whether it is legal: what it removes is there, and no role
// goes that is still named.
func drawEdits(t *rapid.T, w world) (edits []rolecall.Edit, next world, legal bool) {
	next, legal = w, true
	for range 1 + upToN(4).Draw(t, "edits") {
		switch k := upToN(100).Draw(t, "edit"); {
		case k < 45:
			s := drawStatement(t)
			edits, next = append(edits, rolecall.Put(s)), next.put(s)
		case k < 60:
			r := drawRole(t, upToN(len(roleNames)).Draw(t, "role"))
			edits, next = append(edits, rolecall.Put(r)), next.put(r)
		case k < 65:
			s := drawStatement(t) // seldom there
			edits, next, legal = append(edits, rolecall.Remove(s)), next.without(s), legal && next.has(s)
		case k < 90:
			if all := next.statements(); len(all) > 0 {
				s := pick(t, all, "removed")
				edits, next = append(edits, rolecall.Remove(s)), next.without(s)
			}
		case k < 95:
			s := pick(t, slices.Concat(users, groups), "forgotten")
			if after := next.forgetSubject(s); len(after.statements()) < len(next.statements()) {
				edits, next = append(edits, rolecall.ForgetSubject(s)), after
			}
		default:
			c := pick(t, scopes[1:], "forgotten")
			if after := next.forgetScope(c); len(after.statements()) < len(next.statements()) {
				edits, next = append(edits, rolecall.ForgetScope(c)), after
			}
		}
	}
	if len(edits) == 0 {
		s := drawSuspension(t)
		edits, next = append(edits, rolecall.Put(s)), next.put(s)
	}
	return edits, next, legal && next.namesOnlyItsRoles()
}

func (w world) forgetSubject(s rolecall.Subject) world {
	return worldOf(slices.DeleteFunc(w.statements(), func(o rolecall.Statement) bool {
		switch o := o.(type) {
		case rolecall.Membership:
			return o.Member == s || o.Group == s
		case rolecall.Grant:
			return o.Subject == s
		case rolecall.Override:
			return o.Subject == s
		case rolecall.Suspension:
			return o.Subject == s
		}
		return false
	}))
}

func (w world) forgetScope(c rolecall.Scope) world {
	return worldOf(slices.DeleteFunc(w.statements(), func(o rolecall.Statement) bool {
		switch o := o.(type) {
		case rolecall.Grant:
			return inside(o.Scope.String(), c.String())
		case rolecall.Override:
			return inside(o.Scope.String(), c.String())
		case rolecall.PrivateScope:
			return inside(o.Scope.String(), c.String())
		}
		return false
	}))
}

func (w world) namesOnlyItsRoles() bool {
	var named []rolecall.RoleName
	for _, r := range w.roles {
		named = append(named, r.Inherits...)
	}
	for _, g := range w.grants {
		named = append(named, g.Role)
	}
	for _, c := range w.constraints {
		named = append(named, c.Roles...)
	}
	return !slices.ContainsFunc(named, func(n rolecall.RoleName) bool {
		return !slices.ContainsFunc(w.roles, func(r rolecall.Role) bool { return r.Name == n })
	})
}

// mustBeSame fails unless both snapshots hold the same statements in the same order and find each of them.
func mustBeSame(t rapid.TB, want, got *rolecall.Snapshot) {
	if diff := cmp.Diff(texts(want), texts(got)); diff != "" {
		t.Fatalf("Statements(): -want +got:\n%s", diff)
	}
	for s := range want.Statements() {
		if found, ok := got.Find(rolecall.KeyOf(s)); !ok || !rolecall.Equal(found, s) {
			t.Fatalf("Find(%s) = %v, %t, want %v", rolecall.KeyOf(s), found, ok, s)
		}
	}
	if diff := cmp.Diff(textsOf(slices.Collect(want.Subjects())), textsOf(slices.Collect(got.Subjects()))); diff != "" {
		t.Fatalf("Subjects(): -want +got:\n%s", diff)
	}
	mustNameSame(t, got)
}

// mustAnswerSame fails unless both snapshots answer alike, Check as Decide does.
func mustAnswerSame(t rapid.TB, want, got *rolecall.Snapshot, questions []question) {
	for _, q := range questions {
		is, was := ask(got, q), ask(want, q)
		if q.plain() && is == was {
			is = verdictOf(got.At(q.now).Check(q.subject, q.permission, q.scope, q.facts))
		}
		if is != was {
			t.Fatalf("Decide or Check(%s) = %s, want %s; policy:\n%s", q, is, was, strings.Join(textsOf(slices.Collect(got.Statements())), "\n"))
		}
	}
}
