package rolecall_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rolecall-go/rolecall"
)

var (
	jsonFrom  = time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)
	jsonUntil = time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
)

// Every kind of statement with every member, and the form that is promised for it.
var jsonStatements = []struct {
	statement rolecall.Statement
	text      string
}{
	{rolecall.Role{
		Name: "artist", Title: "Artist", Description: `Works "on" shots`, Inherits: []rolecall.RoleName{"viewer"},
		Holders: []rolecall.SubjectKind{"user", "group"}, Scopes: []rolecall.ScopeKind{"project", "/"},
		Rules: []rolecall.Rule{
			{Effect: rolecall.Except, Patterns: []rolecall.Pattern{"task.delete"}},
			{Effect: rolecall.Allow, Patterns: []rolecall.Pattern{"task.*"}, When: "assigned"},
		},
	}, `{"role":{"name":"artist","title":"Artist","description":"Works \"on\" shots","inherits":["viewer"],` +
		`"rules":[{"effect":"allow","patterns":["task.*"],"when":"assigned"},{"effect":"except","patterns":["task.delete"]}],` +
		`"holders":["group","user"],"scopes":["/","project"]}}`},
	{rolecall.Membership{Member: rolecall.User("ada"), Group: rolecall.Group("3d"), Window: rolecall.Window{NotBefore: jsonFrom, NotAfter: jsonUntil}},
		`{"member":{"member":"user:ada","group":"group:3d","from":"2026-03-01T09:30:00Z","until":"2026-07-01T00:00:00Z"}}`},
	{rolecall.Grant{Subject: rolecall.Everyone(), Role: "artist", Scope: rolecall.In("project", "a/b").In("shot", "010"), When: "assigned",
		Replace: true, Pierce: true, Eligible: true, Window: rolecall.Window{NotAfter: jsonUntil.In(time.FixedZone("", 3600))}},
		`{"grant":{"subject":"everyone","role":"artist","scope":"/project:a%2Fb/shot:010","when":"assigned","replace":true,` +
			`"pierce":true,"eligible":true,"until":"2026-07-01T00:00:00Z"}}`},
	{grant(rolecall.User("ada"), "artist", rolecall.Global()),
		`{"grant":{"subject":"user:ada","role":"artist","scope":"/"}}`},
	{rolecall.Override{Subject: rolecall.User("ada"), Effect: rolecall.Deny, Pattern: "task.*", Scope: rolecall.Global(), When: "assigned",
		Window: rolecall.Window{NotBefore: jsonFrom}},
		`{"override":{"subject":"user:ada","effect":"deny","pattern":"task.*","scope":"/","when":"assigned","from":"2026-03-01T09:30:00Z"}}`},
	{suspend(rolecall.Service("render")), `{"suspend":{"subject":"service:render"}}`},
	{private(rolecall.In("project", "secret")), `{"private":{"scope":"/project:secret"}}`},
	{rolecall.Constraint{Name: "pay", Kind: rolecall.Static, Limit: 2, Roles: []rolecall.RoleName{"b", "a"}},
		`{"constraint":{"name":"pay","kind":"static","limit":2,"roles":["a","b"]}}`},
}

func TestJSONStatementForm(t *testing.T) {
	for _, c := range jsonStatements {
		got, err := rolecall.MarshalStatement(c.statement)
		if err != nil || string(got) != c.text {
			t.Errorf("MarshalStatement(%s)\n got %s, %v\nwant %s", c.statement, got, err, c.text)
		}
		back, err := rolecall.UnmarshalStatement([]byte(c.text))
		if err != nil || !rolecall.Equal(back, c.statement) {
			t.Errorf("UnmarshalStatement(%s)\n got %v, %v\nwant %s", c.text, back, err, c.statement)
		}
	}
}

var jsonMeta = rolecall.Meta{Actor: rolecall.User("pia"), OnBehalf: rolecall.User("max"), Reason: "a <b>", Time: jsonFrom}

