package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rolecall-go/rolecall"
)

func changesCases() []Case {
	return []Case{
		{"changes-tell-who-and-why", "An entry of the history has the actor, whom it acted for, the reason and the instant, exactly.", changesTellWhoAndWhy},
		{"changes-tell-before-and-after", "An entry of the history has what each statement was before and is after, in order of keys.", changesTellBeforeAndAfter},
		{"changes-are-complete", "Changes yields every later entry, once, oldest first.", changesAreComplete},
		{"changes-tell-of-nothing", "A change that alters nothing is a revision, and an entry of the feed, like any other.", changesTellOfNothing},
		{"changes-resume", "Changes after the last entry seen goes on with the next one.", changesResume},
		{"changes-end-at-the-present", "Changes ends where the present is reached; it does not wait for more.", changesEnd},
		{"changes-can-be-left", "Leaving the feed in the middle costs the store nothing.", changesCanBeLeft},
		{"changes-allow-calls-inside", "Whoever reads the feed may load, commit and follow inside the loop.", changesAllowCallsInside},
		{"changes-continue-a-load", "A state and the changes after its revision make the present, without a seam, while others commit.", changesContinueALoad},
		{"changes-belong-to-the-caller", "Altering an entry alters neither the history nor the policy.", changesBelongToTheCaller},
		{"no-such-revision-is-compacted", "Changes after a revision that is not in the history is ErrCompacted.", noSuchRevision},
		{"compacted-is-told", "Changes after a revision whose history is no longer kept is ErrCompacted, before any entry.", compactedIsTold},
		{"compacted-meanwhile-is-told", "A feed whose history is compacted while it is read goes on without a gap up to where the store was, or ends with ErrCompacted.", compactedMeanwhile},
		{"compaction-keeps-the-rest", "Compaction leaves the policy and the later history as they are.", compactionKeepsTheRest},
	}
}

func changesTellWhoAndWhy(ctx context.Context, s Stores) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	admin := rolecall.Role{Name: "admin", Rules: []rolecall.Rule{{Effect: rolecall.Allow,
		Patterns: []rolecall.Pattern{"*", "rolecall.*", "rolecall.escalate", "rolecall.constraint.update"}}}}
	if err := t.put(ctx, admin,
		rolecall.Grant{Subject: rolecall.User("pia"), Role: "admin", Scope: rolecall.Global()},
		rolecall.Grant{Subject: rolecall.Service("sync"), Role: "admin", Scope: rolecall.Global()}); err != nil {
		return err
	}
	var want []rolecall.Meta
	for i, m := range []rolecall.Meta{
		{},
		{Reason: "plain"},
		{Actor: rolecall.User("pia"), Reason: "two\nlines, \"quotes\" and 漢字 👩‍🚀"},
		{Actor: rolecall.Service("sync"), OnBehalf: rolecall.User("pia")},
		{Time: start.In(time.FixedZone("east", 3600)).Add(time.Hour)},
		{Time: time.Date(1969, 12, 31, 23, 59, 59, 999999999, time.UTC)},
	} {
		p, err := t.want.Propose(rolecall.Change{Meta: m, Edits: []rolecall.Edit{rolecall.Put(grant(fmt.Sprint(i)))}})
		if err != nil {
			return err
		}
		if err := t.keep(ctx, p); err != nil {
			return err
		}
		want = append(want, p.Entry().Meta)
	}
	entries, err := follow(ctx, t.store, 2)
	if err != nil {
		return err
	}
	if len(entries) != len(want) {
		return nil // for changes-resume to say
	}
	for i, e := range entries {
		if e.Meta != want[i] {
			return fmt.Errorf("Changes: entry %d: got %+v, want %+v", e.Revision, e.Meta, want[i])
		}
	}
	return nil
}

func changesTellBeforeAndAfter(ctx context.Context, s Stores) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	bounded := grant("bob")
	bounded.NotAfter = start.Add(time.Nanosecond)
	var want []rolecall.Entry
	for _, edits := range [][]rolecall.Edit{
		puts(everyKind()),
		{rolecall.Put(grant("bob")), rolecall.Put(grant("zoe")), rolecall.Put(grant("Bob"))},
		{rolecall.Put(bounded), rolecall.Remove(grant("zoe")), rolecall.Put(grant("ann"))},
		{rolecall.ForgetSubject(rolecall.User("ada"))},
	} {
		p, err := t.propose(edits...)
		if err != nil {
			return err
		}
		if err := t.keep(ctx, p); err != nil {
			return err
		}
		want = append(want, p.Entry())
	}
	entries, err := follow(ctx, t.store, 1)
	if err != nil || len(entries) != len(want) {
		return err // what is missing is for changes-resume to say
	}
	for i, e := range entries {
		if err := sameDeltas(e.Deltas, want[i].Deltas); err != nil {
			return fmt.Errorf("Changes: entry %d: %w", e.Revision, err)
		}
	}
	return nil
}

