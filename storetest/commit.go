package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/rolecall-go/rolecall"
)

func commitCases() []Case {
	return []Case{
		{"revisions-are-consecutive", "Every commit makes exactly the next revision.", revisionsAreConsecutive},
		{"put-replaces-under-a-key", "A statement takes the place of the one that has its key.", putReplaces},
		{"removed-is-gone", "A removed statement is gone.", removedIsGone},
		{"keys-are-whole", "Statements whose keys differ in one part alone are different ones: each is put and removed by itself.", keysAreWhole},
		{"kinds-are-apart", "Statements of different kinds are different ones, whatever is called alike in them.", kindsAreApart},
		{"stale-base-conflicts", "A proposal on an earlier revision is ErrConflict.", staleBaseConflicts},
		{"kept-proposal-conflicts", "A proposal that was kept is ErrConflict when it is committed again.", keptProposalConflicts},
		{"conflict-changes-nothing", "A conflict leaves the policy and the history as they are.", conflictChangesNothing},
		{"base-ahead-conflicts", "A proposal on a revision that the store does not have yet is ErrConflict.", baseAheadConflicts},
		{"other-history-conflicts", "A proposal that was judged on another line of revisions is ErrConflict.", otherHistoryConflicts},
		{"no-history-conflicts", "A proposal that was judged on no line of revisions, since no store handed its base out, is ErrConflict.", noHistoryConflicts},
		{"one-of-many-wins", "Of several proposals on one revision that are committed at once, one is kept and the others are ErrConflict.", oneOfManyWins},
		{"big-batches", "A change is kept whole where its edits are many: 65537 puts, more than sixteen bits count, then 65536 removals.", bigBatches},
	}
}

func revisionsAreConsecutive(ctx context.Context, s Stores) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	for _, st := range numbered(40) {
		if err := t.put(ctx, st); err != nil {
			return err
		}
		if err := t.holds(ctx); err != nil {
			return err
		}
	}
	return nil
}

func putReplaces(ctx context.Context, s Stores) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	bounded := grant("ada")
	bounded.NotAfter = start.AddDate(1, 0, 0)
	richer := role("reader")
	richer.Title = "Reader"
	for _, st := range []rolecall.Statement{grant("ada"), bounded, richer, grant("ada")} {
		if err := t.put(ctx, st); err != nil {
			return err
		}
		if err := t.holds(ctx); err != nil {
			return fmt.Errorf("after %s was put: %w", text(st), err)
		}
	}
	return nil
}

func removedIsGone(ctx context.Context, s Stores) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	if err := t.put(ctx, grant("ada"), grant("bob"), rolecall.Suspension{Subject: rolecall.User("ada")}); err != nil {
		return err
	}
	if err := t.commit(ctx, rolecall.Remove(grant("ada")), rolecall.Put(grant("cleo"))); err != nil {
		return err
	}
	if err := t.holds(ctx); err != nil {
		return err
	}
	if err := t.commit(ctx, rolecall.ForgetSubject(rolecall.User("ada")), rolecall.Remove(grant("bob"))); err != nil {
		return err
	}
	return t.holds(ctx)
}

func keysAreWhole(ctx context.Context, s Stores) error {
	at, below := rolecall.In("folder", "a"), rolecall.In("folder", "a").In("folder", "a")
	given := rolecall.Grant{Subject: rolecall.User("ada"), Role: "reader", Scope: at}
	set := rolecall.Override{Subject: rolecall.User("ada"), Effect: rolecall.Deny, Pattern: "doc.view", Scope: at}
	return eachAlone(ctx, s, []rolecall.Role{role("reader"), role("editor")}, []rolecall.Statement{
		rolecall.Grant{Subject: given.Subject, Role: given.Role, Scope: at, When: "own", Eligible: true},
		rolecall.Grant{Subject: given.Subject, Role: given.Role, Scope: at, When: "own"},
		rolecall.Grant{Subject: given.Subject, Role: given.Role, Scope: at, Eligible: true},
		rolecall.Grant{Subject: given.Subject, Role: given.Role, Scope: below},
		rolecall.Grant{Subject: given.Subject, Role: given.Role, Scope: rolecall.Global()},
		rolecall.Grant{Subject: given.Subject, Role: "editor", Scope: at},
		rolecall.Grant{Subject: rolecall.Group("ada"), Role: given.Role, Scope: at},
		rolecall.Grant{Subject: rolecall.Service("ada"), Role: given.Role, Scope: at},
		given,
		rolecall.Override{Subject: set.Subject, Effect: set.Effect, Pattern: set.Pattern, Scope: at, When: "own"},
		rolecall.Override{Subject: set.Subject, Effect: set.Effect, Pattern: set.Pattern, Scope: below},
		rolecall.Override{Subject: set.Subject, Effect: set.Effect, Pattern: "doc.*", Scope: at},
		rolecall.Override{Subject: rolecall.Group("ada"), Effect: set.Effect, Pattern: set.Pattern, Scope: at},
		set,
		rolecall.Membership{Member: rolecall.User("ada"), Group: rolecall.Group("crew")},
		rolecall.Membership{Member: rolecall.User("ada"), Group: rolecall.Group("staff")},
		rolecall.Membership{Member: rolecall.Group("ada"), Group: rolecall.Group("crew")},
		rolecall.Suspension{Subject: rolecall.User("ada")},
		rolecall.Suspension{Subject: rolecall.Service("ada")},
		rolecall.PrivateScope{Scope: at},
		rolecall.PrivateScope{Scope: below},
	})
}

