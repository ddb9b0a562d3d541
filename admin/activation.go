package admin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/internal/strictjson"
)

// ErrNeedsApproval says that an activation takes a second person, who is not its holder.
var ErrNeedsApproval = errors.New("this activation takes the approval of somebody who is not its holder")

// Activate takes up an eligible grant: by the holder itself, or by who may activate there. Where
// Options.NeedsApproval says so it is refused with ErrNeedsApproval, whoever asks: the holder asks with Ask, and
// somebody else approves. The reason is the one of the activation; without one it is that of Because.
func (e *Editor) Activate(ctx context.Context, a rolecall.Activation) (rolecall.Revision, error) {
	a.Reason = e.reasonOf(a)
	return e.Because(a.Reason).Do(ctx, rolecall.Activate(a))
}

// BreakGlass is Activate for an emergency: it takes no approval, and is recorded louder. Its entry in the history is
// marked (IsBreakGlass), and Options.BreakGlass is told of it.
func (e *Editor) BreakGlass(ctx context.Context, a rolecall.Activation) (rolecall.Revision, error) {
	a.Reason = e.reasonOf(a)
	m := e.Because(a.Reason).meta()
	m.Reason = breakGlass + m.Reason
	return e.takingNoSecond().applyAs(ctx, m, exactly(rolecall.Activate(a)))
}

func (e *Editor) reasonOf(a rolecall.Activation) string {
	if a.Reason == "" {
		return e.reason
	}
	return a.Reason
}

func (e *Editor) needsApproval(s *rolecall.Snapshot, edit rolecall.Edit) bool {
	return edit.Op == rolecall.OpActivate && e.options.NeedsApproval != nil && e.options.NeedsApproval(s, edit.Activation)
}

func (e *Editor) takingNoSecond() *Editor {
	c := *e
	c.approved = true
	return &c
}

// judged returns what the rules say against edits, without making them.
func (e *Editor) judged(s *rolecall.Snapshot, m rolecall.Meta, edits []rolecall.Edit) error {
	left, err := e.left(s)
	if err == nil {
		_, err = s.Propose(rolecall.Change{Meta: m, Narrow: left, Edits: edits})
	}
	return err
}

// An ActivationRequest is an activation that waits for a second person. It is a plain value for the host to keep and to
// show; it gives nothing. Approving judges everything again, so that a request that was forged or that is outdated is
// worth no more than the activation it asks for.
type ActivationRequest struct {
	Activation rolecall.Activation `json:"activation"`
	Asked      time.Time           `json:"asked"`
}

// UnmarshalJSON reads a request exactly: unknown, repeated, missing, null and misspelled members are errors.
func (r *ActivationRequest) UnmarshalJSON(data []byte) error {
	var next ActivationRequest
	err := strictjson.Object(data,
		strictjson.Field{Name: "activation", Into: &next.Activation}, strictjson.Field{Name: "asked", Into: &next.Asked})
	if err != nil {
		return fmt.Errorf("request: %w", err)
	}
	*r = next
	return nil
}

// Ask makes a request for the actor's own activation, where the rules would allow it now. It changes nothing.
func (e *Editor) Ask(a rolecall.Activation) (ActivationRequest, error) {
	a.Reason = e.reasonOf(a)
	s, err := e.resolver.Snapshot()
	if err != nil {
		return ActivationRequest{}, err
	}
	edits, m := []rolecall.Edit{rolecall.Activate(a)}, e.Because(a.Reason).meta()
	if a.Subject != e.actor {
		err = wrong(rolecall.ErrInvalid, a.Subject.String(), "who asks is the holder")
	} else {
		err = e.judged(s, m, edits)
	}
	if err != nil {
		return ActivationRequest{}, refuse(s, rolecall.Change{Meta: m, Edits: edits}, err)
	}
	return ActivationRequest{a, s.Now()}, nil
}

// Approve makes the activation that somebody asked for. It takes rolecall.grant.activate there, and an actor who is not
// the holder and does not act for the holder either. Nothing is approved for a group, Everyone included: whoever is in it,
// by the policy or by a token, is a holder too. The history keeps the approver as the actor, and the holder as the one on
// whose behalf it was done.
func (e *Editor) Approve(ctx context.Context, r ActivationRequest) (rolecall.Revision, error) {
	holder := r.Activation.Subject
	if e.actor == holder || e.options.OnBehalf == holder || holder.IsGroup() {
		return 0, ErrNeedsApproval
	}
	if !e.options.OnBehalf.IsZero() {
		return 0, refuse(nil, rolecall.Change{}, wrong(rolecall.ErrInvalid, e.options.OnBehalf.String(), "who approves does so for nobody else"))
	}
	m := e.meta()
	m.OnBehalf, m.Reason = holder, e.Because(r.Activation.Reason).meta().Reason
	return e.takingNoSecond().applyAs(ctx, m, exactly(rolecall.Activate(r.Activation)))
}