func sameDeltas(got, want []rolecall.Delta) error {
	if len(got) != len(want) {
		return fmt.Errorf("got %d deltas, want %d", len(got), len(want))
	}
	for i, w := range want {
		if g := got[i]; !rolecall.Equal(g.Before, w.Before) || !rolecall.Equal(g.After, w.After) {
			return fmt.Errorf("delta %d: got %s → %s, want %s → %s", i, text(g.Before), text(g.After), text(w.Before), text(w.After))
		}
	}
	return nil
}

// There are more entries than a page has that has a thousand. Most alter nothing, which costs a store least.
func changesAreComplete(ctx context.Context, s Stores) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	const last = 1031
	for range last - 2 {
		if err := t.commit(ctx); err != nil {
			return err
		}
	}
	if err := t.put(ctx, grant("ada")); err != nil {
		return err
	}
	for _, after := range []rolecall.Revision{0, 1, 50, 255, last - 2, last} {
		if err := tells(ctx, t.store, after, last); err != nil {
			return err
		}
	}
	return nil
}

// The history begins and ends with changes that alter nothing, and has some in between.
func changesTellOfNothing(ctx context.Context, s Stores) error {
	t, err := beginEmpty(ctx, s)
	if err != nil {
		return err
	}
	for _, edits := range [][]rolecall.Edit{
		nil, {rolecall.Put(role("reader"))}, {rolecall.Put(role("reader"))}, nil, {rolecall.Put(grant("ada"))}, nil,
	} {
		if err := t.commit(ctx, edits...); err != nil {
			return err
		}
		if err := t.holds(ctx); err != nil {
			return err
		}
		for after := range t.want.Revision() {
			if err := tells(ctx, t.store, after, t.want.Revision()); err != nil {
				return err
			}
		}
	}
	return nil
}

func changesResume(ctx context.Context, s Stores) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	if err := t.each(ctx, numbered(8)); err != nil {
		return err
	}
	var got []rolecall.Revision
	after := rolecall.Revision(0)
	for range 20 {
		for e, err := range t.store.Changes(ctx, after) {
			if err != nil {
				return fmt.Errorf("Changes(%d): %w", after, err)
			}
			got = append(got, e.Revision)
			after = e.Revision
			if after%2 == 0 {
				break
			}
		}
	}
	if want := []rolecall.Revision{1, 2, 3, 4, 5, 6, 7, 8, 9}; !slices.Equal(got, want) {
		return fmt.Errorf("Changes, left and taken up again: got revisions %v, want %v", got, want)
	}
	return nil
}

func changesEnd(ctx context.Context, s Stores) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience/4)
	defer cancel()
	for range 3 {
		if err := t.put(ctx, grant("ada")); err != nil {
			return err
		}
		if _, err := follow(ctx, t.store, t.want.Revision()); err != nil {
			return fmt.Errorf("at the present: got %w, want the end of the feed", err)
		}
	}
	return nil
}

func changesCanBeLeft(ctx context.Context, s Stores) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	if err := t.each(ctx, numbered(3)); err != nil {
		return err
	}
	for i := range times {
		for _, err := range t.store.Changes(ctx, 0) {
			if err != nil {
				return fmt.Errorf("Changes after %d feeds were left: got %w, want nil", i, err)
			}
			break
		}
	}
	return t.holds(ctx)
}

func changesAllowCallsInside(ctx context.Context, s Stores) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	if err := t.each(ctx, numbered(3)); err != nil {
		return err
	}
	for e, err := range t.store.Changes(ctx, 0) {
		if err != nil {
			return fmt.Errorf("Changes(0) with calls inside: %w", err)
		}
		if e.Revision > 4 {
			continue // what was committed inside; the feed may tell of it or not
		}
		if err := t.put(ctx, grant(fmt.Sprintf("inside%d", e.Revision))); err != nil {
			return fmt.Errorf("inside Changes: %w", err)
		}
		if err := t.holds(ctx); err != nil {
			return fmt.Errorf("inside Changes: %w", err)
		}
		if err := tells(ctx, t.store, e.Revision, t.want.Revision()); err != nil {
			return fmt.Errorf("inside Changes: %w", err)
		}
	}
	return nil
}

// A grant is put and taken away, again and again, each time while somebody loads and follows. Apply refuses an entry that
// does not continue what was loaded.
func changesContinueALoad(ctx context.Context, s Stores) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	for i := range 60 {
		edit := rolecall.Put(grant("ada"))
		if i%2 == 1 {
			edit = rolecall.Remove(grant("ada"))
		}
		wrote := make(chan error, 1)
		go func() { wrote <- t.commit(ctx, edit) }()
		read := loadAndFollow(ctx, t.store)
		if err := cmp.Or(<-wrote, read); err != nil {
			return err
		}
	}
	return t.holds(ctx)
}

