package admin_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/admin"
)

// eventful makes a history of five changes.
func eventful(t *testing.T) bench {
	t.Helper()
	b := newBench(t)
	ctx := t.Context()
	b.ok(b.as(root, nil).Because("new here").Grant(ctx, grantOf(cleo, "viewer", alpha)))
	b.ok(b.as(pia, nil).Because("shoots").Grant(ctx, grantOf(cleo, "viewer", shot)))
	b.ok(b.as(max, nil).Because("fire").BreakGlass(ctx, activate(max, shot)))
	b.ok(b.as(tess, &admin.Options{OnBehalf: root}).AddMember(ctx, rolecall.Membership{Member: cleo, Group: night}))
	b.ok(b.as(root, nil).Revoke(ctx, grantOf(cleo, "viewer", shot)))
	return b
}

func (b bench) changes() iter.Seq2[rolecall.Entry, error] { return b.store.Changes(b.t.Context(), 0) }

func sequence[V any](list []V) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		for _, v := range list {
			if !yield(v, nil) {
				return
			}
		}
	}
}

func links(t *testing.T, b bench) []admin.Link {
	t.Helper()
	var list []admin.Link
	for link, err := range admin.Chain(admin.Head{}, b.changes()) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, link)
	}
	return list
}

func TestChainVerifies(t *testing.T) {
	b := eventful(t)
	list := links(t, b)
	head := must[admin.Head](t)(admin.Verify(admin.Head{}, sequence(list)))
	if head.Revision != 5 || head.Hash != list[4].Hash {
		t.Errorf("Verify: got the head %v, want revision 5 with the last hash", head)
	}
	middle := must[admin.Head](t)(admin.Verify(admin.Head{}, sequence(list[:2])))
	if again := must[admin.Head](t)(admin.Verify(middle, admin.Chain(middle, b.store.Changes(t.Context(), 2)))); again != head {
		t.Errorf("a chain that goes on ends at %v, want %v", again, head)
	}
	var entries []rolecall.Entry
	for e, err := range admin.Entries(sequence(list)) {
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, e)
	}
	for i, e := range b.history() {
		if len(entries) != 5 || entries[i].Revision != e.Revision || entries[i].Meta != e.Meta || !rolecall.Equal(entries[i].Deltas[0].After, e.Deltas[0].After) {
			t.Errorf("entry %d: got %+v, want %+v", i, entries[i], e)
		}
	}
}

// Any edit, removal, addition or move of a link is found, at the link where it happened.
func TestChainIsBroken(t *testing.T) {
	b := eventful(t)
	head := must[admin.Head](t)(admin.Verify(admin.Head{}, sequence(links(t, b))))
	other := links(t, newOther(t))
	for _, c := range []struct {
		name  string
		spoil func([]admin.Link) []admin.Link
		after rolecall.Revision
	}{
		{"an edited entry", func(l []admin.Link) []admin.Link { l[1].Entry = replaced(l[1].Entry, "shoots", "sleeps"); return l }, 1},
		{"another actor", func(l []admin.Link) []admin.Link { l[1].Entry = replaced(l[1].Entry, "user:pia", "user:tom"); return l }, 1},
		{"an edited entry and its hash as that of another", func(l []admin.Link) []admin.Link {
			l[1].Entry, l[1].Hash = l[2].Entry, l[2].Hash
			return l
		}, 1},
		{"a removed entry", func(l []admin.Link) []admin.Link { return slices.Delete(l, 2, 3) }, 2},
		{"the first entry removed", func(l []admin.Link) []admin.Link { return l[1:] }, 0},
		{"an added entry", func(l []admin.Link) []admin.Link { return slices.Insert(l, 3, l[2]) }, 3},
		{"two entries swapped", func(l []admin.Link) []admin.Link { l[1], l[2] = l[2], l[1]; return l }, 1},
		{"an entry of another chain", func(l []admin.Link) []admin.Link { l[0] = other[0]; return l }, 1},
		{"a changed hash", func(l []admin.Link) []admin.Link { l[4].Hash[0] ^= 1; return l }, 4},
		{"a changed hash of the link before", func(l []admin.Link) []admin.Link { l[4].Previous[31] ^= 1; return l }, 4},
		{"an entry that is none", func(l []admin.Link) []admin.Link { l[0].Entry = []byte(`{}`); return l }, 0},
		{"the end cut off", func(l []admin.Link) []admin.Link { return l[:4] }, 4},
		{"everything cut off", func([]admin.Link) []admin.Link { return nil }, 0},
		{"another chain altogether", func([]admin.Link) []admin.Link { return other }, 1},
	} {
		list := c.spoil(links(t, b))
		end, err := admin.VerifyTo(admin.Head{}, head, sequence(list))
		var broken *admin.BrokenChainError
		if !errors.As(err, &broken) || broken.After.Revision != c.after || end.Revision != c.after {
			t.Errorf("VerifyTo with %s: got %v and %v, want a break after revision %d", c.name, end, err, c.after)
		}
	}
	if end, err := admin.VerifyTo(admin.Head{}, head, sequence(links(t, b))); err != nil || end != head {
		t.Errorf("VerifyTo of the whole chain: got %v, %v, want %v", end, err, head)
	}
	middle := must[admin.Head](t)(admin.Verify(admin.Head{}, sequence(links(t, b)[:2])))
	if end, err := admin.VerifyTo(admin.Head{}, middle, sequence(links(t, b))); err != nil || end != head {
		t.Errorf("VerifyTo of a chain that goes on after the kept head: got %v, %v, want %v", end, err, head)
	}
	if end, err := admin.VerifyTo(head, head, sequence[admin.Link](nil)); err != nil || end != head {
		t.Errorf("VerifyTo of nothing after the kept head: got %v, %v, want %v", end, err, head)
	}
}

