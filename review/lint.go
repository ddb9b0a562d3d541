package review

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rolecall-go/rolecall"
)

// A LintCode names one kind of diagnostic. Codes never change their meaning. docs/lint.md tells of each.
type LintCode string

// The codes of Lint.
const (
	LintUnusedPermission LintCode = "unused-permission" // nobody can be allowed it
	LintUnusedRole       LintCode = "unused-role"       // nobody has it, and no role that somebody has inherits it
	LintEmptyRole        LintCode = "empty-role"        // it says nothing of any permission
	LintIdlePattern      LintCode = "idle-pattern"      // it covers no declared permission
	LintShadowedPattern  LintCode = "shadowed-pattern"  // another rule of the role covers it, as strictly or more so
	LintInheritedPattern LintCode = "inherited-pattern" // an allow that the role inherits anyway
	LintOverriddenRule   LintCode = "overridden-rule"   // the roles through which everybody has it say otherwise
	LintIdleExcept       LintCode = "idle-except"       // an except of what nothing allows
	LintWidePattern      LintCode = "wide-pattern"      // an allow of everything, or of all administration
	LintSimilarRoles     LintCode = "similar-roles"     // two roles allow nearly the same, and share nothing
	LintSeparationRole   LintCode = "separation-role"   // a role that by itself breaks a constraint
	LintSeparationGrant  LintCode = "separation-grant"  // an eligible grant that a constraint never lets be activated
	LintExpired          LintCode = "expired"           // its window has closed
	LintCoveredGrant     LintCode = "covered-grant"     // a wider grant, or a group's, gives the same
	LintSharedGrant      LintCode = "shared-grant"      // all members of a group have it one by one
	LintNeedlessOverride LintCode = "needless-override" // it decides nothing
	LintEmptyGroup       LintCode = "empty-group"       // it is given something, and nobody is in it
	LintUnusedGroup      LintCode = "unused-group"      // it has members, and nothing is said to it or to a group that it is in
	LintGlobalGrant      LintCode = "global-grant"      // one subject has a role everywhere and for ever
	LintEndlessGuest     LintCode = "endless-guest"     // an outsider has something without an end
	LintWideDefault      LintCode = "wide-default"      // everyone has much, or some administration, or may activate it
	LintSuspendedHolder  LintCode = "suspended-holder"  // somebody switched off still has something
	LintDormantSubject   LintCode = "dormant-subject"   // somebody has something and uses none of it
	LintSingleAdmin      LintCode = "single-admin"      // one subject alone may give roles everywhere
	LintSoleHolder       LintCode = "sole-holder"       // one subject alone is given a permission
)

// A Severity says how much a diagnostic matters.
type Severity uint8

// The severities.
const (
	Note    Severity = iota + 1 // tidier without
	Warning                     // probably not what was meant, or more than is needed
	Serious                     // a risk
)

var severityNames = [...]string{"", "note", "warning", "serious"}

// String returns the severity's word.
func (s Severity) String() string {
	if int(s) >= len(severityNames) {
		return "unknown"
	}
	return severityNames[s]
}

// MarshalText writes the severity's word.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// A Diagnostic is one thing that Lint found.
type Diagnostic struct {
	Code     LintCode
	Severity Severity
	// Statements are those concerned, the one to look at first. None where it is about what the catalog declares.
	Statements []rolecall.Statement
	// Subjects and Permissions are those concerned, where the diagnostic is about them.
	Subjects    []rolecall.Subject
	Permissions []rolecall.Permission
	Message     string // a plain sentence
	Fix         Fix
}

// A Fix is a proposed change. It is a proposal: a person decides.
type Fix struct {
	Message string // what to do, in a plain sentence
	// Edits do it, and the diagnostic is gone then. None where the policy cannot be changed so, or where Lint found nobody
	// to propose.
	Edits []rolecall.Edit
	// Neutral says that nobody gains or loses anything by Edits, at the instant of the snapshot and later: the plan is
	// empty. As in a plan, groups that a token vouches for and sessions narrowed to a role are not considered.
	Neutral bool
}

// String returns code, severity and message on one line.
func (d Diagnostic) String() string {
	return fmt.Sprintf("%s: %s (%s)", d.Severity, d.Message, d.Code)
}

// MarshalJSON writes a diagnostic: {"code", "severity", "message", "statements", "subjects", "permissions", "fix"} with
// fix {"message", "edits", "neutral"}.
func (d Diagnostic) MarshalJSON() ([]byte, error) {
	type fix struct {
		Message string          `json:"message"`
		Edits   []rolecall.Edit `json:"edits,omitempty"`
		Neutral bool            `json:"neutral"`
	}
	var statements []rolecall.StatementJSON
	for _, s := range d.Statements {
		statements = append(statements, rolecall.StatementJSON{Statement: s})
	}
	return json.Marshal(struct {
		Code        LintCode                 `json:"code"`
		Severity    Severity                 `json:"severity"`
		Message     string                   `json:"message"`
		Statements  []rolecall.StatementJSON `json:"statements,omitempty"`
		Subjects    []rolecall.Subject       `json:"subjects,omitempty"`
		Permissions []rolecall.Permission    `json:"permissions,omitempty"`
		Fix         fix                      `json:"fix"`
	}{d.Code, d.Severity, d.Message, statements, d.Subjects, d.Permissions, fix(d.Fix)})
}

