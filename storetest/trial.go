package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/rolecall-go/rolecall"
)

// start is the instant at which the cases change policies. It has nanoseconds, so that a store that rounds shows.
var start = time.Date(2026, 3, 4, 5, 6, 7, 890123457, time.UTC)

// vocabulary returns the catalog of the cases.
func vocabulary() (*rolecall.Catalog, error) {
	return rolecall.NewCatalog(rolecall.Declarations{
		Permissions: []rolecall.PermissionDecl{
			{Permission: rolecall.NewPermission("doc.view")},
			{Permission: rolecall.NewPermission("doc.edit")},
		},
		Conditions: []rolecall.ConditionDecl{{Condition: "own"}},
		ScopeKinds: []rolecall.ScopeKindDecl{{Kind: "folder"}},
	})
}

func role(name rolecall.RoleName) rolecall.Role {
	return rolecall.Role{Name: name, Rules: []rolecall.Rule{{Effect: rolecall.Allow, Patterns: []rolecall.Pattern{"doc.view"}}}}
}

func grant(user string) rolecall.Grant {
	return rolecall.Grant{Subject: rolecall.User(user), Role: "reader", Scope: rolecall.In("folder", "a")}
}

// numbered returns n grants to users u0, u1, …
func numbered(n int) []rolecall.Statement {
	out := make([]rolecall.Statement, n)
	for i := range out {
		out[i] = grant(fmt.Sprintf("u%d", i))
	}
	return out
}

// everyKind returns statements of every kind in which every field says something.
func everyKind() []rolecall.Statement {
	window := rolecall.Window{NotBefore: start, NotAfter: start.Add(time.Hour + time.Nanosecond)}
	return []rolecall.Statement{
		role("reader"),
		rolecall.Role{
			Name: "editor", Title: "Editor", Description: "Edits\ndocuments", Inherits: []rolecall.RoleName{"reader"},
			Rules: []rolecall.Rule{
				{Effect: rolecall.Allow, Patterns: []rolecall.Pattern{"doc.edit"}, When: "own"},
				{Effect: rolecall.Except, Patterns: []rolecall.Pattern{"doc.view"}, When: "own"},
				{Effect: rolecall.Forbid, Patterns: []rolecall.Pattern{"*.view", "doc.*"}},
			},
			Holders: []rolecall.SubjectKind{rolecall.KindGroup, rolecall.KindUser},
			Scopes:  []rolecall.ScopeKind{"folder", rolecall.GlobalKind},
		},
		rolecall.Membership{Member: rolecall.User("ada"), Group: rolecall.Group("crew"), Window: window},
		rolecall.Membership{Member: rolecall.Group("crew"), Group: rolecall.Group("staff")},
		rolecall.Grant{Subject: rolecall.User("ada"), Role: "editor", Scope: rolecall.Global(), When: "own", Replace: true, Pierce: true, Window: window},
		rolecall.Grant{Subject: rolecall.User("ada"), Role: "editor", Scope: rolecall.Global(), When: "own", Eligible: true},
		rolecall.Grant{Subject: rolecall.Everyone(), Role: "reader", Scope: rolecall.In("folder", "a").In("folder", "b")},
		rolecall.Override{Subject: rolecall.User("ada"), Effect: rolecall.Deny, Pattern: "doc.*", Scope: rolecall.Global(), When: "own", Window: window},
		rolecall.Override{Subject: rolecall.User("ada"), Effect: rolecall.Forbid, Pattern: "doc.*", Scope: rolecall.Global()},
		rolecall.Suspension{Subject: rolecall.User("bob")},
		rolecall.PrivateScope{Scope: rolecall.In("folder", "secret")},
		rolecall.Constraint{Name: "apart", Kind: rolecall.Dynamic, Limit: 2, Roles: []rolecall.RoleName{"editor", "reader"}},
	}
}

// A trial is a store and the policy that it must hold.
type trial struct {
	store rolecall.Store
	want  *rolecall.Snapshot
}

// begin makes a new store with the role reader in it.
func begin(ctx context.Context, s Stores) (*trial, error) {
	t, err := beginEmpty(ctx, s)
	if err != nil {
		return nil, err
	}
	return t, t.put(ctx, role("reader"))
}

// beginEmpty makes a new store.
func beginEmpty(ctx context.Context, s Stores) (*trial, error) {
	store, err := s.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("call New: %w", err)
	}
	want, err := load(ctx, store)
	if err != nil {
		return nil, err
	}
	return &trial{store, want}, nil
}

func beginOn(ctx context.Context, store rolecall.Store) (*trial, error) {
	want, err := load(ctx, store)
	if err != nil {
		return nil, err
	}
	t := &trial{store, want}
	return t, t.put(ctx, role("reader"))
}

// load returns the policy that the store has.
func load(ctx context.Context, store rolecall.Store) (*rolecall.Snapshot, error) {
	state, err := store.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("Load: %w", err)
	}
	return snapshotOf(state)
}