const jsonMetaText = `"actor":"user:pia","onBehalf":"user:max","reason":"a \u003cb\u003e","time":"2026-03-01T09:30:00Z"`

// The values around statements, and the form that is promised for them. The last column reads the form again.
var jsonValues = []struct {
	value any
	text  string
	into  any
}{
	{rolecall.Change{Meta: jsonMeta, Edits: []rolecall.Edit{
		rolecall.Put(suspend(rolecall.User("ada"))),
		rolecall.Remove(rolecall.Override{Subject: rolecall.User("ada"), Pattern: "task.view", Scope: rolecall.Global()}),
		rolecall.Remove(rolecall.Constraint{Name: "pay"}),
		rolecall.ForgetSubject(rolecall.User("bob")),
		rolecall.ForgetScope(rolecall.In("project", "alpha")),
		rolecall.Activate(rolecall.Activation{Subject: rolecall.User("ada"), Role: "lead", Scope: rolecall.Global(), Until: jsonUntil, Reason: "cover"}),
	}}, `{` + jsonMetaText + `,"edits":[{"put":{"suspend":{"subject":"user:ada"}}},` +
		`{"remove":{"override":{"subject":"user:ada","pattern":"task.view","scope":"/"}}},{"remove":{"constraint":{"name":"pay"}}},` +
		`{"forgetSubject":"user:bob"},{"forgetScope":"/project:alpha"},` +
		`{"activate":{"subject":"user:ada","role":"lead","scope":"/","until":"2026-07-01T00:00:00Z","reason":"cover"}}]}`, &rolecall.Change{}},
	{rolecall.Change{Edits: []rolecall.Edit{}}, `{"edits":[]}`, &rolecall.Change{}},
	{rolecall.Change{Narrow: rolecall.ToRoles().AndPatterns("task.*"), Edits: []rolecall.Edit{}}, `{"narrow":{"roles":[],"patterns":["task.*"]},"edits":[]}`, &rolecall.Change{}},
	{rolecall.Entry{Revision: 7, Meta: jsonMeta, Deltas: []rolecall.Delta{
		{After: suspend(rolecall.User("ada"))},
		{Before: private(rolecall.In("project", "x"))},
		{
			Before: member(rolecall.User("a"), rolecall.Group("g")),
			After:  rolecall.Membership{Member: rolecall.User("a"), Group: rolecall.Group("g"), Window: rolecall.Window{NotAfter: jsonUntil}},
		},
	}}, `{"revision":7,` + jsonMetaText + `,"deltas":[{"after":{"suspend":{"subject":"user:ada"}}},{"before":{"private":{"scope":"/project:x"}}},` +
		`{"before":{"member":{"member":"user:a","group":"group:g"}},"after":{"member":{"member":"user:a","group":"group:g","until":"2026-07-01T00:00:00Z"}}}]}`,
		&rolecall.Entry{}},
	{rolecall.Request{
		Subject: rolecall.User("ada"), Permission: rolecall.NewPermission("task.view"), Scope: rolecall.In("project", "alpha"), Now: jsonFrom,
		Facts: rolecall.Given{"own"}, Groups: []rolecall.Subject{rolecall.Group("g")}, Actor: rolecall.User("pia"),
		Narrow: rolecall.ToRoles("viewer").AndPatterns("*.view"),
	}, `{"subject":"user:ada","permission":"task.view","scope":"/project:alpha","now":"2026-03-01T09:30:00Z","facts":["own"],` +
		`"groups":["group:g"],"actor":"user:pia","narrow":{"roles":["viewer"],"patterns":["*.view"]}}`, &rolecall.Request{}},
	{rolecall.Request{Subject: rolecall.User("ada"), Permission: rolecall.NewPermission("task.view"), Scope: rolecall.Global()},
		`{"subject":"user:ada","permission":"task.view","scope":"/"}`, &rolecall.Request{}},
	{rolecall.Declarations{
		Permissions:  []rolecall.PermissionDecl{{Permission: rolecall.NewPermission("task.view"), Title: "See", Group: "Tasks"}},
		Conditions:   []rolecall.ConditionDecl{{Condition: "own", Title: "Made it"}},
		ScopeKinds:   []rolecall.ScopeKindDecl{{Kind: "project", Title: "Project"}},
		SubjectKinds: []rolecall.SubjectKindDecl{{Kind: "bot"}},
	}, `{"permissions":[{"permission":"task.view","title":"See","group":"Tasks"}],"conditions":[{"condition":"own","title":"Made it"}],` +
		`"scopeKinds":[{"kind":"project","title":"Project"}],"subjectKinds":[{"kind":"bot"}]}`, &rolecall.Declarations{}},
}

