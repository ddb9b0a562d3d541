package bench

import (
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/rolecall-go/rolecall"
)

// A Size is how large a studio is.
type Size struct {
	Name                            string
	Users, Groups, Projects, Grants int
}

// The sizes.
func Small() Size  { return Size{"S", 100, 10, 20, 300} }
func Medium() Size { return Size{"M", 10_000, 500, 1_000, 50_000} }
func Large() Size  { return Size{"L", 1_000_000, 20_000, 50_000, 5_000_000} }

// Sizes returns the sizes whose names are in a text such as "SML".
func Sizes(names string) []Size {
	var sizes []Size
	for _, s := range []Size{Small(), Medium(), Large()} {
		if strings.Contains(names, s.Name) {
			sizes = append(sizes, s)
		}
	}
	return sizes
}

// A Variant says what is in play beside plain grants: bits.
type Variant uint8

// What may be in play.
const (
	Denies     = Variant(1 << iota) // deny and forbid overrides, a role that denies
	Replaces                        // replace grants
	Privates                        // private projects, with grants that pierce
	Windows                         // windows on grants and memberships
	Conditions                      // conditions on grants and in roles

	Plain = Variant(0)
	Mixed = Denies | Replaces | Privates | Windows
)

// String names the variant.
func (v Variant) String() string {
	if v == Plain {
		return "plain"
	}
	var names []string
	for i, name := range []string{"denies", "replaces", "privates", "windows", "conditions"} {
		if v>>i&1 == 1 {
			names = append(names, name)
		}
	}
	return strings.Join(names, "+")
}

// A Studio is a made-up policy: a pure function of its size, variant and seed. It holds no statements; each is made when
// it is asked for, so that millions of them take no memory.
type Studio struct {
	Size
	Variant
	Seed    uint64
	Now     time.Time
	Catalog *rolecall.Catalog

	Permissions []rolecall.Permission
	roles       []rolecall.Role
	granted     []rolecall.RoleName // the roles that random grants give
}

const assigned = rolecall.Condition("assigned")

// NewStudio makes a studio.
func NewStudio(size Size, variant Variant, seed uint64) *Studio {
	s := &Studio{Size: size, Variant: variant, Seed: seed, Now: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)}
	d := rolecall.Declarations{
		Conditions: []rolecall.ConditionDecl{{Condition: assigned}},
		ScopeKinds: []rolecall.ScopeKindDecl{{Kind: "project"}, {Kind: "shot"}, {Kind: "task"}, {Kind: "version"}},
	}
	for _, kind := range kinds() {
		for _, action := range actions() {
			p := rolecall.NewPermission(kind + "." + action)
			s.Permissions = append(s.Permissions, p)
			d.Permissions = append(d.Permissions, rolecall.PermissionDecl{Permission: p})
		}
	}
	for _, p := range []rolecall.Permission{probeGrant(), probeEdit()} {
		d.Permissions = append(d.Permissions, rolecall.PermissionDecl{Permission: p})
	}
	var err error
	if s.Catalog, err = rolecall.NewCatalog(d); err != nil {
		panic(err)
	}
	s.makeRoles()
	return s
}

func kinds() []string {
	return strings.Fields("project shot asset task version note playlist schedule budget timelog media delivery vendor contract render cache review library scene tool")
}

func actions() []string {
	return strings.Fields("view create update delete publish approve comment export archive assign")
}

func (s *Studio) role(name, inherits string, rules ...rolecall.Rule) {
	r := rolecall.Role{Name: rolecall.RoleName(name), Rules: rules}
	for _, above := range strings.Fields(inherits) {
		r.Inherits = append(r.Inherits, rolecall.RoleName(above))
	}
	s.roles = append(s.roles, r)
}

func rule(e rolecall.Effect, when rolecall.Condition, patterns string) rolecall.Rule {
	r := rolecall.Rule{Effect: e, When: when}
	for _, p := range strings.Fields(patterns) {
		r.Patterns = append(r.Patterns, rolecall.Pattern(p))
	}
	return r
}