// A log of one file is read from its beginning; where nothing was read, that is what is told.
func TestAFileIsVerifiedFromItsBeginning(t *testing.T) {
	b := eventful(t)
	file := must[*os.File](t)(os.Create(filepath.Join(t.TempDir(), "audit.jsonl")))
	defer file.Close()
	head := must[admin.Head](t)(admin.WriteLog(file, admin.Head{}, admin.Chain(admin.Head{}, b.changes())))
	_, err := admin.VerifyTo(admin.Head{}, head, admin.ReadLog(file))
	if err == nil || !strings.Contains(err.Error(), "after revision 0: the log has no entries; revision 5 ") {
		t.Errorf("VerifyTo at the end of the file: got %v, want that the log has no entries", err)
	}
	must[int64](t)(file.Seek(0, io.SeekStart))
	if end, err := admin.VerifyTo(admin.Head{}, head, admin.ReadLog(file)); err != nil || end != head {
		t.Errorf("VerifyTo of the whole file: got %v, %v, want %v", end, err, head)
	}
}

func newOther(t *testing.T) bench {
	b := newBench(t)
	b.ok(b.as(root, nil).Suspend(t.Context(), cleo))
	return b
}

func replaced(text []byte, from, to string) []byte {
	return bytes.Replace(text, []byte(from), []byte(to), 1)
}

func TestLog(t *testing.T) {
	b := eventful(t)
	var log bytes.Buffer
	head := must[admin.Head](t)(admin.WriteLog(&log, admin.Head{}, admin.Chain(admin.Head{}, b.changes())))
	text := log.String()
	if lines := strings.Count(text, "\n"); lines != 5 {
		t.Errorf("WriteLog wrote %d lines, want 5:\n%s", lines, text)
	}
	if got := must[admin.Head](t)(admin.VerifyTo(admin.Head{}, head, admin.ReadLog(strings.NewReader(text)))); got != head {
		t.Errorf("the log read again ends at %v, want %v", got, head)
	}
	for name, broken := range map[string]string{
		"an unknown member": strings.Replace(text, `{"previous"`, `{"x":1,"previous"`, 1),
		"a space":           strings.Replace(text, `{"previous"`, `{ "previous"`, 1),
		"half a line":       text[:len(text)-20],
		"an empty line":     "\n" + text,
		"a short hash":      strings.Replace(text, head.Hash.String(), head.Hash.String()[2:], 1),
		"a long hash":       strings.Replace(text, head.Hash.String(), head.Hash.String()+"ab", 1),
		"an upper-case one": strings.Replace(text, head.Hash.String(), strings.ToUpper(head.Hash.String()), 1),
	} {
		if end, err := admin.Verify(admin.Head{}, admin.ReadLog(strings.NewReader(broken))); err == nil {
			t.Errorf("Verify of a log with %s: got %v and no error, want one", name, end)
		}
	}
}

// What is no hash is refused, however long, and leaves the one that is there alone.
func TestHashesAreReadExactly(t *testing.T) {
	good := strings.Repeat("ab", 32)
	var h admin.Hash
	if err := h.UnmarshalText([]byte(good)); err != nil || h.String() != good {
		t.Errorf("UnmarshalText(%s): got %s and %v, want it", good, h, err)
	}
	for _, text := range []string{"", "ab", good[1:], good + "a", good + "ab", good + good, strings.ToUpper(good), "0x" + good[2:], good[:63] + "g"} {
		if err := h.UnmarshalText([]byte(text)); err == nil || h.String() != good {
			t.Errorf("UnmarshalText(%s): got %s and %v, want an error and nothing changed", text, h, err)
		}
	}
}

