package storetest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/rolecall-go/rolecall"
)

func idCases() []Case {
	long := strings.Repeat("x", 255)
	cases := []Case{}
	for _, c := range []struct {
		name, rule string
		ids        []string
	}{
		{"ids-differ-by-case", "Ids that differ in case are different.", []string{"ada", "Ada", "ADA", "straße", "STRASSE", "strasse", "ı", "i", "I"}},
		{"ids-differ-by-space", "Ids that differ in leading, trailing or inner white space are different.", []string{"ada", "ada ", "ada  ", " ada", "ad a", "ada\u00a0", "ada\u2003"}},
		{"ids-differ-by-normalisation", "Ids that differ in how their characters are composed are different.", []string{"\u00e9", "e\u0301", "e", "\u212b", "\u00c5", "A\u030a", "ﬁ", "fi", "①", "1"}},
		{"ids-differ-by-invisible-characters", "Ids that differ in characters that nobody sees are different.", []string{"ab", "a\u200bb", "a\u00adb", "a\u200db", "\ufeffab", "a\ufe0fb"}},
		{"ids-hold-wildcards", "Ids are not patterns, paths or SQL.", []string{"a_b", "axb", "a%b", "a%", "%", "_", "*", "..", ".", "../a", "a/b", "a\\b", "a\\", "'", "''", "\"", "';--", "$1", "?", ":a", "\u202ea"}},
		{"ids-are-long", "Ids of 256 bytes are told apart by the last byte.", []string{long + "a", long + "b", long, strings.Repeat("é", 128), strings.Repeat("é", 127) + "ee"}},
		{"ids-beyond-the-basic-plane", "Ids may be of any script.", []string{"😀", "😁", "𝒜", "A", "ᚠ", "क्षि", "ﷺ"}},
	} {
		cases = append(cases, Case{c.name, c.rule, func(ctx context.Context, s Stores) error { return keepApart(ctx, s, c.ids) }})
	}
	return append(cases,
		Case{"scopes-are-deep", "Scopes of 16 segments with ids of 256 bytes are told apart by the last byte.", scopesAreDeep},
		Case{"texts-survive", "Titles, descriptions and reasons come back byte for byte.", textsSurvive},
		Case{"instants-survive", "Instants of windows and of changes come back to the nanosecond, in the years 0 to 9999.", instantsSurvive})
}

// keepApart puts a grant, a membership and a suspension for each id, as member, group and scope, and removes every
// second one again.
func keepApart(ctx context.Context, s Stores, ids []string) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	about := func(id string) []rolecall.Statement {
		return []rolecall.Statement{
			rolecall.Grant{Subject: rolecall.User(id), Role: "reader", Scope: rolecall.In("folder", id)},
			rolecall.Membership{Member: rolecall.User("ada"), Group: rolecall.Group(id)},
			rolecall.Suspension{Subject: rolecall.Service(id)},
			rolecall.PrivateScope{Scope: rolecall.In("folder", "a").In("folder", id)},
		}
	}
	for _, id := range ids {
		if err := t.put(ctx, about(id)...); err != nil {
			return fmt.Errorf("put what has the id %q: %w", id, err)
		}
	}
	if err := t.holds(ctx); err != nil {
		return fmt.Errorf("with the ids %q: %w", ids, err)
	}
	for i, id := range ids {
		if i%2 == 1 {
			continue
		}
		var edits []rolecall.Edit
		for _, st := range about(id) {
			edits = append(edits, rolecall.Remove(st))
		}
		if err := t.commit(ctx, edits...); err != nil {
			return fmt.Errorf("remove what has the id %q: %w", id, err)
		}
	}
	if err := t.holds(ctx); err != nil {
		return fmt.Errorf("after every second of the ids %q was removed: %w", ids, err)
	}
	return nil
}

func scopesAreDeep(ctx context.Context, s Stores) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	deep := rolecall.Global()
	for range 15 {
		deep = deep.In("folder", strings.Repeat("/", 256))
	}
	for _, last := range []string{"a", "b", "c"} {
		at := deep.In("folder", strings.Repeat("/", 255)+last)
		if err := t.put(ctx, rolecall.Grant{Subject: rolecall.User(strings.Repeat("%", 256)), Role: "reader", Scope: at}); err != nil {
			return fmt.Errorf("put a grant at a deep scope: %w", err)
		}
	}
	return t.holds(ctx)
}

func textsSurvive(ctx context.Context, s Stores) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	for _, words := range []string{
		" ", "a\nb\r\nc\t", "\\n", `"quoted" 'quoted' <b>&amp;</b>`, "\u2028\u2029", "\x01\x7f", "e\u0301 \u00e9", "👩‍🚀",
		"{}", "null", "$1 ? :a %s", strings.Repeat("long ", 20_000),
	} {
		r := role("reader")
		r.Title, r.Description = words, words
		p, err := t.want.Propose(rolecall.Change{Meta: rolecall.Meta{Reason: words}, Edits: []rolecall.Edit{rolecall.Put(r)}})
		if err != nil {
			return err
		}
		if err := t.keep(ctx, p); err != nil {
			return fmt.Errorf("a role with the title %.40q: %w", words, err)
		}
		if err := t.holds(ctx); err != nil {
			return err
		}
		entries, err := follow(ctx, t.store, p.Base())
		if err != nil {
			return err
		}
		if len(entries) == 1 && entries[0].Reason != words {
			return fmt.Errorf("Changes: got the reason %.40q, want %.40q", entries[0].Reason, words)
		}
	}
	return nil
}

// Each change is made in one of the years, and has windows from its first instant to its last one. Nanoseconds since 1970
// in 64 bits reach from 1677 to 2262, and some databases begin later or end earlier than others.
func instantsSurvive(ctx context.Context, s Stores) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	for _, year := range []int{0, 999, 1600, 1899, 1969, 2038, 2500, 9999} {
		first := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
		last := first.AddDate(1, 0, 0).Add(-time.Nanosecond)
		window := rolecall.Window{NotBefore: first, NotAfter: last}
		who := rolecall.User(fmt.Sprintf("of %d", year))
		p, err := t.want.Propose(rolecall.Change{Meta: rolecall.Meta{Time: last}, Edits: puts([]rolecall.Statement{
			rolecall.Grant{Subject: who, Role: "reader", Scope: rolecall.Global(), Window: window},
			rolecall.Membership{Member: who, Group: rolecall.Group("crew"), Window: window},
			rolecall.Override{Subject: who, Effect: rolecall.Deny, Pattern: "doc.edit", Scope: rolecall.Global(), Window: window},
		})})
		if err != nil {
			return err
		}
		if err := t.keep(ctx, p); err != nil {
			return fmt.Errorf("a change of the year %d: %w", year, err)
		}
		if err := t.holds(ctx); err != nil {
			return err
		}
		entries, err := follow(ctx, t.store, p.Base())
		if err != nil || len(entries) != 1 {
			return err // what is missing is for changes-resume to say
		}
		if got := entries[0].Time; !got.Equal(last) {
			return fmt.Errorf("Changes: got a change made at %v, want %v", got, last)
		}
		if err := sameDeltas(entries[0].Deltas, p.Entry().Deltas); err != nil {
			return fmt.Errorf("Changes: entry %d: %w", entries[0].Revision, err)
		}
	}
	return nil
}
