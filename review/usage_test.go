package review_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/review"
	"pgregory.net/rapid"
)

var (
	usersSeen = []rolecall.Subject{rolecall.User("ada"), rolecall.User("ben"), rolecall.Guest("ada")}
	donePerms = []rolecall.Permission{rolecall.NewPermission("task.view"), rolecall.NewPermission("task.update")}
	donePlace = []rolecall.Scope{rolecall.Global(), rolecall.In("project", "alpha"), rolecall.In("project", "beta"), rolecall.In("project", "alpha").In("shot", "010")}
)

func hour(n int) time.Time { return time.Date(2026, 3, 1, n, 0, 0, 0, time.UTC) }

// drawReading draws what a meter may tell.
func drawReading(t *rapid.T) rolecall.Reading {
	from := rapid.IntRange(0, 20).Draw(t, "from")
	r := rolecall.Reading{From: hour(from), Until: hour(from + rapid.IntRange(0, 5).Draw(t, "hours"))}
	for range rapid.IntRange(0, 6).Draw(t, "uses") {
		u := rolecall.Use{Subject: rapid.SampledFrom(usersSeen).Draw(t, "who"), Permission: rapid.SampledFrom(donePerms).Draw(t, "what"), Scope: rapid.SampledFrom(append(donePlace[:3:3], rolecall.Scope{})).Draw(t, "where")}
		if !slices.Contains(r.Uses, u) {
			r.Uses = append(r.Uses, u)
		}
	}
	if rapid.IntRange(0, 9).Draw(t, "full") == 0 {
		r.Dropped = 3
	}
	return r
}

// A merged usage tells what a look through all readings tells, in whatever order and grouping they were merged.
func TestUsageIsWhatTheReadingsTell(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		readings := rapid.SliceOfN(rapid.Custom(drawReading), 1, 5).Draw(t, "readings")
		all := review.MergeUsage()
		for _, r := range readings {
			all = review.MergeUsage(review.NewUsage(r), all)
		}
		mustBeEqual(t, "merged from the other end", all, mergedFromTheEnd(readings))
		mustBeEqual(t, "merged with itself", all.Since(time.Time{}), review.MergeUsage(all, review.NewUsage(readings[0])).Since(time.Time{}))
		cut := hour(rapid.IntRange(0, 26).Draw(t, "since"))
		for name, u := range map[string]*review.Usage{"all": all, "since": all.Since(cut)} {
			for _, who := range append(usersSeen, rolecall.Everyone()) {
				for _, p := range donePerms {
					for _, at := range donePlace {
						want, known := look(readings, who, p, at)
						if name == "since" && !want.After(cut) {
							want, known = time.Time{}, all.Since(cut).Covers(all.Since(cut).From()) == nil
						}
						if got, ok := u.LastUsed(who, p, at); !got.Equal(want) || ok != known {
							t.Fatalf("%s: LastUsed(%s, %s, %s) = %s, %t, want %s, %t; readings %v", name, who, p, at, got, ok, want, known, readings)
						}
					}
				}
			}
		}
		mustBeEqual(t, "since twice", all.Since(cut), all.Since(cut).Since(cut))
		mustCover(t, all, readings)
	})
}

func mergedFromTheEnd(readings []rolecall.Reading) *review.Usage {
	var parts []*review.Usage
	for _, r := range slices.Backward(readings) {
		parts = append(parts, review.NewUsage(r))
	}
	return review.MergeUsage(parts...)
}

// firstOf returns when the first reading began.
func firstOf(readings []rolecall.Reading) time.Time {
	return slices.MinFunc(readings, func(a, b rolecall.Reading) int { return a.From.Compare(b.From) }).From
}

// look finds the last use by going through the readings.
func look(readings []rolecall.Reading, who rolecall.Subject, p rolecall.Permission, at rolecall.Scope) (last time.Time, known bool) {
	known = slices.ContainsFunc(readings, func(r rolecall.Reading) bool { return r.Until.After(firstOf(readings)) })
	for _, r := range readings {
		known = known && r.Dropped == 0
		for _, u := range r.Uses {
			near := u.Scope.IsZero() || at.Contains(u.Scope) || !u.Scope.IsGlobal() && u.Scope.Contains(at)
			if (u.Subject == who || who == rolecall.Everyone()) && u.Permission == p && near && r.Until.After(last) {
				last = r.Until
			}
		}
	}
	return last, known || !last.IsZero()
}

