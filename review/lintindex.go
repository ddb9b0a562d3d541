package review

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/internal/roles"
)

// A linter is a policy made ready to be looked through: roles, groups and what groups have. What single subjects have is
// fetched subject by subject, since that is most of a policy.
type linter struct {
	s           *rolecall.Snapshot
	o           LintOptions
	now         time.Time
	code        LintCode
	found       []Diagnostic
	failure     error // why Lint could not find out
	permissions []rolecall.Permission
	roles       map[rolecall.RoleName]*lintRole
	names       []rolecall.RoleName // of roles, sorted
	constraints []rolecall.Constraint
	privates    map[rolecall.Scope]bool
	suspended   map[rolecall.Subject]bool
	groups      map[rolecall.Subject]*lintGroup // Everyone among them
	peopled     map[rolecall.Subject]bool       // whether somebody is in a group, once asked
	users       []rolecall.Subject              // every subject but groups, in order
	overrides   permissionBits                  // what the allows of overrides cover
	strict      bool                            // something else than a plain allow is said to anybody
}

// A permissionBits is a set of permissions by their number.
type permissionBits []uint64

func (b permissionBits) has(n int) bool { return b[n/64]>>(n%64)&1 == 1 }
func (b permissionBits) set(n int)      { b[n/64] |= 1 << (n % 64) }

// A lintRole is a role with what can be said of it by itself.
type lintRole struct {
	rolecall.Role
	family      []*lintRole // the role and every one it inherits from, by name
	heirs       []*lintRole // the roles that inherit from it directly
	allows      permissionBits
	plain       bool // nothing but allows without conditions in the family
	strict      bool // something else than an allow in the family
	grants      int  // ordinary and eligible ones
	replaces    bool // some grant of it is a replace
	constrained bool // a constraint names it
	used        bool // somebody has it, or a role that inherits from it
}

// String returns the name.
func (r *lintRole) String() string { return string(r.Name) }

// A lintGroup is a group with what is said of it.
type lintGroup struct {
	members []rolecall.Membership
	person  *person
}

// A person is a subject or a group with its own statements.
type person struct {
	subject     rolecall.Subject
	memberships []rolecall.Membership
	grants      []rolecall.Grant
	overrides   []rolecall.Override

	granted map[roleAt][]rolecall.Grant            // grants, once asked for
	forbids map[rolecall.Scope][]rolecall.Override // once asked for
	held    *holding                               // once asked for
}

// A roleAt is a role at a place.
type roleAt struct {
	role  rolecall.RoleName
	scope rolecall.Scope
}

// statements returns everything that gives or takes something.
func (p *person) statements() []rolecall.Statement {
	var all []rolecall.Statement
	for _, m := range p.memberships {
		all = append(all, m)
	}
	for _, g := range p.grants {
		all = append(all, g)
	}
	for _, o := range p.overrides {
		all = append(all, o)
	}
	return all
}

func newLinter(s *rolecall.Snapshot, o *LintOptions) (*linter, error) {
	l := &linter{
		s: s, now: s.Now(), privates: map[rolecall.Scope]bool{}, suspended: map[rolecall.Subject]bool{},
		groups: map[rolecall.Subject]*lintGroup{}, peopled: map[rolecall.Subject]bool{},
	}
	if o != nil {
		l.o = *o
	}
	if err := l.settle(); err != nil {
		return nil, err
	}
	l.readRoles()
	l.overrides = l.bits()
	l.readRest()
	return l, nil
}

// settle checks the options and puts in what they leave out.
func (l *linter) settle() error {
	var faults []error
	if l.now.IsZero() {
		faults = append(faults, fmt.Errorf("the snapshot has no instant; call At first: %w", rolecall.ErrInvalid))
	}
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
		faults = append(faults, l.ofDeclaredKind("the deputy", d))
	}
	for _, kind := range l.o.External {
		faults = append(faults, l.ofDeclaredKind("external", rolecall.NewSubject(kind, "somebody")))
	}
	return errors.Join(faults...)
}

// ofDeclaredKind refuses a subject of a kind that the policy cannot have, at whatever instant.
func (l *linter) ofDeclaredKind(what string, who rolecall.Subject) error {
	_, err := l.s.At(time.Unix(0, 0)).For(who, nil)
	if problems := rolecall.ProblemsOf(err); problems != nil {
		return fmt.Errorf("%s: %s: %w", what, problems[0].Detail, problems[0].Code)
	}
	return err
}

func (l *linter) bits() permissionBits { return make(permissionBits, (len(l.permissions)+63)/64) }

