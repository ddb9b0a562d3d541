package authzen_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/authzen"
	"github.com/rolecall-go/rolecall/rolecalltest"
)

func TestParseTest(t *testing.T) {
	e := authzen.Evaluation{
		Subject:  authzen.Entity{Type: "user", ID: "ada", Properties: map[string]any{"role": "admin", "level": 3.0, "id": "other", "null": nil}},
		Action:   authzen.Action{Name: "delete", Properties: map[string]any{"soft": true}},
		Resource: authzen.Entity{Type: "doc", ID: "1", Properties: map[string]any{"owner": "ada", "tags": []any{"a", "b"}, "deep": map[string]any{"er": "x"}}},
		Context:  map[string]any{"ip": "::1", "big": json.Number("9007199254740993"), "bigs": []any{json.Number("1e400"), "x"}},
	}
	for test, want := range map[string]string{
		`resource.owner == subject.id`:                   "yes",
		`resource.owner != subject.id`:                   "no",
		`subject.id == "ada"`:                            "yes",
		`subject.properties.id == "other"`:               "yes",
		`subject.properties.type == "user"`:              "unknown",
		`subject.name == "ada"`:                          "unknown",
		`action.id == "delete"`:                          "unknown",
		`subject.properties == subject.properties`:       "yes",
		`resource.tags.a == "x"`:                         "unknown",
		`resource.nothing.deeper? == null`:               "yes",
		`subject.type=="user"&&action.name=="delete"`:    "yes",
		`subject.level == 3`:                             "yes",
		`subject.level == "3"`:                           "no",
		`subject.level != -3.5`:                          "yes",
		`action.soft == true && resource.owner == "ada"`: "yes",
		`action.soft == false`:                           "no",
		`"a" in resource.tags`:                           "yes",
		`"c" in resource.tags`:                           "no",
		`"c" in resource.owner`:                          "unknown",
		`resource.deep.er == "x"`:                        "yes",
		`resource.deep.er.est == "x"`:                    "unknown",
		`context.ip == "::1"`:                            "yes",
		`context.port == 1`:                              "unknown",
		`resource.nothing == "x"`:                        "unknown",
		`resource.nothing != "x"`:                        "unknown",
		`resource.nothing? == "x"`:                       "no",
		`resource.nothing? != "x"`:                       "yes",
		`resource.nothing? == null`:                      "yes",
		`null == resource.nothing?`:                      "yes",
		`resource.nothing? == subject.nothing?`:          "no",
		`resource.nothing? == subject.null`:              "yes",
		`subject.id == "eve" && resource.nothing == 1`:   "no",
		`resource.nothing == 1 && subject.id == "eve"`:   "no",
		`resource.nothing == 1 && subject.id == "ada"`:   "unknown",
		`subject.id == "a\"da"`:                          "no",
		`resource.tags == resource.tags`:                 "yes",
		`context.big == 9007199254740992`:                "error: beyond double precision",
		`context.big == 1e400`:                           "error: beyond double precision",
		`context.big == context.big`:                     "unknown",
		`context.big != 1`:                               "unknown",
		`context.bigs != resource.tags`:                  "unknown",
		`resource.deep != context.big`:                   "unknown",
		`context.big in resource.tags`:                   "unknown",
		`"x" in context.bigs`:                            "yes",
		`"y" in context.bigs`:                            "unknown",
		`context.big == 1 && subject.id == "eve"`:        "no",
		``:                                    "error: it ends",
		`subject.id`:                          "error: ==, != or in",
		`subject.id ==`:                       "error: it ends",
		`subject.id = "x"`:                    "error: ==, != or in",
		`subject.id == "x`:                    "error: does not end",
		`subject.id == ada`:                   "error: no member",
		`user.id == "x"`:                      "error: none of subject",
		`subject == "x"`:                      "error: no member",
		`subject..id == "x"`:                  "error: empty name",
		`subject.id == "x" subject.id == "x"`: "error: && or the end",
		`subject.id == "x" && `:               "error: it ends",
		`subject.id == "x" || true == true`:   "error: && or the end",
		`subject.id "x`:                       "error: a string does not end",
		`subject.id == "x" "y`:                "error: a string does not end",
		`subject.id like "x"`:                 "error: ==, != or in",
	} {
		parsed, err := authzen.ParseTest(test)
		if wanted, isError := strings.CutPrefix(want, "error: "); isError {
			if err == nil || !strings.Contains(err.Error(), wanted) {
				t.Errorf("ParseTest(%s): got error %v, want %q in it", test, err, wanted)
			}
			continue
		}
		if err != nil {
			t.Errorf("ParseTest(%s): %v", test, err)
			continue
		}
		holds, err := parsed(e)
		got := map[bool]string{true: "yes", false: "no"}[holds]
		if err != nil {
			got = "unknown"
			if holds {
				t.Errorf("%s: holds beside error %v", test, err)
			}
		}
		if got != want {
			t.Errorf("%s: got %s (%v), want %s", test, got, err, want)
		}
	}
}

// What a comparison costs does not depend on how many properties there are.
func TestMembersAreNotCopied(t *testing.T) {
	test, err := authzen.ParseTest(`subject.p0 == 0 && resource.p0 == subject.properties.p0 && action.p0 == 0 && context.p0 == 0`)
	if err != nil {
		t.Fatal(err)
	}
	allocations := func(n int) float64 {
		properties := map[string]any{}
		for i := range n {
			properties[fmt.Sprint("p", i)] = float64(i)
		}
		of := authzen.Entity{Properties: properties}
		e := authzen.Evaluation{Subject: of, Action: authzen.Action{Properties: properties}, Resource: of, Context: properties}
		return testing.AllocsPerRun(10, func() {
			if holds, err := test(e); !holds || err != nil {
				t.Fatalf("the test of %d properties: got %v, %v, want true", n, holds, err)
			}
		})
	}
	if few, many := allocations(1), allocations(10_000); few != many {
		t.Errorf("a test allocates %v times with one property and %v times with 10,000, want the same", few, many)
	}
}

