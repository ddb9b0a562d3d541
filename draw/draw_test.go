package draw_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/draw"
	"github.com/rolecall-go/rolecall/memstore"
)

var update = flag.Bool("update", false, "write the golden files anew")

var (
	taskView = rolecall.NewPermission("task.view")
	ada      = rolecall.User("ada")
	layout   = rolecall.Group("layout")
	crew     = rolecall.Group("crew")
	alpha    = rolecall.In("project", "alpha")
	shot     = alpha.In("shot", "010")
	everyone = rolecall.Everyone()
	now      = time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC)
)

// explain commits each list of statements as a change, and explains the answer to a request.
func explain(t testing.TB, r rolecall.Request, changes ...[]rolecall.Statement) rolecall.Explanation {
	t.Helper()
	return explainReasons(t, "reason <%d> & more", r, changes...)
}

// explainReasons is explain with reasons that are made of a format and the number of the change.
func explainReasons(t testing.TB, reason string, r rolecall.Request, changes ...[]rolecall.Statement) rolecall.Explanation {
	t.Helper()
	c := ok[*rolecall.Catalog](t)(rolecall.NewCatalog(rolecall.Declarations{
		Permissions: []rolecall.PermissionDecl{{Permission: taskView}},
		Conditions:  []rolecall.ConditionDecl{{Condition: "assigned"}},
		ScopeKinds:  []rolecall.ScopeKindDecl{{Kind: "project"}, {Kind: "shot"}},
	}))
	store := memstore.New()
	resolver := ok[*rolecall.Resolver](t)(rolecall.Open(t.Context(), store, c, &rolecall.Options{Clock: func() time.Time { return now }}))
	for i, list := range changes {
		m := rolecall.Meta{Reason: fmt.Sprintf(reason, i+1), Time: now.AddDate(0, 0, i-8)}
		var edits []rolecall.Edit
		for _, s := range list {
			edits = append(edits, rolecall.Put(s))
		}
		ok[rolecall.Revision](t)(resolver.Edit(t.Context(), m, edits...))
	}
	s := ok[*rolecall.Snapshot](t)(resolver.Snapshot())
	p := ok[*rolecall.Provenance](t)(rolecall.Trace(t.Context(), store, s))
	return ok[rolecall.Decision](t)(s.At(now).Decide(r)).Explain(p)
}