func allow(patterns string) rolecall.Rule { return rule(rolecall.Allow, "", patterns) }

// Names of roles with a part of their own.
const (
	Visitor = "visitor"  // held by Everyone
	Edited  = "dailies"  // held by EditedBy subjects, to be edited
	Listed  = "listable" // held by the lister
	Fresh   = "fresh"    // held by nobody, to be granted
)

// Two permissions beside the 200 that no pattern of the other roles covers: they show that a change is there.
func probeGrant() rolecall.Permission { return rolecall.NewPermission("probe-grant.use") }
func probeEdit() rolecall.Permission  { return rolecall.NewPermission("probe-edit.use") }

// EditedBy is the number of subjects that hold the role Edited, where there are as many.
const EditedBy = 2_000

func (s *Studio) makeRoles() {
	s.role("viewer", "", allow("*.view"))
	s.role("reviewer", "viewer", allow("*.comment note.*"))
	s.role("artist", "reviewer", allow("version.* media.create render.*"))
	if s.Variant&Conditions != 0 {
		s.roles[len(s.roles)-1].Rules = append(s.roles[len(s.roles)-1].Rules, rule(rolecall.Allow, assigned, "task.* scene.*"))
	}
	s.role("lead", "artist", allow("task.* shot.update *.publish"))
	s.role("supervisor", "lead", allow("*.approve *.update"))
	s.role("coordinator", "viewer", allow("*.assign *.create schedule.*"))
	s.role("producer", "coordinator lead", allow("*.archive budget.* contract.*"))
	s.role("manager", "producer supervisor", allow("*.delete *.export"))
	s.role("client", "", allow("version.view playlist.view note.create"))
	s.role("vendor", "client", allow("asset.view shot.view version.create delivery.*"))
	for i, kind := range kinds() {
		s.role("department-"+kind, "viewer", allow(kind+".* "+kinds()[(i+7)%len(kinds())]+".update"))
	}
	if s.Variant&Denies != 0 {
		s.role("contractor", "artist", rule(rolecall.Except, "", "budget.* contract.*"), rule(rolecall.Deny, "", "*.delete *.export"))
	}
	for _, r := range s.roles {
		s.granted = append(s.granted, r.Name)
	}
	s.role(Visitor, "", allow("tool.view"))
	s.role(Edited, "", allow("playlist.publish"))
	s.role(Listed, "", allow("project.view"))
	s.role(Fresh, "", allow(probeGrant().String()))
}

// User returns the user of that number. Each call makes a string of its own.
func (s *Studio) User(n int) rolecall.Subject { return rolecall.User(fmt.Sprintf("user-%07d", n)) }

// Group returns the group of that number.
func (s *Studio) Group(n int) rolecall.Subject { return rolecall.Group(fmt.Sprintf("group-%05d", n)) }

// Project returns the project of that number.
func (s *Studio) Project(n int) rolecall.Scope {
	return rolecall.In("project", fmt.Sprintf("project-%05d", n))
}

// Lister is a user who sees exactly 60 projects: 45 of its own and 15 through a group.
func (s *Studio) Lister() rolecall.Subject { return rolecall.User("lister") }

func listers() rolecall.Subject { return rolecall.Group("listers") }

// ListedPermission is what the lister has on its 60 projects, and nobody is denied.
func ListedPermission() rolecall.Permission { return rolecall.NewPermission("project.view") }

// zipf returns a number below n; number i comes up about as often as 1/(i+1) says.
func zipf(r *rand.Rand, n int) int {
	return min(int(math.Pow(float64(n+1), r.Float64()))-1, n-1)
}

// Streams of random numbers: one for each thing of the studio.
const (
	streamUser = uint64(iota+1) << 32
	streamGroup
	streamQuestions
)

func (s *Studio) rand(stream uint64, n int) *rand.Rand {
	return rand.New(rand.NewPCG(s.Seed, stream|uint64(n)))
}