func TestJSONValueForm(t *testing.T) {
	for _, c := range jsonValues {
		got, err := json.Marshal(c.value)
		if err != nil || string(got) != c.text {
			t.Errorf("json.Marshal(%T)\n got %s, %v\nwant %s", c.value, got, err, c.text)
		}
		if err := json.Unmarshal([]byte(c.text), c.into); err != nil {
			t.Errorf("json.Unmarshal(%s): %v, want no error", c.text, err)
			continue
		}
		if back := reflect.ValueOf(c.into).Elem().Interface(); !reflect.DeepEqual(back, c.value) {
			t.Errorf("json.Unmarshal(%s)\n got %+v\nwant %+v", c.text, back, c.value)
		}
	}
}

// Narrowed to no role at all takes everything away; that must not come back as no narrowing.
func TestJSONKeepsEmptyNarrowing(t *testing.T) {
	for narrow, want := range map[string]rolecall.Narrowing{
		`{"roles":[]}`:    rolecall.ToRoles(),
		`{"patterns":[]}`: rolecall.ToPatterns(),
	} {
		text := `{"subject":"user:ada","permission":"task.view","scope":"/","narrow":` + narrow + `}`
		var r rolecall.Request
		if err := json.Unmarshal([]byte(text), &r); err != nil || !reflect.DeepEqual(r.Narrow, want) {
			t.Errorf("json.Unmarshal(%s) = %+v, %v, want narrowing %+v", text, r.Narrow, err, want)
		}
		if back, err := json.Marshal(r); err != nil || string(back) != text {
			t.Errorf("json.Marshal = %s, %v, want %s", back, err, text)
		}
	}
}

// A host keeps narrowings in values of its own.
func TestJSONOfANarrowingAlone(t *testing.T) {
	type session struct{ Narrow rolecall.Narrowing }
	for text, narrow := range map[string]rolecall.Narrowing{
		`{"Narrow":null}`:                          {},
		`{"Narrow":{"roles":[]}}`:                  rolecall.ToRoles(),
		`{"Narrow":{"patterns":["task.*"]}}`:       rolecall.ToPatterns("task.*"),
		`{"Narrow":{"roles":["a"],"patterns":[]}}`: rolecall.ToRoles("a").AndPatterns(),
	} {
		if got, err := json.Marshal(session{narrow}); err != nil || string(got) != text {
			t.Errorf("json.Marshal(%+v) = %s, %v, want %s", narrow, got, err, text)
		}
		back := session{rolecall.ToRoles("another")}
		if err := json.Unmarshal([]byte(text), &back); err != nil || !reflect.DeepEqual(back.Narrow, narrow) {
			t.Errorf("json.Unmarshal(%s) = %+v, %v, want %+v", text, back.Narrow, err, narrow)
		}
	}
}

