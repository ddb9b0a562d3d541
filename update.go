package rolecall

import (
	"context"
	"errors"
	"fmt"

	"github.com/rolecall-go/rolecall/internal/backoff"
)

// Changing policy through a resolver: judged on the present snapshot, committed, and asked again on a conflict.

// Update changes the policy: fn gets the present policy and says what to change, which is judged and committed. Where
// somebody else committed meanwhile fn is asked again with what is there then, until ctx ends; so fn must do nothing
// but look and answer. Update returns the revision committed, which this resolver enforces from then on. A change that
// alters nothing is not committed: the revision is then that of the policy that already is so.
//
// The change is made with m, at the present instant where m.Time is zero; fn leaves its Change.Meta empty. An error of
// fn, or a refusal, is returned once it is known not to rest on an outdated snapshot, or where the store cannot be asked. An
// error of the store other than a conflict may leave it unknown whether the change was kept: the resolver finds out when it
// next catches up.
func (r *Resolver) Update(ctx context.Context, m Meta, fn func(*Snapshot) (Change, error)) (Revision, error) {
	if fn == nil {
		return 0, problem(ErrInvalid, "change", "", "a function says what to change")
	}
	u := update{r: r, meta: m, fn: fn}
	for {
		revision, done, err := u.attempt(ctx)
		if err != nil {
			return 0, fmt.Errorf("update policy: %w", err)
		}
		if done {
			return revision, nil
		}
	}
}

// Edit is Update with edits that do not depend on the policy as it is: they are judged together and committed whole, or not
// at all.
func (r *Resolver) Edit(ctx context.Context, m Meta, edits ...Edit) (Revision, error) {
	return r.Update(ctx, m, func(*Snapshot) (Change, error) { return Change{Edits: edits}, nil })
}

// An update is one call of Update over its attempts.
type update struct {
	r       *Resolver
	meta    Meta
	fn      func(*Snapshot) (Change, error)
	current bool // the resolver has caught up since the call began
	pauses  backoff.Pauses
}

// attempt makes one try. Neither done nor an error says: try again.
func (u *update) attempt(ctx context.Context) (revision Revision, done bool, err error) {
	if err := ctx.Err(); err != nil {
		return 0, false, err
	}
	base := u.r.current.Load()
	if base == nil {
		return 0, false, errNotOpened
	}
	p, refusal := u.propose(base.snapshot)
	if p == nil {
		return u.conclude(ctx, base, refusal)
	}
	err = u.r.commit(ctx, base, p)
	if err == nil {
		return p.next.Revision(), true, nil
	}
	if !errors.Is(err, ErrConflict) {
		return 0, false, fmt.Errorf("commit: %w", err)
	}
	moved, err := u.catchUp(base, u.r.Refresh(ctx))
	if err == nil && !moved {
		u.pauses.Wait(ctx, firstPause, u.r.poll)
	}
	return 0, false, err
}

// conclude ends an update that has nothing to commit, or begins it again where it was judged on what is no longer so.
func (u *update) conclude(ctx context.Context, base *present, refusal error) (Revision, bool, error) {
	if !u.current {
		moved, err := u.catchUp(base, u.r.refreshShared(ctx))
		switch {
		case err != nil && refusal == nil:
			return 0, false, err
		case moved:
			return 0, false, nil
		}
	}
	return base.snapshot.Revision(), refusal == nil, refusal
}

// catchUp notes how catching up went, and says whether the policy is another one than base.
func (u *update) catchUp(base *present, err error) (moved bool, _ error) {
	u.current = u.current || err == nil
	return u.r.current.Load().snapshot != base.snapshot, err
}

// propose returns nothing where there is nothing to change.
func (u *update) propose(base *Snapshot) (*Proposal, error) {
	m, now := u.meta, u.r.clock()
	if m.Time.IsZero() {
		m.Time = now
	}
	base = base.At(now)
	change, err := u.fn(base)
	if err != nil {
		return nil, err
	}
	if change.Meta != (Meta{}) && change.Meta != u.meta {
		return nil, problem(ErrInvalid, "change", "", "who changes the policy, why and when is said to Update, not in the change that it is given")
	}
	if len(change.Edits) == 0 {
		return nil, nil
	}
	change.Meta = m
	p, err := base.Propose(change)
	if err != nil {
		return nil, err
	}
	if len(p.Entry().Deltas) == 0 {
		return nil, nil
	}
	return p, nil
}

// Apply commits a plan, and nothing else than what was planned: it returns ErrConflict where the policy is no longer at
// the plan's revision. It returns the revision committed, which this resolver enforces from then on; for a plan that
// alters nothing that is the plan's own. Any other error may leave it unknown whether the change was kept.
func (r *Resolver) Apply(ctx context.Context, p *Plan) (Revision, error) {
	at := r.current.Load()
	switch {
	case at == nil:
		return 0, errNotOpened
	case p == nil:
		return 0, problem(ErrInvalid, "plan", "", "there is no plan to commit")
	}
	if len(p.proposal.entry.Deltas) == 0 {
		if err := r.Refresh(ctx); err != nil {
			return 0, err
		}
		if r.current.Load().snapshot.Revision() != p.Base() {
			return 0, ErrConflict
		}
		return p.Base(), nil
	}
	if err := r.commit(ctx, at, p.proposal); err != nil {
		return 0, err
	}
	return p.proposal.next.Revision(), nil
}

// commit has the store keep a proposal, which is judged on what was at hand, and serves it.
func (r *Resolver) commit(ctx context.Context, at *present, p *Proposal) error {
	began := r.clock()
	if err := r.store.Commit(ctx, p); err != nil {
		return err
	}
	r.advance(at.history, p.next, began)
	return nil
}