// level returns how deep a group lies: 0 is the top of four.
func (s *Studio) level(group int) int {
	for level, end := range []int{s.Groups / 20, s.Groups / 5, s.Groups / 2} {
		if group < max(end, level+1) {
			return level
		}
	}
	return 3
}

// above returns a random group one level up.
func (s *Studio) above(r *rand.Rand, level int) int {
	from := []int{0, max(s.Groups/20, 1), max(s.Groups/5, 2), max(s.Groups/2, 3)}
	return from[level-1] + r.IntN(from[level]-from[level-1])
}

// OfGroup returns what is said of a group: its memberships, then its grants, then its overrides.
func (s *Studio) OfGroup(n int) []rolecall.Statement {
	r, g := s.rand(streamGroup, n), s.Group(n)
	var out []rolecall.Statement
	if level := s.level(n); level > 0 {
		out = s.join(r, out, g, s.Group(s.above(r, level)))
		if r.IntN(10) == 0 {
			out = s.join(r, out, g, s.Group(s.above(r, level)))
		}
	}
	for range s.Grants / 10 / s.Groups {
		at := s.Project(r.IntN(s.Projects))
		switch r.IntN(20) {
		case 0:
			if s.level(n) == 0 {
				at = rolecall.Global()
			}
		case 1, 2:
			at = shot(r, at)
		}
		out = s.grant(r, out, g, at)
	}
	if s.Variant&Denies != 0 && r.IntN(20) == 0 {
		out = append(out, s.deny(r, g, s.Project(r.IntN(s.Projects))))
	}
	return out
}

// OfUser returns what is said of a user: its memberships, then its grants, then its overrides.
func (s *Studio) OfUser(n int) []rolecall.Statement {
	r, u := s.rand(streamUser, n), s.User(n)
	out := make([]rolecall.Statement, 0, 12)
	for range 1 + r.IntN(3) {
		g := r.IntN(s.Groups)
		if r.IntN(5) > 0 {
			g = s.Groups/2 + r.IntN(s.Groups-s.Groups/2)
		}
		out = s.join(r, out, u, s.Group(g))
	}
	twice := 2 * (s.Grants - s.Grants/10) / s.Users
	for range r.IntN(twice + 1) {
		at := s.Project(zipf(r, s.Projects))
		switch r.IntN(50) {
		case 0, 1, 2:
			at = shot(r, at)
		case 3:
			at = task(r, shot(r, at))
		}
		out = s.grant(r, out, u, at)
	}
	if n < EditedBy {
		out = append(out, rolecall.Grant{Subject: u, Role: Edited, Scope: s.Project(n % s.Projects)})
	}
	if s.Variant&Denies != 0 && r.IntN(20) == 0 {
		out = append(out, s.deny(r, u, s.Project(zipf(r, s.Projects))))
	}
	return out
}

func shot(r *rand.Rand, in rolecall.Scope) rolecall.Scope {
	return in.In("shot", fmt.Sprintf("sh%04d", 10*r.IntN(200)))
}

func task(r *rand.Rand, in rolecall.Scope) rolecall.Scope {
	return in.In("task", [...]string{"layout", "animation", "effects", "lighting", "comp", "matchmove", "paint", "edit"}[r.IntN(8)])
}

func version(r *rand.Rand, in rolecall.Scope) rolecall.Scope {
	return in.In("version", fmt.Sprintf("v%03d", 1+r.IntN(60)))
}

func (s *Studio) join(r *rand.Rand, out []rolecall.Statement, member, group rolecall.Subject) []rolecall.Statement {
	return appendNew(out, rolecall.Membership{Member: member, Group: group, Window: s.window(r)})
}