func snapshotOf(state rolecall.State) (*rolecall.Snapshot, error) {
	c, err := vocabulary()
	if err != nil {
		return nil, err
	}
	s, err := rolecall.LoadSnapshot(c, state)
	if err != nil {
		return nil, fmt.Errorf("Load: the state of revision %d: %w", state.Revision, err)
	}
	return s.At(start), nil
}

func (t *trial) propose(edits ...rolecall.Edit) (*rolecall.Proposal, error) {
	p, err := t.want.Propose(rolecall.Change{Edits: edits})
	if err != nil {
		return nil, fmt.Errorf("propose on revision %d: %w", t.want.Revision(), err)
	}
	return p, nil
}

// commit makes a change that must be kept.
func (t *trial) commit(ctx context.Context, edits ...rolecall.Edit) error {
	p, err := t.propose(edits...)
	if err != nil {
		return err
	}
	return t.keep(ctx, p)
}

func (t *trial) keep(ctx context.Context, p *rolecall.Proposal) error {
	if err := t.store.Commit(ctx, p); err != nil {
		return fmt.Errorf("Commit on revision %d: got %w, want nil", p.Base(), err)
	}
	t.want = p.Next()
	return nil
}

func (t *trial) put(ctx context.Context, statements ...rolecall.Statement) error {
	return t.commit(ctx, puts(statements)...)
}

// each commits the statements one by one.
func (t *trial) each(ctx context.Context, statements []rolecall.Statement) error {
	for _, s := range statements {
		if err := t.put(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// putAndRemove makes twice as many changes as it is told, each of which alters something. The policy is then as before.
func (t *trial) putAndRemove(ctx context.Context, times int) error {
	for range times {
		if err := t.put(ctx, grant("now and then")); err != nil {
			return err
		}
		if err := t.commit(ctx, rolecall.Remove(grant("now and then"))); err != nil {
			return err
		}
	}
	return nil
}

func puts(statements []rolecall.Statement) []rolecall.Edit {
	edits := make([]rolecall.Edit, len(statements))
	for i, s := range statements {
		edits[i] = rolecall.Put(s)
	}
	return edits
}

// holds says what is wrong where the store has something else than it must.
func (t *trial) holds(ctx context.Context) error {
	got, err := load(ctx, t.store)
	if err != nil {
		return err
	}
	return same("Load", got, t.want)
}

// same compares two policies.
func same(call string, got, want *rolecall.Snapshot) error {
	if got.Revision() != want.Revision() {
		return fmt.Errorf("%s: got revision %d, want %d", call, got.Revision(), want.Revision())
	}
	next, stop := iter.Pull(got.Statements())
	defer stop()
	for w := range want.Statements() {
		if g, _ := next(); !rolecall.Equal(g, w) {
			return fmt.Errorf("%s: at revision %d got %s, want %s", call, got.Revision(), text(g), text(w))
		}
	}
	if g, more := next(); more {
		return fmt.Errorf("%s: at revision %d got %s, want nothing more", call, got.Revision(), text(g))
	}
	return nil
}

// text writes a statement with everything that it says.
func text(s rolecall.Statement) string {
	if s == nil {
		return "nothing"
	}
	data, err := rolecall.MarshalStatement(s)
	if err != nil {
		return fmt.Sprintf("%q (%v)", s, err)
	}
	const most = 300
	if len(data) > most {
		data = append(bytes.ToValidUTF8(data[:most], nil), "…"...)
	}
	return string(data)
}

// follow collects the entries after a revision, until the feed ends.
func follow(ctx context.Context, store rolecall.Store, after rolecall.Revision) ([]rolecall.Entry, error) {
	var entries []rolecall.Entry
	for e, err := range store.Changes(ctx, after) {
		if err != nil {
			return entries, fmt.Errorf("Changes(%d): after %d entries: %w", after, len(entries), err)
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func revisions(entries []rolecall.Entry) []rolecall.Revision {
	out := make([]rolecall.Revision, len(entries))
	for i, e := range entries {
		out[i] = e.Revision
	}
	return out
}

// tells says what is wrong where the feed after a revision is not the revisions from the next one to the last.
func tells(ctx context.Context, store rolecall.Store, after, last rolecall.Revision) error {
	entries, err := follow(ctx, store, after)
	if err != nil {
		return err
	}
	want := after
	for _, e := range entries {
		if want++; e.Revision != want || want > last {
			return fmt.Errorf("Changes(%d): got revision %d where %d comes next and %d is the last", after, e.Revision, want, last)
		}
	}
	if want < last {
		return fmt.Errorf("Changes(%d): got revisions to %d, want to %d", after, want, last)
	}
	return nil
}

// wantError says what is wrong where err is not target.
func wantError(call string, err, target error) error {
	if !errors.Is(err, target) {
		return fmt.Errorf("%s: got error %v, want %v", call, err, target)
	}
	return nil
}
