// Package rolecall decides who may do what, where, inside a host program.
//
//	err := resolver.Check(ctx, rolecall.User("ada"), TaskUpdate, rolecall.In("project", "alpha").In("shot", "010"))
//
// A nil error says yes. An error that is [ErrDenied] says no. Any other error says that it could not be found out, and
// is not a yes either. There is no other way on. The first example is a whole program.
//
// # Where to find what
//
//   - Declare: [NewPermission], [NewCatalog]; or all of it as text, with package policy.
//   - Open: [Open] with a store: package memstore, the module sqlstore, or package sqlsource over your own tables.
//   - Ask: [Resolver.Check], [Resolver.Decide]; for many questions [Resolver.Snapshot], then [Snapshot.For].
//   - List: [View.Scopes] (in SQL with package sqlfilter), [View.Permissions], [Snapshot.Who], [Snapshot.Reach].
//   - Change: [Resolver.Edit] with [Put] and [Remove], [Resolver.Update]; before that [Snapshot.Plan].
//   - Explain: [Decision.String], [Snapshot.Remedies], [Trace]; package draw.
//   - Guard HTTP routes: package httpauthz. Let people manage policy: package admin.
//   - Test a policy: package rolecalltest. Review and tidy it: package review.
//
// # The law
//
// The nearer statement overrides the farther one; where neither is nearer, the stricter one stands; where nothing is
// said, the answer is no.
//
// A subject is nearer than its groups, a subgroup nearer than the group above it, and [Everyone] is farthest. A scope
// is nearer than the scopes that contain it, and [Global] is farthest. A statement is nearer than another one where it
// is nearer, or equal, in both. Within a role, what it says itself is nearer than what it inherits. For example, of
//
//	member   user:ada of group:animation
//	grant    group:animation artist at /project:alpha
//	override user:ada deny task.update at /
//
// neither statement is nearer: Ada is nearer than her group, but the project is nearer than the instance. So the deny
// stands. A grant to Ada herself on the project would be nearer than the deny, and lift it there. [Forbid] stands above the
// law: nothing overrides it.
//
// # Vocabulary
//
// A [Permission] is one action on one kind of thing, a [Subject] is who acts, a [Scope] is a place in a tree. They are
// comparable values of different types, so that swapping two does not compile. A [Catalog] declares the permissions,
// the kinds of scope and subject, and the conditions that the host knows; a name outside it is [ErrUnknown], with the
// nearest declared name, at definition, at load and at check.
//
// # Statements
//
// A policy is a set of statements: a [Role] with its rules, a [Membership] in a group, a [Grant] of a role to a
// subject at a scope, an [Override] for a single exception, a [Suspension], a [PrivateScope] that allows from above do
// not open, and a [Constraint] for separation of duty. Each has a [StatementKey]; their order never matters.
//
// # Snapshots
//
// A [Snapshot] is a whole policy at one revision. It is immutable, and deciding on it is a pure function. Ask one
// snapshot where many answers must agree with each other. [Snapshot.For] binds it to one subject, which is the fastest
// way to ask much; [View.CheckAll] answers for a page of targets at once.
//
// # Decisions
//
// [Snapshot.Decide] and [Resolver.Decide] answer with reasons: which statements decided, through which groups and
// which rule, and of every other one what overrode or stopped it. [Decision.String] says so in a few lines, and
// [Decision.Explain] adds which change made each of them, who made it, when and why ([Trace]). [Decision.Notice] is what
// may be shown to whoever asked. [Snapshot.Remedies] lists the smallest changes that would turn the answer.
//
// # Conditions and time
//
// A rule, a grant or an override may depend on a [Condition], which [Facts] answer for one request. What cannot be
// said never opens a door: an allow is dropped then, and everything stricter is kept. Statements may be valid in a
// [Window] only; the present comes from a clock that is injected.
//
// # Sessions
//
// A [Narrowing] takes away: a session keeps the allows of its active roles, an API key those permissions that match
// its patterns. Nothing is ever added by one.
//
// # Changes
//
// A [Change] is a value. [Snapshot.Propose] judges it, and returns either every problem or a [Proposal], which is the
// only thing that can be committed. [Resolver.Update] does both, and asks again where somebody else committed
// meanwhile. A change is applied whole or not at all; its [Entry] in the history says who, when, why, and what each
// statement was before and is after.
//
// # Stores
//
// A [Store] keeps the policy and its history, and judges neither. A [Resolver] keeps a fresh snapshot of one, swaps it
// whole, and enforces. With Options.MaxStaleness it refuses to answer ([ErrStale]) once it can no longer confirm that
// it is fresh enough.
//
// # Errors
//
// A [Code] is a kind of refusal and an error itself: errors.Is(err, rolecall.ErrCycle). A [Problem] says what is wrong,
// where, and what would be right; [Problems] are all those of one input, and [ProblemsOf] finds them in an error.
// Nothing is ever applied or returned in part beside an error.
//
// # Choices
//
// Where the model leaves something open, Rolecall does what a careful host would expect, and refuses rather than
// guesses:
//
//   - A constructor given a bad name or id returns a value that carries the fault. Its Valid tells what is wrong, and
//     every use refuses it, so that a faulty value never acts as another one.
//   - Zero values refuse. The zero Scope is no place, and not Global; the zero Decision denies; the zero Resolver
//     answers ErrStale.
//   - A snapshot built by hand has no instant, and answers no check until [Snapshot.At] gives it one.
//   - Nil Facts say that no condition holds. A Given that names an undeclared condition is an error, since a misspelled
//     fact would otherwise deny or allow in silence. Several Facts in one check are asked in turn: a condition holds
//     where one of them says so, and cannot be said where none does and one cannot say.
//   - Only a group can be vouched for. A vouched-for group that the policy never names has nothing to say.
//   - A role or pattern in a narrowing that is not there is an error, not an empty session. ToRoles and ToPatterns
//     without arguments take everything away.
//   - A group or Everyone may be asked about like any subject.
//   - Rules of a role have no order; two that differ only in order or repetition are the same role.
//   - A group in itself, and a role that inherits from itself, are cycles like longer ones.
//   - An instant, that of a change too, lies in the years 0 to 9999, so that it can be written and read again.
//   - Removing what the policy does not have is ErrUnknown; forgetting it is nothing to do. A change that alters nothing is
//     not committed, and the revision stays as it is.
//
// # Performance
//
// A check costs finding the subject and a look at each group that it is in, however large the policy is. Decide
// allocates and tells more; use it to explain, not to enforce. Scopes and permissions are best built once and kept.
//
// # Stability
//
// Exported names and the meaning of policies are stable from v1 on. Before it, the changelog tells how to migrate.
package rolecall
