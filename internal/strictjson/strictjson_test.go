package strictjson_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rolecall-go/rolecall/internal/strictjson"
)

// What encoding/json reads in a way of its own is refused, and the word at fault is told.
func TestObject(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`{"name":"a","more":[1]}`, ""},
		{` { "more" : [] , "name" : "\ud83d\ude00 \\ud800 \u00e9" } `, ""},
		{`{"name":"a"}`, ""},
		{"{\t\"more\"\n:\r[ 1 , 2 ] ,\"name\":\"}\\\\\"\n}\n", ""},
		{`{"more":[1]}`, `this member is missing: "name"`},
		{`{"name":"a","name":"b"}`, `this member is there twice: "name"`},
		{`{"name":"a","more":[1],"n\u0061me":"b"}`, `this member is there twice: "name"`},
		{`{"name":"a","More":[1]}`, `no such member: "More"`},
		{`{"name":"a","x":1,"b":2}`, "no such member: \"b\"\nno such member: \"x\""},
		{`{"name":null}`, `this member is null; leave it out instead: "name"`},
		{`{"name":"a","more":null}`, `this member is null; leave it out instead: "more"`},
		{`{"name":7}`, "name: json: cannot unmarshal number"},
		{`{"name":"\ud800"}`, `half of a surrogate pair is not a character: "\\ud800"`},
		{`{"name":"\uDC00\ud800"}`, `half of a surrogate pair is not a character: "\\uDC00"`},
		{`{"name":"a","\udfff":1}`, `half of a surrogate pair is not a character: "\\udfff"`},
		{"{\"name\":\"\xff\"}", "the text is not valid UTF-8"},
		{`{"name":"a"} {}`, "something follows the end of the object"},
		{`{"name":"a"`, "an object is expected here, and the text ends"},
		{`{"name":"a",}`, "an object is expected here: "},
		{`[] {}`, "an object is expected here"},
		{` {} [ `, "something follows the end of the object"},
		{`{"name":}`, "an object is expected here: "},
		{`[]`, "an object is expected here"},
		{`null`, "an object is expected here"},
		{``, "an object is expected here, and the text ends"},
	} {
		var name string
		var more []int
		err := strictjson.Object([]byte(c.text), strictjson.Field{Name: "name", Into: &name}, strictjson.Field{Name: "more", Into: &more, Optional: true})
		if (err == nil) != (c.want == "") || err != nil && !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("Object(%s): got %v, want %q", c.text, err, c.want)
		}
	}
}

// What is read is an object, and encoding/json reads the same members.
func FuzzMembers(f *testing.F) {
	for _, seed := range []string{`{"a":1,"b":{"a":"\ud83d\ude00"}}`, `{"a":1,"a":2}`, `{"\ud800":1}`, `{"a":1}x`, `{}`, "{\"\xff\":1}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := strictjson.Members(data)
		if err != nil {
			if _, ok := errors.AsType[*strictjson.Fault](err); !ok || got != nil {
				t.Fatalf("Members(%q): got %v and %v, want a *Fault", data, got, err)
			}
			return
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal(data, &want); err != nil || len(want) != len(got) || !utf8.Valid(data) {
			t.Fatalf("Members(%q): got %v, want what encoding/json reads: %v, %v", data, got, want, err)
		}
		for name, raw := range got {
			if string(want[name]) != string(raw) {
				t.Fatalf("Members(%q): got %s for %q, want %s", data, raw, name, want[name])
			}
		}
	})
}

// Any text is judged, and a string of JSON by whether encoding/json reads it as it is written.
func FuzzUnicode(f *testing.F) {
	for _, seed := range []string{`"\ud83d\ude00"`, `"\ud800"`, `"\ud800\ud800\udc00"`, `"\\ud800"`, `"\ufffd"`, "\"\ufffd\"", "\xff", `\`, `\u`, `\ud800\u`, `"\udbff\`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		err := strictjson.Unicode(data)
		if _, ok := errors.AsType[*strictjson.Fault](err); err != nil && !ok {
			t.Fatalf("Unicode(%q): got %v, want a *Fault", data, err)
		}
		var read string
		if json.Unmarshal(data, &read) != nil {
			return
		}
		written := strings.Contains(strings.ToLower(string(data)), `\ufffd`) || strings.Contains(string(data), "\ufffd")
		replaced := strings.Contains(read, "\ufffd")
		if err != nil && !replaced || err == nil && replaced && !written {
			t.Fatalf("Unicode(%q): got %v, while encoding/json reads %q", data, err, read)
		}
	})
}