func loadAndFollow(ctx context.Context, store rolecall.Store) error {
	got, err := load(ctx, store)
	if err != nil {
		return err
	}
	entries, err := follow(ctx, store, got.Revision())
	if err != nil {
		return err
	}
	for _, e := range entries {
		if got, err = got.Apply(e); err != nil {
			return fmt.Errorf("Load, then Changes: entry %d: %w", e.Revision, err)
		}
	}
	return nil
}

func changesBelongToTheCaller(ctx context.Context, s Stores) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	p, err := t.propose(puts(sharing())...)
	if err != nil {
		return err
	}
	if err := t.keep(ctx, p); err != nil {
		return err
	}
	first, err := follow(ctx, t.store, 1)
	if err != nil {
		return err
	}
	for _, e := range first {
		for i := range e.Deltas {
			spoil(e.Deltas[i].After)
			e.Deltas[i] = rolecall.Delta{}
		}
	}
	second, err := follow(ctx, t.store, 1)
	if err != nil {
		return err
	}
	for _, e := range second {
		if err := sameDeltas(e.Deltas, p.Entry().Deltas); err != nil {
			return fmt.Errorf("Changes, after an entry was altered: %w", err)
		}
	}
	return t.holds(ctx)
}

func noSuchRevision(ctx context.Context, s Stores) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	for _, after := range []rolecall.Revision{2, 3, 1 << 40} {
		entries, err := follow(ctx, t.store, after)
		if len(entries) > 0 {
			return fmt.Errorf("Changes(%d) of a store at revision 1: got revisions %v, want none", after, revisions(entries))
		}
		if err := wantError(fmt.Sprintf("Changes(%d) of a store at revision 1", after), err, rolecall.ErrCompacted); err != nil {
			return err
		}
	}
	return nil
}

// compacting returns a store that keeps so many changes, with the role reader in it.
func compacting(ctx context.Context, s Stores, keep int) (*trial, error) {
	if s.Compacting == nil {
		return nil, fmt.Errorf("Stores.Compacting: %w", ErrNotGiven)
	}
	store, err := s.Compacting(ctx, keep)
	if err != nil {
		return nil, fmt.Errorf("call Compacting: %w", err)
	}
	return beginOn(ctx, store)
}

// compacted returns a store that keeps 3 changes and has had 8.
func compacted(ctx context.Context, s Stores) (*trial, error) {
	t, err := compacting(ctx, s, 3)
	if err != nil {
		return nil, err
	}
	return t, t.each(ctx, numbered(7))
}

func compactedIsTold(ctx context.Context, s Stores) error {
	t, err := compacted(ctx, s)
	if err != nil {
		return err
	}
	for _, after := range []rolecall.Revision{0, 1, 4} {
		entries, err := follow(ctx, t.store, after)
		if len(entries) > 0 {
			return fmt.Errorf("Changes(%d) where 6 to 8 are kept: got revisions %v, want none", after, revisions(entries))
		}
		if err := wantError(fmt.Sprintf("Changes(%d) where 6 to 8 are kept", after), err, rolecall.ErrCompacted); err != nil {
			return err
		}
	}
	return nil
}

// A feed of a few entries, which fit on one page, and one of as many as take several. When its first entry was read the
// store makes more changes than it keeps.
func compactedMeanwhile(ctx context.Context, s Stores) error {
	for _, keep := range []int{4, 102} {
		t, err := compacting(ctx, s, keep)
		if err != nil {
			return err
		}
		if err := t.putAndRemove(ctx, keep/2); err != nil {
			return err
		}
		if err := t.outrun(ctx, keep); err != nil {
			return fmt.Errorf("where %d changes are kept and more are made: %w", keep, err)
		}
		if err := t.holds(ctx); err != nil {
			return err
		}
	}
	return nil
}

// outrun reads the feed after revision 1, and lets the store go past what it has read.
func (t *trial) outrun(ctx context.Context, keep int) error {
	last, present := rolecall.Revision(1), t.want.Revision()
	for e, err := range t.store.Changes(ctx, 1) {
		switch {
		case errors.Is(err, rolecall.ErrCompacted) && last > 1:
			return nil
		case err != nil:
			return fmt.Errorf("Changes(1): after revision %d: %w", last, err)
		case e.Revision != last+1:
			return fmt.Errorf("Changes(1): got revision %d after %d, want %d or ErrCompacted", e.Revision, last, last+1)
		}
		if last = e.Revision; last > 2 {
			continue
		}
		if err := t.putAndRemove(ctx, keep/2+1); err != nil {
			return fmt.Errorf("inside Changes: %w", err)
		}
	}
	if last < present {
		return fmt.Errorf("Changes(1) of a store at revision %d: the feed ends after %d, want it to go on or ErrCompacted", present, last)
	}
	return nil
}

func compactionKeepsTheRest(ctx context.Context, s Stores) error {
	t, err := compacted(ctx, s)
	if err != nil {
		return err
	}
	for _, after := range []rolecall.Revision{5, 6, 8} {
		if err := tells(ctx, t.store, after, 8); err != nil {
			return fmt.Errorf("where 6 to 8 are kept: %w", err)
		}
	}
	return t.holds(ctx)
}