// How Lint judges where its options say nothing.
const (
	defaultDormant = 90 * 24 * time.Hour
	defaultTerm    = 90 * 24 * time.Hour
)

// LintOptions configure Lint. A nil *LintOptions is the zero LintOptions.
type LintOptions struct {
	// Off are the codes that are not looked for.
	Off []LintCode
	// External are the kinds of subject that are outsiders, declared ones or those that every catalog knows. Nil is guest
	// alone.
	External []rolecall.SubjectKind
	// Term is after how long what an outsider has without an end is proposed to end. Zero is 90 days.
	Term time.Duration
	// Deputy is proposed as the second holder of what one alone has. Zero: a colleague, somebody of the same kind who is
	// in one of the same groups, otherwise anybody of that kind.
	Deputy rolecall.Subject
	// Usage tells who is dormant. Without it, or where it does not cover all of Dormant but for the last day, nobody is.
	Usage *Usage
	// Dormant is for how long somebody dormant has used nothing. Zero is 90 days.
	Dormant time.Duration
	// Provenance tells who is new and therefore not dormant. Without it nobody is new. It is of the history of the policy,
	// all of it, up to the revision of the snapshot: see rolecall.Trace.
	Provenance *rolecall.Provenance
}

// LintCodes returns every code, in the order in which diagnostics of one severity come.
func LintCodes() []LintCode {
	codes := make([]LintCode, len(lintChecks))
	for i, c := range lintChecks {
		codes[i] = c.code
	}
	return codes
}

// A lintCheck looks for one code: through the whole policy, through each subject in turn, or both.
type lintCheck struct {
	code  LintCode
	whole func(*linter)
	each  func(*linter, *person)
}

var lintChecks = []lintCheck{
	{LintUnusedPermission, (*linter).unusedPermissions, nil},
	{LintUnusedRole, (*linter).unusedRoles, nil},
	{LintEmptyRole, (*linter).emptyRoles, nil},
	{LintIdlePattern, (*linter).idlePatterns, (*linter).idleOverrides},
	{LintShadowedPattern, (*linter).shadowedPatterns, nil},
	{LintInheritedPattern, (*linter).inheritedPatterns, nil},
	{LintOverriddenRule, (*linter).overriddenRules, nil},
	{LintIdleExcept, (*linter).idleExcepts, nil},
	{LintWidePattern, (*linter).widePatterns, nil},
	{LintSimilarRoles, (*linter).similarRoles, nil},
	{LintSeparationRole, (*linter).separationRoles, nil},
	{LintSeparationGrant, nil, (*linter).separationGrants},
	{LintExpired, nil, (*linter).expired},
	{LintCoveredGrant, nil, (*linter).coveredGrants},
	{LintSharedGrant, (*linter).sharedGrants, nil},
	{LintNeedlessOverride, nil, (*linter).needlessOverrides},
	{LintEmptyGroup, nil, (*linter).emptyGroups},
	{LintUnusedGroup, nil, (*linter).unusedGroups},
	{LintGlobalGrant, nil, (*linter).globalGrants},
	{LintEndlessGuest, nil, (*linter).endlessGuests},
	{LintWideDefault, nil, (*linter).wideDefaults},
	{LintSuspendedHolder, nil, (*linter).suspendedHolders},
	{LintDormantSubject, nil, (*linter).dormantSubjects},
	{LintSingleAdmin, (*linter).singleAdmin, nil},
	{LintSoleHolder, (*linter).soleHolders, nil},
}

// Lint looks for what is unused, needless, too wide or fragile in a policy, at the instant of its snapshot. The
// diagnostics come in a fixed order: the most severe first, then by code, statement and subject. An error says that the
// snapshot has no instant, that a code is unknown, that a kind of outsiders or of the deputy is not declared, that the
// deputy is a group, or that the provenance is not that of the policy, for example rolecall.ErrStale where it does not
// reach the snapshot.
//
// Its cost follows the number of statements and of diagnostics, but for what is compared with its like: roles, the
// patterns of a role with those that it inherits, and, by plans, the overrides of one subject. What conditions may allow
// counts as allowed.
func Lint(s *rolecall.Snapshot, o *LintOptions) ([]Diagnostic, error) {
	l, err := newLinter(s, o)
	if err != nil {
		return nil, fmt.Errorf("lint: %w", err)
	}
	for _, c := range lintChecks {
		if c.whole != nil && !l.off(c.code) {
			l.code = c.code
			c.whole(l)
		}
	}
	l.everybody(func(p *person) {
		for _, c := range lintChecks {
			if c.each != nil && !l.off(c.code) {
				l.code = c.code
				c.each(l, p)
			}
		}
	})
	if l.failure != nil {
		return nil, fmt.Errorf("lint: %w", l.failure)
	}
	l.sort()
	return l.found, nil
}