// mustCover checks that a usage never vouches for a time before it began or after it ended, or in which something was dropped.
func mustCover(t *rapid.T, u *review.Usage, readings []rolecall.Reading) {
	for h := range 27 {
		want := false
		for _, r := range readings {
			want = want || !r.From.After(hour(h))
		}
		for _, r := range readings {
			want = want && (r.Dropped == 0 || hour(h).After(r.Until))
		}
		want = want && slices.ContainsFunc(readings, func(r rolecall.Reading) bool { return hour(h).Before(r.Until) })
		if err := u.Covers(hour(h)); (err == nil) != want {
			t.Fatalf("Covers(%s) = %v, want it covered: %t; readings %v", hour(h), err, want, readings)
		}
	}
}

func mustBeEqual(t rapid.TB, what string, a, b *review.Usage) {
	strip := func(u *review.Usage) string {
		data, err := json.Marshal(u)
		if err != nil {
			t.Fatalf("MarshalJSON: %v", err)
		}
		var back review.Usage
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatalf("UnmarshalJSON(%s): %v", data, err)
		}
		again, _ := json.Marshal(&back)
		if string(again) != string(data) {
			t.Fatalf("written %s, read and written again %s", data, again)
		}
		before, _, _ := strings.Cut(string(data), `"dropped"`) // which adds up
		_, after, _ := strings.Cut(string(data), `"uses"`)
		return before + after
	}
	if a, b := strip(a), strip(b); a != b {
		t.Fatalf("%s: got %s, want %s", what, b, a)
	}
}

func TestUsageIsReadWithCare(t *testing.T) {
	const use = `{"subject":"user:ada","permission":"task.view","scope":"/project:alpha","last":"2026-03-01T01:00:00Z"}`
	const times = `"from":"2026-03-01T00:00:00Z","until":"2026-03-01T02:00:00Z",`
	for name, test := range map[string]struct{ text, want string }{
		"good":                    {`{` + times + `"uses":[` + use + `]}`, ""},
		"nothing yet":             {`{"uses":[]}`, ""},
		"nothing at all":          {`{}`, ""},
		"nil":                     {`null`, ""},
		"uses of no time":         {`{"uses":[` + use + `]}`, `this member is missing: "from"`},
		"an empty null":           {`{"uses":null}`, `this member is missing: "from"`},
		"no JSON":                 {`{`, "unexpected end of JSON input"},
		"backwards":               {`{"from":"2026-03-02T00:00:00Z","until":"2026-03-01T00:00:00Z","uses":[]}`, "not after until"},
		"dropped at no time":      {`{` + times + `"dropped":2,"uses":[]}`, "doubt tells when"},
		"a use of nobody":         {`{` + times + `"uses":[` + strings.Replace(use, "user:ada", "", 1) + `]}`, "use 0"},
		"a use of nothing":        {`{` + times + `"uses":[` + use + `,` + strings.Replace(use, "task.view", "", 1) + `]}`, "use 1"},
		"a use somewhere":         {`{` + times + `"uses":[` + strings.Replace(use, "/project:alpha", "", 1) + `]}`, ""},
		"no uses":                 {`{` + strings.TrimSuffix(times, ",") + `}`, `this member is missing: "uses"`},
		"uses that are null":      {`{` + times + `"uses":null}`, `this member is null; leave it out instead: "uses"`},
		"uses misspelt":           {`{` + times + `"Uses":[` + use + `]}`, `no such member: "Uses"`},
		"uses twice":              {`{` + times + `"uses":[` + use + `],"uses":[]}`, `this member is there twice: "uses"`},
		"something else":          {`{` + times + `"uses":[],"revision":1}`, `no such member: "revision"`},
		"no beginning":            {`{"until":"2026-03-01T00:00:00Z","uses":[]}`, `this member is missing: "from"`},
		"half a character":        {`{` + times + `"uses":[` + strings.Replace(use, "ada", `\ud800`, 1) + `]}`, "half of a surrogate pair"},
		"a use of another word":   {`{` + times + `"uses":[` + strings.Replace(use, `"scope"`, `"scop"`, 1) + `]}`, `use 0: this member is missing: "scope"`},
		"a use of two":            {`{` + times + `"uses":[` + use + `,` + strings.Replace(use, `{`, `{"subject":"user:ben",`, 1) + `]}`, `use 1: this member is there twice: "subject"`},
		"a use that is null":      {`{` + times + `"uses":[null]}`, "use 0"},
		"dropped by a word":       {`{` + times + `"doubt":"2026-03-01T01:00:00Z","dropped":"2","uses":[]}`, "dropped: "},
		"used later than watched": {`{` + times + `"uses":[` + strings.Replace(use, "T01", "T03", 1) + `]}`, "use 0: it was last used from"},
	} {
		var u review.Usage
		err := json.Unmarshal([]byte(test.text), &u)
		if test.want == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: Unmarshal(%s): %v, want %q", name, test.text, err, test.want)
		}
	}
	var u review.Usage
	if err := json.Unmarshal([]byte(`{`+times+`"doubt":"2026-03-01T01:00:00Z","dropped":2,"uses":[`+use+`]}`), &u); err != nil || u.Dropped() != 2 {
		t.Errorf("Unmarshal of a usage that dropped two: got %d dropped and %v, want 2", u.Dropped(), err)
	}
}