func TestJSONDecisionForm(t *testing.T) {
	var d rolecall.Decision
	got, err := json.Marshal(d)
	want := `{"allowed":false,"reason":"nothing said","revision":0,"request":{"subject":"","permission":"","scope":""},"deciding":[],"losing":[]}`
	if err != nil || string(got) != want {
		t.Errorf("json.Marshal(Decision{}) = %s, %v, want %s", got, err, want)
	}
	says := rule(rolecall.Allow, "", "task.view")
	f := rolecall.Finding{
		Statement: grant(rolecall.Group("g"), "artist", rolecall.Global()), Holder: rolecall.Group("g"),
		Path: []rolecall.Subject{rolecall.User("ada"), rolecall.Group("g")}, Role: "viewer", Rule: &says, Effect: rolecall.Allow,
		Fate: rolecall.StoppedByUnknown, By: suspend(rolecall.User("ada")), Cause: errors.New("database is down"),
		Where: rolecall.In("project", "secret"),
	}
	got, err = json.Marshal(f)
	want = `{"statement":{"grant":{"subject":"group:g","role":"artist","scope":"/"}},"holder":"group:g","path":["user:ada","group:g"],` +
		`"role":"viewer","rule":{"effect":"allow","patterns":["task.view"]},"effect":"allow","fate":"depends on a condition nobody can say",` +
		`"by":{"suspend":{"subject":"user:ada"}},"cause":"database is down","where":"/project:secret"}`
	if err != nil || string(got) != want {
		t.Errorf("json.Marshal(Finding)\n got %s, %v\nwant %s", got, err, want)
	}
}

// What is not exactly in the form is refused, and the error names the place.
func TestJSONRefuses(t *testing.T) {
	const grant = `"subject":"user:ada","role":"artist","scope":"/"`
	for _, c := range []struct{ text, place string }{
		{``, "object"},
		{`[]`, "object"},
		{`null`, "object"},
		{`{}`, "empty"},
		{`{"grant":{` + grant + `}} {}`, "follows"},
		{`{"grant":{` + grant + `}}x`, "object"},
		{`{"grant":{` + grant + `},"suspend":{"subject":"user:ada"}}`, "2"},
		{`{"grnat":{` + grant + `}}`, `did you mean "grant"`},
		{`{"Grant":{` + grant + `}}`, `"Grant"`},
		{`{"grant":null}`, "grant"},
		{`{"grant":[]}`, "grant"},
		{`{"grant":{"role":"artist","scope":"/"}}`, `grant: this member is missing: "subject"`},
		{`{"grant":{` + grant + `,"pirece":true}}`, `did you mean "pierce"`},
		{`{"grant":{` + grant + `,"Pierce":true}}`, `"Pierce"`},
		{`{"grant":{` + grant + `,"scope":"/project:a"}}`, `there twice: "scope"`},
		{`{"grant":{` + grant + `,"replace":null}}`, "replace"},
		{`{"grant":{` + grant + `,"replace":"true"}}`, "replace"},
		{`{"grant":{` + grant + `,"when":""}}`, "when"},
		{`{"grant":{` + grant + `,"until":"0001-01-01T00:00:00Z"}}`, "until"},
		{`{"grant":{` + grant + `,"until":"tomorrow"}}`, "until"},
		{`{"grant":{` + grant + `,"until":"9999-12-31T23:59:59-01:00"}}`, "until"},
		{`{"grant":{` + grant + `,"until":1}}`, "until"},
		{`{"grant":{"subject":"","role":"artist","scope":"/"}}`, "subject"},
		{`{"grant":{"subject":"user:a b","role":"artist","scope":"/"}}`, "subject"},
		{`{"grant":{"subject":"user:a%2f","role":"artist","scope":"/"}}`, "subject"},
		{`{"grant":{"subject":"user:a","role":"artist","scope":"project:a"}}`, "scope"},
		{`{"grant":{"subject":"user:` + "\xff" + `","role":"artist","scope":"/"}}`, "UTF-8"},
		{`{"grant":{"subject":"user:\ud800","role":"artist","scope":"/"}}`, "surrogate"},
		{`{"grant":{"subject":"user:\udc00\ud800","role":"artist","scope":"/"}}`, "surrogate"},
		{`{"override":{"subject":"user:ada","effect":"dney","pattern":"task.view","scope":"/"}}`, "effect"},
		{`{"override":{"subject":"user:ada","effect":"nothing","pattern":"task.view","scope":"/"}}`, "effect"},
		{`{"override":{"subject":"user:ada","effect":2,"pattern":"task.view","scope":"/"}}`, "effect"},
		{`{"override":{"subject":"user:ada","pattern":"task.view","scope":"/"}}`, `"effect"`},
		{`{"constraint":{"name":"x","kind":"satic","limit":2,"roles":["a","b"]}}`, "kind"},
		{`{"constraint":{"name":"x","kind":"static","limit":2.5,"roles":["a","b"]}}`, "limit"},
		{`{"role":{"name":"r","rules":[{"effect":"allow","patterns":["a.b"]},{"effect":"allow"}]}}`, `rules: [1]: this member is missing: "patterns"`},
		{`{"role":{"name":"r","rules":[null]}}`, "rules: [0]"},
		{`{"role":{"name":"r","inherits":"viewer"}}`, "inherits"},
		{`{"role":{"name":"r","inherits":[""]}}`, "inherits: [0]"},
		{`{"role":{"name":"r","inherits":[1]}}`, "inherits: [0]"},
	} {
		s, err := rolecall.UnmarshalStatement([]byte(c.text))
		if s != nil || !errors.Is(err, rolecall.ErrInvalid) || !strings.Contains(err.Error(), c.place) {
			t.Errorf("UnmarshalStatement(%s) = %v, %v, want ErrInvalid that mentions %s", c.text, s, err, c.place)
		}
	}
}