// A linter looks through a policy.
type linter struct {
	*index
	o       LintOptions
	code    LintCode // that is being looked for
	found   []Diagnostic
	failure error                     // why Lint could not find out
	peopled map[rolecall.Subject]bool // whether somebody is in a group, once asked
}

func newLinter(s *rolecall.Snapshot, o *LintOptions) (*linter, error) {
	l := &linter{peopled: map[rolecall.Subject]bool{}}
	if o != nil {
		l.o = *o
	}
	if err := l.settle(s); err != nil {
		return nil, err
	}
	l.index = newIndex(s)
	return l, nil
}

// settle checks the options and puts in what they leave out.
func (l *linter) settle(s *rolecall.Snapshot) error {
	faults := []error{hasInstant(s)}
	for _, code := range l.o.Off {
		if !slices.Contains(LintCodes(), code) {
			faults = append(faults, fmt.Errorf("there is no code %q: %w", code, rolecall.ErrUnknown))
		}
	}
	if l.o.Term <= 0 {
		l.o.Term = defaultTerm
	}
	if l.o.Dormant <= 0 {
		l.o.Dormant = defaultDormant
	}
	if l.o.External == nil {
		l.o.External = []rolecall.SubjectKind{rolecall.KindGuest}
	}
	if d := l.o.Deputy; !d.IsZero() && (d.Valid() != nil || d.IsGroup()) {
		faults = append(faults, fmt.Errorf("the deputy %s is no subject that may hold a role by itself: %w", d, rolecall.ErrInvalid))
	} else if !d.IsZero() {
		faults = append(faults, ofDeclaredKind(s, "the deputy", d))
	}
	for _, kind := range l.o.External {
		faults = append(faults, ofDeclaredKind(s, "external", rolecall.NewSubject(kind, "somebody")))
	}
	return errors.Join(faults...)
}

func hasInstant(s *rolecall.Snapshot) error {
	if s.Now().IsZero() {
		return fmt.Errorf("the snapshot has no instant; call At first: %w", rolecall.ErrInvalid)
	}
	return nil
}

// ofDeclaredKind refuses a subject of a kind that the policy cannot have, at whatever instant.
func ofDeclaredKind(s *rolecall.Snapshot, what string, who rolecall.Subject) error {
	_, err := s.At(time.Unix(0, 0)).For(who, nil)
	if problems := rolecall.ProblemsOf(err); problems != nil {
		return fmt.Errorf("%s: %s: %w", what, problems[0].Detail, problems[0].Code)
	}
	return err
}

func (l *linter) off(code LintCode) bool { return slices.Contains(l.o.Off, code) }

func (l *linter) external(who rolecall.Subject) bool {
	return slices.Contains(l.o.External, who.Kind())
}

// report adds a diagnostic of the code that is being looked for. Edits that would be refused are not proposed.
func (l *linter) report(d Diagnostic) {
	d.Code = l.code
	if len(d.Fix.Edits) > 0 && !l.proposable(d.Fix.Edits) {
		d.Fix.Edits, d.Fix.Neutral = nil, false
	}
	l.found = append(l.found, d)
}

func (l *linter) sort() {
	order := map[LintCode]int{}
	for i, c := range lintChecks {
		order[c.code] = i
	}
	slices.SortStableFunc(l.found, func(a, b Diagnostic) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(order[a.Code], order[b.Code]),
			slices.CompareFunc(a.Statements, b.Statements, compareStatements),
			slices.CompareFunc(a.Subjects, b.Subjects, rolecall.Subject.Compare),
			cmp.Compare(a.Message, b.Message))
	})
}

func compareStatements(a, b rolecall.Statement) int {
	return rolecall.KeyOf(a).Compare(rolecall.KeyOf(b))
}

func sameKey(a, b rolecall.Statement) bool { return rolecall.KeyOf(a) == rolecall.KeyOf(b) }

// several writes a number of things.
func several(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// listed writes up to a few words as people list them: a, b and 3 more.
func listed[T fmt.Stringer](words []T) string {
	const most = 3
	text := ""
	for i, w := range words {
		switch {
		case i == most && len(words) > most+1:
			return fmt.Sprintf("%s and %d more", text, len(words)-most)
		case i > 0 && i == len(words)-1:
			text += " and "
		case i > 0:
			text += ", "
		}
		text += w.String()
	}
	return text
}
