package rolecall_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/internal/testneeds"
	"github.com/rolecall-go/rolecall/policy"
)

// TestNaiveOnGoldenScenarios takes the golden scenarios through the naive evaluator: what it and the engine agree on is
// then also what people wrote down. Steps about refusals and errors of names are not its business.
func TestNaiveOnGoldenScenarios(t *testing.T) {
	for _, name := range testneeds.Scenarios(t, ".") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			src, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			f, err := policy.Parse(name, src)
			if err != nil {
				t.Fatal(err)
			}
			(&golden{t: t, file: f, lines: strings.Split(string(src), "\n"), world: worldOf(f.Statements), now: f.Now()}).run()
		})
	}
}

// golden is a scenario on its way.
type golden struct {
	t       *testing.T
	file    *policy.File
	lines   []string
	world   world
	now     time.Time
	decided int
}

func (g *golden) run() {
	for _, step := range g.file.Steps {
		words := strings.Fields(step.Text)
		switch words[0] {
		case "do":
			if words[1] == "by" {
				words = words[2:]
			}
			g.do(words[1:], step.Line)
		case "expect":
			g.expect(words[1:], step)
		}
	}
	if g.decided == 0 {
		g.t.Errorf("%s: no expectation compared, want some", g.file.Name)
	}
}

// do edits the world.
func (g *golden) do(words []string, line int) {
	switch text := strings.Join(words, " "); {
	case words[0] == "forget" && strings.HasPrefix(words[1], "/"):
		g.world = g.world.forgetScope(scopeOf(words[1]))
	case words[0] == "forget":
		g.world = g.world.forgetSubject(g.subject(words[1]))
	case words[0] == "activate":
		g.activate(words[1:])
	case words[0] == "remove" && words[1] == "constraint":
		g.world = g.world.without(rolecall.Constraint{Name: words[2]})
	case words[0] == "remove":
		g.world = g.world.without(g.statement(keyText(words[1:])))
	case words[0] == "role":
		for _, more := range g.lines[line:] {
			if !strings.HasPrefix(more, " ") {
				break
			}
			text += "\n" + more
		}
		g.world = g.world.put(g.statement(text))
	default:
		g.world = g.world.put(g.statement(text))
	}
}

// keyText gives an override that is named by its key an effect, without which it is no statement.
func keyText(words []string) string {
	if _, err := rolecall.ParseEffect(words[min(2, len(words)-1)]); words[0] == "override" && err != nil {
		words = slices.Insert(slices.Clone(words), 2, "deny")
	}
	return strings.Join(words, " ")
}

func (g *golden) statement(text string) rolecall.Statement {
	f, err := policy.Parse("step", []byte(text))
	if err != nil || len(f.Statements) != 1 {
		g.t.Fatalf("Parse(%q): %v, want one statement", text, err)
	}
	return f.Statements[0]
}

// activate reads SUBJECT ROLE at SCOPE until TIME "REASON".
func (g *golden) activate(words []string) {
	s, at := g.subject(words[0]), scopeOf(words[3])
	for _, e := range g.world.grants {
		if e.Eligible && string(e.Role) == words[1] && inside(at.String(), e.Scope.String()) &&
			slices.Contains(g.world.holders(question{asker: &asker{subject: s, now: g.now}}), e.Subject) {
			e.Subject, e.Scope, e.Eligible, e.Window = s, at, false, rolecall.Window{NotAfter: g.time(words[5])}
			g.world = g.world.put(e)
			return
		}
	}
	g.t.Fatalf("activate %v: nothing eligible", words)
}