func TestJSONRefusesValues(t *testing.T) {
	for _, c := range []struct {
		into        any
		text, place string
	}{
		// An empty actor would be the host itself, whose edits are not judged.
		{&rolecall.Change{}, `{"actor":"","edits":[]}`, "actor"},
		{&rolecall.Change{}, `{"actor":null,"edits":[]}`, "actor"},
		{&rolecall.Change{}, `{"Actor":"user:pia","edits":[]}`, `"Actor"`},
		{&rolecall.Change{}, `{}`, `"edits"`},
		{&rolecall.Change{}, `{"edits":[{"put":{"suspend":{"subject":"user:a"}}},{"putt":{}}]}`, `edits: [1]`},
		{&rolecall.Change{}, `{"edits":[{"put":{"override":{"subject":"user:ada","pattern":"task.view","scope":"/"}}}]}`, `edits: [0]: put: override: this member is missing: "effect"`},
		{&rolecall.Change{}, `{"edits":[{"forgetSubject":""}]}`, "forgetSubject"},
		{&rolecall.Change{}, `{"edits":[{"forgetScope":7}]}`, "forgetScope"},
		{&rolecall.Change{}, `{"edits":[{"activate":{"subject":"user:a","role":"r","scope":"/"}}]}`, `"until"`},
		{&rolecall.Entry{}, `{"deltas":[]}`, `"revision"`},
		{&rolecall.Entry{}, `{"revision":-1,"deltas":[]}`, "revision"},
		{&rolecall.Entry{}, `{"revision":18446744073709551616,"deltas":[]}`, "revision"},
		{&rolecall.Entry{}, `{"revision":1,"deltas":[{}]}`, "deltas: [0]"},
		{&rolecall.Entry{}, `{"revision":1,"deltas":[{"before":{"suspend":{"subject":"user:a"}},"after":{"suspend":{"subject":"user:b"}}}]}`, "deltas: [0]"},
		{&rolecall.Request{}, `{"subject":"user:ada","permission":"task.view"}`, `"scope"`},
		{&rolecall.Request{}, `{"subject":"user:ada","permission":"task","scope":"/"}`, "permission"},
		{&rolecall.Request{}, `{"subject":"user:ada","permission":"task.view","scope":"/","narrow":{}}`, "narrow"},
		{&rolecall.Request{}, `{"subject":"user:ada","permission":"task.view","scope":"/","narrow":null}`, "narrow"},
		{&rolecall.Declarations{}, `{"permissions":[{"permission":"Task.View"}]}`, "permissions: [0]: permission"},
		{&rolecall.Declarations{}, `{"permission":[]}`, `did you mean "permissions"`},
		{&rolecall.Decision{}, `{"allowed":true}`, "decision"},
		{&rolecall.Catalog{}, `{}`, "catalog"},
	} {
		before := reflect.ValueOf(c.into).Elem().Interface()
		err := json.Unmarshal([]byte(c.text), c.into)
		if !errors.Is(err, rolecall.ErrInvalid) || !strings.Contains(err.Error(), c.place) {
			t.Errorf("json.Unmarshal(%s, %T): %v, want ErrInvalid that mentions %s", c.text, c.into, err, c.place)
		}
		if after := reflect.ValueOf(c.into).Elem().Interface(); !reflect.DeepEqual(before, after) {
			t.Errorf("json.Unmarshal(%s, %T) failed but left %+v", c.text, c.into, after)
		}
	}
}