func FuzzParseTest(f *testing.F) {
	f.Add(`subject.id == "x" && 1 in resource.tags?`)
	f.Fuzz(func(t *testing.T, text string) {
		if test, err := authzen.ParseTest(text); err == nil {
			if holds, err := test(authzen.Evaluation{}); holds && err != nil {
				t.Errorf("%q holds beside error %v", text, err)
			}
		}
	})
}

// What the catalog does not declare is told once, wherever it comes up; a type is a kind only where no scope is given.
func TestEntitiesValidFor(t *testing.T) {
	catalog := rolecalltest.New(t, "permission doc.read\ncondition own\nkind scope folder\nkind scope doc\nkind subject robot\n").Catalog()
	for src, want := range map[string]string{
		`{"conditions":{"own":"1 == 1"},"subjects":[{"type":"user","id":"a"},{"type":"robot","id":"a"},{"type":"group","id":"a"}],
		  "resources":[{"type":"doc","id":"1"},{"type":"page","id":"2","scope":"/folder:f/doc:d"},{"type":"doc","id":"/folder:f/doc:e"}]}`: "",
		`{"conditions":{"owm":"1 == 1"}}`:               `conditions: no such condition is declared: "owm" (unknown)`,
		`{"subjects":[{"type":"usr","id":"a"}]}`:        `subject "a" of type "usr": no such subject kind is declared: "usr" (unknown)`,
		`{"resources":[{"type":"dok","id":"1"}]}`:       `resource "1" of type "dok": no such scope kind is declared: "dok" (unknown)`,
		`{"resources":[{"type":"d c","id":"1"}]}`:       `resource "1" of type "d c": `,
		`{"subjects":[{"type":"user","id":"a\u0000"}]}`: `subject "a\x00" of type "user": `,
		`{"resources":[{"type":"doc","id":"1","scope":"/foldr:f/doc:1"},{"type":"doc","id":"2","scope":"/foldr:g/doc:2"},{"type":"doc","id":"3","scope":"/folder:g/dok:2"}]}`: `resource "1" of type "doc": no such scope kind is declared: "foldr" (unknown)
resource "3" of type "doc": no such scope kind is declared: "dok" (unknown)`,
	} {
		e, err := authzen.ParseEntities([]byte(src))
		if err != nil {
			t.Fatal(err)
		}
		if err = e.ValidFor(catalog); want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("ValidFor of %s: got %v, want %q", src, err, want)
		}
	}
}

func TestParseEntities(t *testing.T) {
	for src, want := range map[string]string{
		`{}`: "", `{"subjects":[],"resources":[{"type":"doc","id":"1"}],"conditions":{}}`: "",
		`[]`:                             "not an object",
		`{"people":[]}`:                  `"people" is not known`,
		`{"subjects":{}}`:                "not an array",
		`{"subjects":[7]}`:               "subjects[0] is not an object",
		`{"subjects":[{"type":"user"}]}`: "subjects[0] has no type or no id",
		`{"subjects":[{"type":"user","id":"a"},{"type":"user","id":"a"}]}`:                                                                                           "subjects[1] is there twice",
		`{"subjects":[{"type":"user","id":"a","scope":"/"}]}`:                                                                                                        `"scope" is not known`,
		`{"resources":[{"type":"doc","id":"a","scope":"doc"}]}`:                                                                                                      "a scope is written",
		`{"resources":[{"type":"doc","id":"a","scope":"/folder:f/doc:x"},{"type":"doc","id":"b","scope":"/folder:f/doc:x"}]}`:                                        `have one name, "/folder:f/doc:x"`,
		`{"resources":[{"type":"doc","id":"a","scope":"/doc:x"},{"type":"doc","id":"x"}]}`:                                                                           `have one name, "x"`,
		`{"resources":[{"type":"doc","id":"/doc:x"},{"type":"doc","id":"x"}]}`:                                                                                       `have one name, "x"`,
		`{"resources":[{"type":"doc","id":"a","scope":"/folder:f"},{"type":"doc","id":"b","scope":"/folder:f"},{"type":"file","id":"a","scope":"/folder:f/doc:x"}]}`: "",
		`{"conditions":{"own":"x"}}`:                     "condition own",
		`{"conditions":{"own":7}}`:                       "not a string",
		`{"conditions":{"own":"1 == 1","own":"1 == 1"}}`: "twice",
	} {
		_, err := authzen.ParseEntities([]byte(src))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("ParseEntities(%s): got error %v, want %q", src, err, want)
		}
	}
	e, err := authzen.ParseEntities([]byte(`{"resources":[{"type":"doc","id":"a","scope":"/folder:f/doc:a","properties":{"n":1}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for name, id := range map[string]string{"a": "", "/folder:f/doc:a": "a"} {
		known, err := e.Resource(t.Context(), "doc", name)
		if want := rolecall.In("folder", "f").In("doc", "a"); err != nil || known.Scope != want || known.Properties["n"] != 1.0 || known.ID != id {
			t.Errorf("Resource(%q): got %+v, %v, want scope %s, n 1 and id %q", name, known, err, want, id)
		}
	}
}