func ExampleUsage() {
	ada, alpha := rolecall.User("ada"), rolecall.In("project", "alpha")
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	meter := rolecall.NewMeter(&rolecall.MeterOptions{Clock: func() time.Time { return now }}) // for rolecall.Options.Meter
	meter.Record(ada, rolecall.NewPermission("task.view"), alpha.In("shot", "010"))

	now = now.Add(5 * time.Minute)
	usage := review.NewUsage(meter.Collect())
	for _, name := range []string{"task.view", "task.delete"} {
		last, known := usage.LastUsed(ada, rolecall.NewPermission(name), alpha)
		fmt.Println(name, last.Format(time.Kitchen), known)
	}
	// Output:
	// task.view 9:05AM true
	// task.delete 12:00AM true
}

// The zero Usage vouches for nothing.
func TestZeroUsage(t *testing.T) {
	var u review.Usage
	last, known := u.LastUsed(usersSeen[0], donePerms[0], donePlace[0])
	if diff := cmp.Diff([]any{time.Time{}, false}, []any{last, known}); diff != "" {
		t.Errorf("LastUsed of the zero Usage: -want +got:\n%s", diff)
	}
}

// A nil *Usage is nothing kept yet: it can be merged with the first reading, and vouches for nothing.
func TestNilUsageIsEmpty(t *testing.T) {
	var u *review.Usage
	first := review.NewUsage(rolecall.Reading{From: hour(1), Until: hour(2), Uses: []rolecall.Use{{Subject: usersSeen[0], Permission: donePerms[0], Scope: donePlace[1]}}})
	mustBeEqual(t, "merged with nothing", first, review.MergeUsage(u, first, nil))
	mustBeEqual(t, "nothing merged", &review.Usage{}, review.MergeUsage())
	if u.Covers(hour(1)) == nil || u.Since(hour(1)).Covers(hour(1)) == nil || review.MergeUsage(u).Covers(hour(1)) == nil {
		t.Error("Covers of a nil Usage, of it Since, of it merged: got nil, want errors")
	}
	last, known := u.LastUsed(usersSeen[0], donePerms[0], donePlace[0])
	anybody, knownOf := u.LastUsed(rolecall.Everyone(), donePerms[0], donePlace[0])
	seen, knownSeen := u.LastSeen(usersSeen[0])
	data, err := u.MarshalJSON()
	want := []any{time.Time{}, false, time.Time{}, false, time.Time{}, false, time.Time{}, time.Time{}, uint64(0), 0, `{"uses":[]}`, nil}
	got := []any{last, known, anybody, knownOf, seen, knownSeen, u.From(), u.Until(), u.Dropped(), len(slices.Collect(u.All())), string(data), err}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a nil Usage: -want +got:\n%s", diff)
	}
	s := lintPolicy(t, "grant user:ada artist at /project:alpha\n")
	_, err = review.ReportUse(s, u, hour(1))
	_, err2 := review.ProposeRoles(s, u, hour(1))
	for _, err := range []error{err, err2} {
		if err == nil || !strings.Contains(err.Error(), "nothing is known of what was used") {
			t.Errorf("ReportUse, ProposeRoles of a nil Usage: got %v, want that nothing is known", err)
		}
	}
}