func ok[V any](t testing.TB) func(V, error) V {
	return func(v V, err error) V {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func allows(name rolecall.RoleName, inherits ...rolecall.RoleName) rolecall.Role {
	return rolecall.Role{Name: name, Inherits: inherits, Rules: []rolecall.Rule{{Effect: rolecall.Allow, Patterns: []rolecall.Pattern{"task.*"}}}}
}

// pictures are the explanations drawn in the golden files.
func pictures(t testing.TB) map[string]rolecall.Explanation {
	asks := rolecall.Request{Subject: ada, Permission: taskView, Scope: shot}
	roles := []rolecall.Statement{allows("artist"), rolecall.Role{Name: "lead", Inherits: []rolecall.RoleName{"artist"}}}
	return map[string]rolecall.Explanation{
		"nothing": explain(t, asks, roles),
		"denied": explain(t, asks, roles,
			[]rolecall.Statement{
				rolecall.Membership{Member: ada, Group: layout}, rolecall.Membership{Member: layout, Group: crew},
				rolecall.Grant{Subject: crew, Role: "lead", Scope: alpha}, rolecall.Grant{Subject: everyone, Role: "artist", Scope: rolecall.Global()},
				rolecall.Grant{Subject: ada, Role: "artist", Scope: rolecall.Global(), When: "assigned", Window: rolecall.Window{NotAfter: now.AddDate(1, 0, 0)}},
			},
			[]rolecall.Statement{
				rolecall.Override{Subject: ada, Effect: rolecall.Deny, Pattern: "task.*", Scope: shot},
				rolecall.Override{Subject: layout, Effect: rolecall.Allow, Pattern: "task.view", Scope: shot},
			}),
		"allowed": explain(t, asks, roles, []rolecall.Statement{
			rolecall.PrivateScope{Scope: alpha}, rolecall.Membership{Member: ada, Group: layout}, rolecall.Membership{Member: ada, Group: crew},
			rolecall.Grant{Subject: layout, Role: "lead", Scope: rolecall.Global(), Pierce: true}, rolecall.Grant{Subject: crew, Role: "artist", Scope: rolecall.Global()},
			rolecall.Grant{Subject: layout, Role: "artist", Scope: shot, Eligible: true},
		}),
		"suspended": explain(t, asks, roles, []rolecall.Statement{rolecall.Suspension{Subject: ada}, rolecall.Grant{Subject: ada, Role: "lead", Scope: alpha}}),
		"hostile":   hostile(t, `</text><script>alert("1")</script>\`),
	}
}

// hostile is an explanation with an id as the name of everything that has an id.
func hostile(t testing.TB, id string) rolecall.Explanation {
	who, group, at := rolecall.User(id), rolecall.Group(id), rolecall.In("project", id)
	return explain(t, rolecall.Request{Subject: who, Permission: taskView, Scope: at.In("shot", id)},
		[]rolecall.Statement{allows("artist"), rolecall.Membership{Member: who, Group: group}},
		[]rolecall.Statement{
			rolecall.Grant{Subject: group, Role: "artist", Scope: at}, rolecall.Override{Subject: who, Effect: rolecall.Deny, Pattern: "task.*", Scope: at},
		})
}

func TestGolden(t *testing.T) {
	for name, e := range pictures(t) {
		for kind, write := range map[string]func(io.Writer, rolecall.Explanation) error{".svg": draw.SVG, ".dot": draw.DOT} {
			var got bytes.Buffer
			if err := write(&got, e); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", name+kind)
			if *update {
				if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want := ok[[]byte](t)(os.ReadFile(file))
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("%s differs, -update writes it anew: -want +got\n%s", file, diff)
			}
		}
	}
}

// elements reads a drawing as XML and lists its elements and attribute names.
func elements(t testing.TB, svg []byte) []string {
	var list []string
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatalf("the drawing is no XML: %v\n%s", err, svg)
		}
		if start, is := token.(xml.StartElement); is {
			name := start.Name.Local
			for _, a := range start.Attr {
				name += " " + a.Name.Local
			}
			list = append(list, name)
		}
	}
}

// unquoted returns a graph without its strings, each of which must end on its line.
func unquoted(t testing.TB, dot string) string {
	var out strings.Builder
	inside := false
	for i := 0; i < len(dot); i++ {
		switch c := dot[i]; {
		case inside && c == '\\':
			i++
		case c == '"':
			inside = !inside
		case c == '\n' && inside:
			t.Fatalf("a string of the graph does not end on its line:\n%s", dot)
		case !inside:
			out.WriteByte(c)
		}
	}
	if inside {
		t.Fatalf("a string of the graph does not end:\n%s", dot)
	}
	return out.String()
}

// FuzzHostileIDs checks that an id shows as text, whatever is in it: the drawing has the same elements as one of a plain
// id, and the graph the same words outside its strings.
func FuzzHostileIDs(f *testing.F) {
	for _, id := range []string{`</text><script>`, `"];x[label="`, `\`, `\N`, `&amp;`, `]]>`, "<!--", "\u202Eadmin", "日本語の名前がとても長いとき", strings.Repeat("W", 256), "a%b", `'"><image href="x"/>`} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		if rolecall.User(id).Valid() != nil {
			return
		}
		var svg, plain, dot, plainDOT bytes.Buffer
		hostileOne, plainOne := hostile(t, id), hostile(t, "plain")
		for _, err := range []error{draw.SVG(&svg, hostileOne), draw.SVG(&plain, plainOne), draw.DOT(&dot, hostileOne), draw.DOT(&plainDOT, plainOne)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if got, want := elements(t, svg.Bytes()), elements(t, plain.Bytes()); !slices.Equal(got, want) {
			t.Errorf("SVG with the id %q has the elements %q, want %q", id, got, want)
		}
		if got, want := unquoted(t, dot.String()), unquoted(t, plainDOT.String()); got != want {
			t.Errorf("DOT with the id %q has outside its strings\n%s\nwant\n%s", id, got, want)
		}
		if strings.ContainsRune(svg.String(), '\u202E') {
			t.Errorf("SVG with the id %q has a letter that turns the text around", id)
		}
	})
}