func (s *Studio) grant(r *rand.Rand, out []rolecall.Statement, to rolecall.Subject, at rolecall.Scope) []rolecall.Statement {
	g := rolecall.Grant{Subject: to, Scope: at, Role: s.granted[r.IntN(len(s.granted))], Window: s.window(r)}
	if s.Variant&Replaces != 0 {
		g.Replace = r.IntN(50) == 0
	}
	if s.Variant&Privates != 0 {
		g.Pierce = r.IntN(30) == 0
	}
	if s.Variant&Conditions != 0 && r.IntN(10) == 0 {
		g.When = assigned
	}
	return appendNew(out, g)
}

func (s *Studio) window(r *rand.Rand) rolecall.Window {
	if s.Variant&Windows == 0 || r.IntN(10) > 0 {
		return rolecall.Window{}
	}
	w := rolecall.Window{NotBefore: s.Now.AddDate(-1, 0, -r.IntN(100))}
	w.NotAfter = w.NotBefore.AddDate(2, 0, 0)
	if r.IntN(10) == 0 {
		w.NotAfter = s.Now.AddDate(0, 0, -1)
	}
	return w
}

func (s *Studio) deny(r *rand.Rand, of rolecall.Subject, at rolecall.Scope) rolecall.Override {
	o := rolecall.Override{Subject: of, Scope: at, Effect: rolecall.Deny, Pattern: rolecall.Pattern(kinds()[r.IntN(20)] + ".*")}
	if r.IntN(5) == 0 {
		o.Effect = rolecall.Forbid
	}
	return o
}

// appendNew appends a statement unless one with its key is there.
func appendNew(out []rolecall.Statement, s rolecall.Statement) []rolecall.Statement {
	key := rolecall.KeyOf(s)
	for _, o := range out {
		if rolecall.KeyOf(o) == key {
			return out
		}
	}
	return append(out, s)
}

// private says whether a project is private, where projects may be.
func (s *Studio) private(project int) bool {
	return s.Variant&Privates != 0 && project%20 == 7
}

// Common returns the statements that are about nobody or about everyone.
func (s *Studio) Common() []rolecall.Statement {
	var out []rolecall.Statement
	for _, r := range s.roles {
		out = append(out, r)
	}
	out = append(out, rolecall.Grant{Subject: rolecall.Everyone(), Role: Visitor, Scope: rolecall.Global()})
	for n := range s.Projects {
		if s.private(n) {
			out = append(out, rolecall.PrivateScope{Scope: s.Project(n)})
		}
	}
	return out
}

// ofLister returns what is said of the lister and its group.
func (s *Studio) ofLister() []rolecall.Statement {
	out := []rolecall.Statement{rolecall.Membership{Member: s.Lister(), Group: listers()}}
	for n := range min(60, s.Projects) {
		who := s.Lister()
		if n >= 45 {
			who = listers()
		}
		out = append(out, rolecall.Grant{Subject: who, Role: Listed, Scope: s.Project(n * (s.Projects / min(60, s.Projects)))})
	}
	return out
}

// Statements yields the whole policy, one statement at a time.
func (s *Studio) Statements() iter.Seq[rolecall.Statement] {
	return func(yield func(rolecall.Statement) bool) {
		each := func(list []rolecall.Statement) bool {
			for _, st := range list {
				if !yield(st) {
					return false
				}
			}
			return true
		}
		if !each(s.Common()) || !each(s.ofLister()) {
			return
		}
		for n := range s.Groups {
			if !each(s.OfGroup(n)) {
				return
			}
		}
		for n := range s.Users {
			if !each(s.OfUser(n)) {
				return
			}
		}
	}
}

// Snapshot loads the studio.
func (s *Studio) Snapshot() (*rolecall.Snapshot, error) {
	snapshot, err := rolecall.LoadSnapshot(s.Catalog, rolecall.State{Revision: 1, Statements: func(yield func(rolecall.Statement, error) bool) {
		for st := range s.Statements() {
			if !yield(st, nil) {
				return
			}
		}
	}})
	if err != nil {
		return nil, err
	}
	return snapshot.At(s.Now), nil
}