// cover adds what an allow of the pattern covers.
func (l *linter) cover(b permissionBits, p rolecall.Pattern) {
	if !p.HasStar() {
		if n := l.number(rolecall.NewPermission(string(p))); n >= 0 {
			b.set(n)
		}
		return
	}
	for n, permission := range l.permissions {
		if p.AllowMatches(permission) {
			b.set(n)
		}
	}
}

// in returns the permissions of a set.
func (l *linter) in(b permissionBits) []rolecall.Permission {
	var some []rolecall.Permission
	for n, p := range l.permissions {
		if b.has(n) {
			some = append(some, p)
		}
	}
	return some
}

func (l *linter) readRoles() {
	l.permissions = slices.Collect(l.s.Catalog().Permissions())
	l.roles = map[rolecall.RoleName]*lintRole{}
	for r := range l.s.Roles() {
		l.roles[r.Name] = &lintRole{Role: r}
		l.names = append(l.names, r.Name)
	}
	for _, name := range l.names {
		r := l.roles[name]
		for _, one := range roles.Lineage(l.s, name) {
			r.family = append(r.family, l.roles[one.Name])
		}
		slices.SortFunc(r.family, func(a, b *lintRole) int { return cmp.Compare(a.Name, b.Name) })
		for _, parent := range r.Inherits {
			l.roles[parent].heirs = append(l.roles[parent].heirs, r)
		}
		r.allows, r.plain = l.bits(), true
		for p := range patternsOf(r.family...) {
			r.plain = r.plain && p.rule.Effect == rolecall.Allow && p.rule.When == ""
			if p.rule.Effect == rolecall.Allow {
				l.cover(r.allows, p.pattern)
			} else {
				r.strict = true
			}
		}
	}
}

func (l *linter) readRest() {
	for st := range l.s.Statements() {
		l.readStatement(st)
	}
	l.group(rolecall.Everyone())
	for who := range l.s.Subjects() {
		if !who.IsGroup() {
			l.users = append(l.users, who)
		}
	}
	for _, r := range l.roles {
		if r.grants > 0 {
			for _, one := range r.family {
				one.used = true
			}
		}
	}
}

func (l *linter) readStatement(st rolecall.Statement) {
	switch st := st.(type) {
	case rolecall.Membership:
		l.group(st.Group).members = append(l.group(st.Group).members, st)
		if st.Member.IsGroup() {
			above := l.group(st.Member).person
			above.memberships = append(above.memberships, st)
		}
	case rolecall.Grant:
		r := l.roles[st.Role]
		r.grants++
		r.replaces = r.replaces || st.Replace
		l.strict = l.strict || st.Replace || r.strict
		if st.Subject.IsGroup() {
			l.group(st.Subject).person.grants = append(l.group(st.Subject).person.grants, st)
		}
	case rolecall.Override:
		if st.Effect == rolecall.Allow {
			l.cover(l.overrides, st.Pattern)
		}
		l.strict = l.strict || st.Effect != rolecall.Allow
		if st.Subject.IsGroup() {
			l.group(st.Subject).person.overrides = append(l.group(st.Subject).person.overrides, st)
		}
	case rolecall.Suspension:
		l.suspended[st.Subject] = true
	case rolecall.PrivateScope:
		l.privates[st.Scope] = true
	case rolecall.Constraint:
		l.constraints = append(l.constraints, st)
		for _, name := range st.Roles {
			l.roles[name].constrained = true
		}
	}
}

func (l *linter) group(of rolecall.Subject) *lintGroup {
	g := l.groups[of]
	if g == nil {
		g = &lintGroup{person: &person{subject: of}}
		l.groups[of] = g
	}
	return g
}

func (l *linter) groupNames() []rolecall.Subject {
	return slices.SortedFunc(maps.Keys(l.groups), rolecall.Subject.Compare)
}

// everybody calls fn for every subject, then for every group, in order.
func (l *linter) everybody(fn func(*person)) {
	for _, who := range l.users {
		fn(l.read(who))
	}
	for _, who := range l.groupNames() {
		fn(l.groups[who].person)
	}
}

// read returns a subject with its own statements.
func (l *linter) read(who rolecall.Subject) *person {
	if g := l.groups[who]; g != nil {
		return g.person
	}
	p := &person{subject: who}
	for _, st := range l.s.About(who) {
		switch st := st.(type) {
		case rolecall.Membership:
			p.memberships = append(p.memberships, st)
		case rolecall.Grant:
			p.grants = append(p.grants, st)
		case rolecall.Override:
			p.overrides = append(p.overrides, st)
		}
	}
	return p
}

func (l *linter) external(who rolecall.Subject) bool {
	return slices.Contains(l.o.External, who.Kind())
}

// closed says whether a window lies in the past for good.
func (l *linter) closed(w rolecall.Window) bool {
	return !w.NotAfter.IsZero() && !l.now.Before(w.NotAfter)
}