// Graphviz reads entities in the text of a graph, and the letters of an id are none.
func TestDOTShowsLetters(t *testing.T) {
	for _, row := range []struct{ id, want string }{
		{"a&lt;b", "a&amp;lt;b"},
		{"a&b", "a&amp;b"},
		{`a\N`, `a\\N`},
		{"a\u202Eb\u2066", "a\uFFFDb\uFFFD"},
		{"日本", "日本"},
	} {
		var dot bytes.Buffer
		if err := draw.DOT(&dot, hostile(t, row.id)); err != nil {
			t.Fatal(err)
		}
		if want := `label="user:` + row.want + `"];`; !strings.Contains(dot.String(), want) {
			t.Errorf("DOT with the id %q has no %s:\n%s", row.id, want, dot.String())
		}
		if strings.ContainsFunc(dot.String(), func(r rune) bool { return unicode.Is(unicode.Cf, r) }) {
			t.Errorf("DOT with the id %q has a letter that turns the text around:\n%q", row.id, dot.String())
		}
	}
}

// A reason may hold anything. A drawing acts on no terminal that shows it, and hides nothing of the reason.
func TestReasonsAreShown(t *testing.T) {
	e := explainReasons(t, "a\x1b[8mb\u202E\r\u200b%d", rolecall.Request{Subject: ada, Permission: taskView, Scope: shot},
		[]rolecall.Statement{allows("artist"), rolecall.Grant{Subject: ada, Role: "artist", Scope: alpha}})
	for name, write := range map[string]func(io.Writer, rolecall.Explanation) error{"SVG": draw.SVG, "DOT": draw.DOT} {
		var drawing bytes.Buffer
		if err := write(&drawing, e); err != nil {
			t.Fatal(err)
		}
		if want := "a\uFFFD[8mb\uFFFD\uFFFD\uFFFD1"; !strings.Contains(drawing.String(), want) {
			t.Errorf("%s of a reason that has letters which do not show has no %q:\n%q", name, want, drawing.String())
		}
	}
}

// Subjects whose ids look the same are drawn each by itself.
func TestDOTKeepsSubjectsApart(t *testing.T) {
	one, other := rolecall.Group("crew\u202E"), rolecall.Group("crew\u202D")
	e := explain(t, rolecall.Request{Subject: ada, Permission: taskView, Scope: shot}, []rolecall.Statement{
		allows("artist"), rolecall.Membership{Member: ada, Group: one}, rolecall.Membership{Member: ada, Group: other},
		rolecall.Grant{Subject: one, Role: "artist", Scope: alpha}, rolecall.Grant{Subject: other, Role: "artist", Scope: alpha},
	})
	var dot bytes.Buffer
	if err := draw.DOT(&dot, e); err != nil {
		t.Fatal(err)
	}
	for _, node := range []string{"subject1 [", "subject2 [", "subject1 -> statement", "subject2 -> statement"} {
		if !strings.Contains(dot.String(), "\n  "+node) {
			t.Errorf("DOT of two groups that look the same has no line %q:\n%s", node, dot.String())
		}
	}
}

// A drawing refers to nothing outside.
func TestSelfContained(t *testing.T) {
	for name, e := range pictures(t) {
		var svg bytes.Buffer
		if err := draw.SVG(&svg, e); err != nil {
			t.Fatal(err)
		}
		for _, element := range elements(t, svg.Bytes()) {
			if strings.Contains(element, "href") || strings.HasPrefix(element, "script") || strings.HasPrefix(element, "image") || strings.Contains(element, " on") {
				t.Errorf("SVG of %s has the element %q, want nothing that refers or runs", name, element)
			}
		}
	}
}

// An error of the writer is the caller's.
func TestWriterFails(t *testing.T) {
	full := errors.New("the disk is full")
	for name, write := range map[string]func(io.Writer, rolecall.Explanation) error{"SVG": draw.SVG, "DOT": draw.DOT} {
		if err := write(failing{full}, hostile(t, "x")); !errors.Is(err, full) {
			t.Errorf("%s to a writer that fails: %v, want %v", name, err, full)
		}
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