// expect compares one expectation.
func (g *golden) expect(words []string, step policy.Step) {
	asked, wanted, isList := cut(words[1:], "=")
	if isList {
		g.expectList(words[0], asked, wanted, step)
		return
	}
	want := map[string]verdict{"allow": allowed, "deny": denied}[words[0]]
	if words[0] == "error" && words[1] == "separation" {
		want, asked = separation, asked[1:]
	}
	if want == "" {
		return // an error of names
	}
	q := g.question(asked[3:])
	q.subject, q.permission, q.scope = g.subject(asked[0]), rolecall.NewPermission(asked[1]), scopeOf(g.after("at", asked))
	g.decided++
	if got := g.world.decide(q); got != want {
		g.t.Errorf("%s:%d: %s: got %s; policy:\n%s", g.file.Name, step.Line, step.Text, got, g.world)
	}
}

// expectList compares a list of subjects, scopes or permissions.
func (g *golden) expectList(kind string, asked, wanted []string, step policy.Step) {
	got := []string{}
	q := g.question(asked)
	switch kind {
	case "subjects":
		q.permission, q.scope = rolecall.NewPermission(asked[0]), scopeOf(g.after("at", asked))
		named, all := g.world.who(q)
		got = append(got, textsOf(named)...)
		if all {
			got = append(got, "everyone")
		}
	case "scopes":
		q.subject, q.permission = g.subject(asked[0]), rolecall.NewPermission(asked[1])
		_, among, _ := cut(asked, "among")
		for _, text := range among {
			if q.scope = scopeOf(text); g.world.decide(q) == allowed {
				got = append(got, text)
			}
		}
	case "permissions":
		q.subject, q.scope = g.subject(asked[0]), scopeOf(g.after("at", asked))
		for _, d := range g.file.Declarations.Permissions {
			if q.permission = d.Permission; g.world.decide(q) == allowed {
				got = append(got, d.Permission.String())
			}
		}
	}
	if wanted[0] == "none" {
		wanted = []string{}
	}
	slices.Sort(got)
	slices.Sort(wanted)
	g.decided++
	if diff := cmp.Diff(wanted, got); diff != "" {
		g.t.Errorf("%s:%d: %s: -want +got:\n%s", g.file.Name, step.Line, step.Text, diff)
	}
}

// question reads the clauses of a step.
func (g *golden) question(words []string) question {
	q := question{asker: &asker{now: g.now}, facts: facts{}}
	clause, cannotSay := "", false
	for _, w := range words {
		if slices.Contains([]string{"at", "given", "with", "roles", "only", "now", "actor", "among"}, w) {
			clause, cannotSay = w, false
			q.byRole, q.byPattern = q.byRole || w == "roles", q.byPattern || w == "only"
			continue
		}
		switch {
		case clause == "given" && w == "unknown":
			cannotSay = true
		case clause == "given" && cannotSay:
			q.facts[rolecall.Condition(w)] = fails
		case clause == "given":
			q.facts[rolecall.Condition(w)] = yes
		case clause == "with":
			q.groups = append(q.groups, g.subject(w))
		case clause == "roles":
			q.roles = append(q.roles, rolecall.RoleName(w))
		case clause == "only":
			q.patterns = append(q.patterns, rolecall.Pattern(w))
		case clause == "now":
			q.now = g.time(w)
		case clause == "actor":
			q.actor = g.subject(w)
		}
	}
	return q
}

// cut splits words at the first sep.
func cut(words []string, sep string) (before, after []string, found bool) {
	i := slices.Index(words, sep)
	if i < 0 {
		return words, nil, false
	}
	return words[:i], words[i+1:], true
}

// after returns the word that follows.
func (g *golden) after(word string, words []string) string {
	_, rest, found := cut(words, word)
	if !found {
		g.t.Fatalf("no %q in %q", word, words)
	}
	return rest[0]
}

func (g *golden) subject(text string) rolecall.Subject {
	s, err := rolecall.ParseSubject(text)
	if err != nil {
		g.t.Fatal(err)
	}
	return s
}

func (g *golden) time(text string) time.Time {
	at, err := rolecall.ParseTime(text)
	if err != nil {
		g.t.Fatal(err)
	}
	return at
}
