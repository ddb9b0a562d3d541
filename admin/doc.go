// Package admin changes policy for somebody: every edit is made by an acting subject, who must be permitted to make it
// and through whom nobody may come to do what the actor may not.
//
//	pia := admin.For(resolver, rolecall.User("pia"), nil)
//	revision, err := pia.Because("joins the show").Grant(ctx, rolecall.Grant{Subject: cleo, Role: "artist", Scope: alpha})
//
// The rules are the core's (rolecall.Snapshot.Propose); nothing here weakens or repeats them. What is here is the
// front: one method a kind of edit, hooks that may veto, refusals that tell what is missing and who could help, edits
// that belong together in one change (cascades, people who come and go), sessions and keys, and the history as a
// hash-chained log with questions over it.
//
// # Refusals
//
// A refused edit is a [*Refusal]. errors.Is finds the codes (rolecall.ErrNotPermitted, rolecall.ErrEscalation, …) and
// rolecall.ProblemsOf the problems. An escalation lists what is missing and who could make the change; a role in use
// lists its uses. Whoever is not permitted learns nothing but which permission that takes. A hook's veto is a
// [*VetoError].
//
// # Activation
//
// Who is eligible takes a role up with [Editor.Activate]. Where [Options].NeedsApproval says so it takes a second
// person: the holder asks ([Editor.Ask]), the host keeps the value, and somebody else who may activate there approves
// ([Editor.Approve]). [Editor.BreakGlass] is an activation recorded louder.
//
// # Sessions
//
// A [Session] is a value that fits into a token: a subject, perhaps an actor, and what is taken away. It becomes a
// rolecall.View or a rolecall.Request, and never adds anything. [ForSession] makes an Editor that manages by one: what an
// edit takes and what it gives are judged by what the session leaves.
//
// # Audit
//
// [Chain] turns the history into links, each with the hash of all before it; [Verify] finds any that was edited,
// removed, added or moved, and what was cut off at the end when the head is kept elsewhere. [Changes] answers
// questions; rolecall.Trace tells which change made a statement what it is.
package admin