func kindsAreApart(ctx context.Context, s Stores) error {
	const name = "same"
	at := rolecall.In("folder", name)
	return eachAlone(ctx, s, []rolecall.Role{role("reader")}, []rolecall.Statement{
		rolecall.Constraint{Name: name, Kind: rolecall.Dynamic, Limit: 2, Roles: []rolecall.RoleName{name, "reader"}},
		rolecall.Grant{Subject: rolecall.User(name), Role: name, Scope: at},
		rolecall.Override{Subject: rolecall.User(name), Effect: rolecall.Deny, Pattern: "doc.view", Scope: at},
		rolecall.Membership{Member: rolecall.User(name), Group: rolecall.Group(name)},
		rolecall.Suspension{Subject: rolecall.User(name)},
		rolecall.PrivateScope{Scope: at},
		role(name),
	})
}

// eachAlone puts some roles, then the statements, and takes these away one by one.
func eachAlone(ctx context.Context, s Stores, roles []rolecall.Role, statements []rolecall.Statement) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	all := puts(statements)
	for _, r := range roles {
		all = append(all, rolecall.Put(r))
	}
	if err := t.commit(ctx, all...); err != nil {
		return err
	}
	if err := t.holds(ctx); err != nil {
		return err
	}
	for _, st := range statements {
		if err := t.commit(ctx, rolecall.Remove(st)); err != nil {
			return fmt.Errorf("remove %s: %w", text(st), err)
		}
		if err := t.holds(ctx); err != nil {
			return fmt.Errorf("after %s was removed: %w", text(st), err)
		}
	}
	return nil
}

// overtaken returns a trial and a proposal that another one overtook.
func overtaken(ctx context.Context, s Stores) (*trial, *rolecall.Proposal, error) {
	t, err := begin(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	late, err := t.propose(rolecall.Put(grant("late")))
	if err != nil {
		return nil, nil, err
	}
	return t, late, t.put(ctx, grant("first"))
}

func staleBaseConflicts(ctx context.Context, s Stores) error {
	t, late, err := overtaken(ctx, s)
	if err != nil {
		return err
	}
	return wantError("Commit on revision 1 of a store at revision 2", t.store.Commit(ctx, late), rolecall.ErrConflict)
}

func keptProposalConflicts(ctx context.Context, s Stores) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	p, err := t.propose(rolecall.Put(grant("ada")))
	if err != nil {
		return err
	}
	if err := t.keep(ctx, p); err != nil {
		return err
	}
	if err := wantError("Commit of the proposal that was kept", t.store.Commit(ctx, p), rolecall.ErrConflict); err != nil {
		return err
	}
	return t.holds(ctx)
}

// Whatever Commit returns here is for stale-base-conflicts to judge.
func conflictChangesNothing(ctx context.Context, s Stores) error {
	t, late, err := overtaken(ctx, s)
	if err != nil {
		return err
	}
	if err := t.store.Commit(ctx, late); err == nil {
		return nil
	}
	if err := t.holds(ctx); err != nil {
		return fmt.Errorf("after a conflict: %w", err)
	}
	if err := tells(ctx, t.store, 0, t.want.Revision()); err != nil {
		return fmt.Errorf("after a conflict: %w", err)
	}
	if err := t.put(ctx, grant("next")); err != nil {
		return fmt.Errorf("after a conflict: %w", err)
	}
	return t.holds(ctx)
}

func baseAheadConflicts(ctx context.Context, s Stores) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	first, err := t.propose(rolecall.Put(grant("first")))
	if err != nil {
		return err
	}
	second, err := first.Next().Propose(rolecall.Change{Edits: []rolecall.Edit{rolecall.Put(grant("second"))}})
	if err != nil {
		return err
	}
	if err := wantError("Commit on revision 2 of a store at revision 1", t.store.Commit(ctx, second), rolecall.ErrConflict); err != nil {
		return err
	}
	return t.holds(ctx)
}