// All problems of one text are told, not only the first.
func TestJSONTellsAllProblems(t *testing.T) {
	_, err := rolecall.UnmarshalStatement([]byte(`{"grant":{"subject":"ada","scope":"alpha","peirce":true}}`))
	for _, want := range []string{"subject: ", `missing: "role"`, "scope: ", `"peirce"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("UnmarshalStatement: %v, want it to mention %s", err, want)
		}
	}
}

// What cannot be written in full is not written.
func TestJSONRefusesToMarshal(t *testing.T) {
	facts := rolecall.FactFunc(func(rolecall.Condition) (bool, error) { return true, nil })
	for _, v := range []any{
		rolecall.StatementJSON{},
		rolecall.Edit{},
		rolecall.Delta{After: suspend(rolecall.User(""))},
		rolecall.Request{Subject: rolecall.User("ada"), Permission: rolecall.NewPermission("task.view"), Scope: rolecall.Global(), Facts: facts},
		rolecall.Rule{Effect: 9},
	} {
		if text, err := json.Marshal(v); err == nil {
			t.Errorf("json.Marshal(%T) = %s, want an error", v, text)
		}
	}
}

// FuzzJSON: no text panics, and what is read is written in one spelling that reads as the same.
func FuzzJSON(f *testing.F) {
	for _, c := range jsonStatements {
		f.Add([]byte(c.text))
	}
	for _, c := range jsonValues {
		f.Add([]byte(c.text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, into := range []func() any{
			func() any { return new(rolecall.StatementJSON) }, func() any { return new(rolecall.Change) },
			func() any { return new(rolecall.Entry) }, func() any { return new(rolecall.Request) },
			func() any { return new(rolecall.Declarations) },
		} {
			value := into()
			if json.Unmarshal(data, value) != nil {
				continue
			}
			once, err := json.Marshal(value)
			if err != nil {
				t.Fatalf("json.Marshal(%T read from %q): %v", value, data, err)
			}
			again := into()
			if err := json.Unmarshal(once, again); err != nil {
				t.Fatalf("json.Unmarshal(%q, %T), written for %q: %v", once, again, data, err)
			}
			twice, err := json.Marshal(again)
			if err != nil || string(twice) != string(once) {
				t.Fatalf("%T read from %q is written as\n%s, then as\n%s, %v", value, data, once, twice, err)
			}
		}
		if s, err := rolecall.UnmarshalSnapshot(data); err == nil {
			text, err := json.Marshal(s)
			if err != nil {
				t.Fatalf("json.Marshal(snapshot of %q): %v", data, err)
			}
			if _, err := rolecall.UnmarshalSnapshot(text); err != nil {
				t.Fatalf("UnmarshalSnapshot(%s), written for %q: %v", text, data, err)
			}
		}
	})
}