// A log never panics, and each link has one spelling.
func FuzzReadLog(f *testing.F) {
	link := admin.Link{Entry: json.RawMessage(`{}`)}
	good := string(must[[]byte](f)(json.Marshal(link)))
	zero := link.Hash.String()
	f.Add(good + "\n" + good + "\n")
	f.Add(strings.Replace(good, zero, zero+"00", 1))
	f.Add(strings.ReplaceAll(good, zero, ""))
	f.Add(strings.Replace(good, `{}`, `null`, 1))
	f.Add("\n{}\n[]")
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Split(text, "\n")
		for link, err := range admin.ReadLog(strings.NewReader(text)) {
			if err != nil {
				return
			}
			again, err := json.Marshal(link)
			if line := strings.TrimSuffix(lines[0], "\r"); err != nil || string(again) != line {
				t.Errorf("ReadLog read %q, which is written %q, %v", line, again, err)
			}
			lines = lines[1:]
		}
	})
}

func TestChainOfAHistoryWithAGap(t *testing.T) {
	all := eventful(t).history()
	for name, c := range map[string]struct {
		history []rolecall.Entry
		links   int
	}{
		"the first entry": {all[1:], 0},
		"a later entry":   {slices.Delete(slices.Clone(all), 2, 3), 2},
	} {
		links, ends := 0, []error(nil)
		for _, err := range admin.Chain(admin.Head{}, sequence(c.history)) {
			if err == nil {
				links++
			} else {
				ends = append(ends, err)
			}
		}
		if links != c.links || len(ends) != 1 {
			t.Errorf("Chain of a history without %s: got %d links and the errors %v, want %d and one error", name, links, ends, c.links)
		}
	}
}

func ask(t *testing.T, b bench, q admin.Question) []string {
	t.Helper()
	var list []string
	for a, err := range admin.Changes(b.changes(), q) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, a.String())
	}
	return list
}

func TestQuestions(t *testing.T) {
	b := eventful(t)
	const (
		gave    = "2026-03-01 user:root added: grant user:cleo viewer at /project:alpha (new here)"
		again   = "2026-03-01 user:pia added: grant user:cleo viewer at /project:alpha/shot:010 (shoots)"
		fire    = "2026-03-01 user:max added: grant user:max artist at /project:alpha/shot:010 until 2026-03-02 (break-glass: fire)"
		joined  = "2026-03-01 user:tess for user:root added: member user:cleo of group:night"
		revoked = "2026-03-01 user:root removed: grant user:cleo viewer at /project:alpha/shot:010"
	)
	for name, c := range map[string]struct {
		q    admin.Question
		want []string
	}{
		"all":                 {admin.Question{}, []string{gave, again, fire, joined, revoked}},
		"by root":             {admin.Question{By: root}, []string{gave, joined, revoked}},
		"about cleo":          {admin.Question{About: cleo}, []string{gave, again, joined, revoked}},
		"about the group":     {admin.Question{About: night}, []string{joined}},
		"of the role":         {admin.Question{Role: "artist"}, []string{fire}},
		"at alpha and inside": {admin.Question{At: alpha}, []string{gave, again, fire, revoked}},
		"at the shot":         {admin.Question{At: shot}, []string{again, fire, revoked}},
		"at beta":             {admin.Question{At: beta}, nil},
		"break-glass":         {admin.Question{BreakGlass: true}, []string{fire}},
		"in March":            {admin.Question{From: date("2026-03-01"), Until: date("2026-04-01"), By: pia}, []string{again}},
		"before March":        {admin.Question{Until: date("2026-03-01")}, nil},
		"since April":         {admin.Question{From: date("2026-04-01")}, nil},
	} {
		if diff := cmp.Diff(c.want, ask(t, b, c.q)); diff != "" {
			t.Errorf("Changes %s: -want +got\n%s", name, diff)
		}
	}
}

// An error of the history is told by every question.
func TestQuestionsTellErrors(t *testing.T) {
	down := errors.New("the store is down")
	history := func(yield func(rolecall.Entry, error) bool) { yield(rolecall.Entry{}, down) }
	for _, err := range admin.Changes(history, admin.Question{}) {
		wantErr(t, "Changes", err, down)
	}
	_, err := admin.Verify(admin.Head{}, admin.Chain(admin.Head{}, history))
	wantErr(t, "Verify", err, down)
	_, err = admin.WriteLog(&bytes.Buffer{}, admin.Head{}, admin.Chain(admin.Head{}, history))
	wantErr(t, "WriteLog", err, down)
}

// Whoever writes the reason of a change writes no line of the audit.
func TestAReasonIsOneLine(t *testing.T) {
	a := admin.Alteration{Delta: rolecall.Delta{After: rolecall.Suspension{Subject: rolecall.User("eve")}}}
	a.Reason = "x)\n2026-03-01 user:pia added: suspend user:bob (routine"
	if got := a.String(); strings.Contains(got, "\n") {
		t.Errorf("String of a change because of %q: got %q, want one line", a.Reason, got)
	}
}