func otherHistoryConflicts(ctx context.Context, s Stores) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	other, err := begin(ctx, s)
	if err != nil {
		return err
	}
	p, err := other.propose(rolecall.Put(grant("ada")))
	if err != nil {
		return err
	}
	if other.want.History() == t.want.History() {
		return nil // for history-is-its-own to say
	}
	if err := wantError("Commit of a proposal judged on another store", t.store.Commit(ctx, p), rolecall.ErrConflict); err != nil {
		return err
	}
	return t.holds(ctx)
}

// The policy that no store handed out is as the store's own is, and at the same revision.
func noHistoryConflicts(ctx context.Context, s Stores) error {
	t, err := beginEmpty(ctx, s)
	if err != nil {
		return err
	}
	alike, err := rolecall.NewSnapshot(t.want.Catalog())
	if err != nil {
		return err
	}
	for _, st := range []rolecall.Statement{role("reader"), grant("ada")} {
		p, err := alike.At(start).Propose(rolecall.Change{Edits: []rolecall.Edit{rolecall.Put(st)}})
		if err != nil {
			return err
		}
		call := fmt.Sprintf("Commit on revision %d of no history of a store at that revision", p.Base())
		if err := wantError(call, t.store.Commit(ctx, p), rolecall.ErrConflict); err != nil {
			return err
		}
		if err := t.holds(ctx); err != nil {
			return err
		}
		if err := t.put(ctx, st); err != nil {
			return err
		}
		alike = p.Next()
	}
	return tells(ctx, t.store, 0, 2)
}

func oneOfManyWins(ctx context.Context, s Stores) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	const writers, rounds = 6, 5
	for round := range rounds {
		var proposals []*rolecall.Proposal
		for w := range writers {
			p, err := t.propose(rolecall.Put(grant(fmt.Sprintf("writer%d-%d", w, round))))
			if err != nil {
				return err
			}
			proposals = append(proposals, p)
		}
		won, err := t.race(ctx, proposals)
		if err != nil {
			return err
		}
		t.want = won.Next()
		if err := t.holds(ctx); err != nil {
			return fmt.Errorf("after %d commits at once: %w", writers, err)
		}
	}
	return tells(ctx, t.store, 0, t.want.Revision())
}

// race commits all at once and returns the one that was kept.
func (t *trial) race(ctx context.Context, proposals []*rolecall.Proposal) (*rolecall.Proposal, error) {
	results := make([]error, len(proposals))
	var all sync.WaitGroup
	for i, p := range proposals {
		all.Go(func() { results[i] = t.store.Commit(ctx, p) })
	}
	all.Wait()
	var won []*rolecall.Proposal
	for i, err := range results {
		switch {
		case err == nil:
			won = append(won, proposals[i])
		case !errors.Is(err, rolecall.ErrConflict):
			return nil, fmt.Errorf("Commit of %d proposals at once: got %w, want nil or ErrConflict", len(proposals), err)
		}
	}
	if len(won) != 1 {
		return nil, fmt.Errorf("Commit of %d proposals at once: %d were kept, want 1; got %v", len(proposals), len(won), results)
	}
	return won[0], nil
}

// One change puts statements, the next one takes all but the last of them away.
func bigBatches(ctx context.Context, s Stores) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	statements := numbered(cmp.Or(s.Big, 1<<16+1))
	removes := make([]rolecall.Edit, len(statements)-1)
	for i := range removes {
		removes[i] = rolecall.Remove(statements[i])
	}
	for _, edits := range [][]rolecall.Edit{puts(statements), removes} {
		if err := t.commit(ctx, edits...); err != nil {
			return fmt.Errorf("%d edits: %w", len(edits), err)
		}
		if err := t.holds(ctx); err != nil {
			return fmt.Errorf("after %d edits: %w", len(edits), err)
		}
		entries, err := follow(ctx, t.store, t.want.Revision()-1)
		if err != nil {
			return err
		}
		if len(entries) != 1 || len(entries[0].Deltas) != len(edits) {
			return fmt.Errorf("Changes after a commit of %d edits: got %s, want 1 entry with as many deltas", len(edits), sizes(entries))
		}
	}
	return nil
}

func sizes(entries []rolecall.Entry) string {
	text := fmt.Sprintf("%d entries", len(entries))
	for _, e := range entries {
		text += fmt.Sprintf(", one with %d deltas", len(e.Deltas))
	}
	return text
}
