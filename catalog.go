package rolecall

import (
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/rolecall-go/rolecall/internal/suggest"
)

// A Declaration is one entry of a catalog: what the host knows in code, with the words that people see.
type (
	// PermissionDecl declares a permission. Group is a heading under which consoles list it.
	PermissionDecl struct {
		Permission Permission `json:"permission"`
		Title      string     `json:"title,omitempty"`
		Group      string     `json:"group,omitempty"`
	}
	// ConditionDecl declares a condition that rules, grants and overrides may depend on.
	ConditionDecl struct {
		Condition Condition `json:"condition"`
		Title     string    `json:"title,omitempty"`
	}
	// ScopeKindDecl declares a kind of scope.
	ScopeKindDecl struct {
		Kind  ScopeKind `json:"kind"`
		Title string    `json:"title,omitempty"`
	}
	// SubjectKindDecl declares a kind of subject beside user, service, guest and group.
	SubjectKindDecl struct {
		Kind  SubjectKind `json:"kind"`
		Title string      `json:"title,omitempty"`
	}
)

// Declarations are the material of a Catalog.
type Declarations struct {
	Permissions  []PermissionDecl  `json:"permissions,omitempty"`
	Conditions   []ConditionDecl   `json:"conditions,omitempty"`
	ScopeKinds   []ScopeKindDecl   `json:"scopeKinds,omitempty"`
	SubjectKinds []SubjectKindDecl `json:"subjectKinds,omitempty"`
}

// A Condition is the name of a fact that the host answers for a subject and a target: assigned, own, office-hours.
type Condition string

// A Catalog is the vocabulary of a host: its permissions, conditions, scope kinds and subject kinds, and the built-in
// rolecall.* permissions. A name outside it is an error at definition, at load and at check. It is immutable and safe
// for concurrent use.
type Catalog struct {
	declared     Declarations
	permissions  []Permission // by number, sorted by name, the built-in ones included
	index        nameIndex    // permission → number
	builtins     [2]int       // the numbers of the built-in ones: from, below
	conditions   map[Condition]uint16
	conditionOf  []Condition // by number; number 0 is no condition
	scopeKinds   map[ScopeKind]bool
	scopeBits    uint64
	subjectKinds map[SubjectKind]bool
	matchers     sync.Map // Pattern → weak.Pointer[matcher], filled as patterns come up
}

// NewCatalog returns the catalog of these declarations. The same declaration twice counts once. The error is a Problems
// that lists every malformed, reserved or contradictory declaration.
func NewCatalog(d Declarations) (*Catalog, error) {
	c := &Catalog{
		conditions:   map[Condition]uint16{},
		conditionOf:  []Condition{""},
		scopeKinds:   map[ScopeKind]bool{},
		subjectKinds: map[SubjectKind]bool{KindUser: true, KindService: true, KindGuest: true, KindGroup: true},
	}
	var ps Problems
	d.Permissions = distinct(d.Permissions, "permission", func(p PermissionDecl) string { return p.Permission.String() }, &ps)
	d.Conditions = distinct(d.Conditions, "condition", func(p ConditionDecl) string { return string(p.Condition) }, &ps)
	d.ScopeKinds = distinct(d.ScopeKinds, "scope kind", func(p ScopeKindDecl) string { return string(p.Kind) }, &ps)
	d.SubjectKinds = distinct(d.SubjectKinds, "subject kind", func(p SubjectKindDecl) string { return string(p.Kind) }, &ps)
	c.declared = d
	c.addPermissions(&ps)
	c.addConditions(&ps)
	c.addKinds(&ps)
	c.checkTitles(&ps)
	if err := ps.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// distinct returns the declarations sorted by name without repetitions; two different ones of one name are a problem.
func distinct[D comparable](decls []D, what string, name func(D) string, ps *Problems) []D {
	sorted := slices.Clone(decls)
	slices.SortStableFunc(sorted, func(a, b D) int { return strings.Compare(name(a), name(b)) })
	return slices.CompactFunc(sorted, func(a, b D) bool {
		if name(a) != name(b) {
			return false
		}
		if a != b {
			*ps = append(*ps, problem(ErrInvalid, what, name(a), "declared twice with different words"))
		}
		return true
	})
}

func (c *Catalog) addPermissions(ps *Problems) {
	all := builtins()
	for _, d := range c.declared.Permissions {
		switch err := d.Permission.Valid(); {
		case err != nil:
			*ps = append(*ps, placed(err, "permission"))
		case d.Permission.IsBuiltin():
			*ps = append(*ps, problem(ErrInvalid, "permission", d.Permission.name, "permissions that start with rolecall. are built in"))
		default:
			all = append(all, d.Permission)
		}
	}
	slices.SortFunc(all, Permission.Compare)
	c.permissions = all
	c.builtins[0], _ = slices.BinarySearchFunc(all, builtinPrefix, func(p Permission, name string) int { return strings.Compare(p.name, name) })
	c.builtins[1] = c.builtins[0] + len(builtins())
	c.index = newNameIndex(all)
}

func (c *Catalog) addConditions(ps *Problems) {
	for _, d := range c.declared.Conditions {
		if p := checkName("condition", string(d.Condition)); p != nil {
			*ps = append(*ps, p)
			continue
		}
		c.conditions[d.Condition] = uint16(len(c.conditionOf))
		c.conditionOf = append(c.conditionOf, d.Condition)
	}
	if len(c.conditionOf) > 1<<16 {
		*ps = append(*ps, problem(ErrLimit, "catalog", "", "a catalog has at most %d conditions", 1<<16-1))
	}
}

func (c *Catalog) addKinds(ps *Problems) {
	for _, d := range c.declared.ScopeKinds {
		if p := checkName("scope kind", string(d.Kind)); p != nil {
			*ps = append(*ps, p)
			continue
		}
		c.scopeKinds[d.Kind] = true
		if bit := kindBit(string(d.Kind)); bit != unlistedKinds {
			c.scopeBits |= 1 << bit
		}
	}
	for _, d := range c.declared.SubjectKinds {
		if p := checkName("subject kind", string(d.Kind)); p != nil {
			*ps = append(*ps, p)
			continue
		}
		c.subjectKinds[d.Kind] = true
	}
}

// checkTitles reports titles and headings that could not be written and read again.
func (c *Catalog) checkTitles(ps *Problems) {
	check := func(what, text string) {
		if !isText(text) {
			*ps = append(*ps, problem(ErrInvalid, what, text, "a title is valid UTF-8 without NUL"))
		}
	}
	for _, d := range c.declared.Permissions {
		check("permission", d.Title)
		check("permission", d.Group)
	}
	for _, d := range c.declared.Conditions {
		check("condition", d.Title)
	}
	for _, d := range c.declared.ScopeKinds {
		check("scope kind", d.Title)
	}
	for _, d := range c.declared.SubjectKinds {
		check("subject kind", d.Title)
	}
}

// Declarations returns what the catalog was made of, sorted by name and without the built-in names.
func (c *Catalog) Declarations() Declarations {
	d := c.declared
	d.Permissions = slices.Clone(d.Permissions)
	d.Conditions = slices.Clone(d.Conditions)
	d.ScopeKinds = slices.Clone(d.ScopeKinds)
	d.SubjectKinds = slices.Clone(d.SubjectKinds)
	return d
}

// Permissions yields every permission in order of its name, the built-in ones included.
func (c *Catalog) Permissions() iter.Seq[Permission] { return slices.Values(c.permissions) }

// SubjectKinds yields every kind of subject in order of its name, those that every catalog knows included.
func (c *Catalog) SubjectKinds() iter.Seq[SubjectKind] {
	return slices.Values(slices.Sorted(maps.Keys(c.subjectKinds)))
}

// Matching yields the permissions that pattern covers, in order of name, as it does everywhere but in an Allow.
func (c *Catalog) Matching(pattern Pattern) iter.Seq[Permission] {
	return func(yield func(Permission) bool) {
		for _, p := range c.permissions {
			if pattern.Matches(p) && !yield(p) {
				return
			}
		}
	}
}

// permission returns the number of the permission of a request, or an error: invalid, or unknown with the nearest declared
// name.
func (c *Catalog) permission(p Permission) (int, error) {
	if i := c.index.find(p); i >= 0 {
		return i, nil
	}
	return -1, c.unknownPermission("request", p)
}

func (c *Catalog) unknownPermission(place string, p Permission) *Problem {
	if err := p.Valid(); err != nil {
		return placed(err, place)
	}
	return problem(ErrUnknown, place, p.name, "no such permission is declared%s", didYouMean(p.name, c.permissionNames()))
}

// permissionNames returns what to look among for a permission that was meant, none where there are too many.
func (c *Catalog) permissionNames() []string {
	if len(c.permissions) > suggest.Most {
		return nil
	}
	names := make([]string, len(c.permissions))
	for i, p := range c.permissions {
		names[i] = p.name
	}
	return names
}

// checkPattern reports a malformed pattern, or one without a star that is not declared.
func (c *Catalog) checkPattern(place string, p Pattern) *Problem {
	if err := p.Valid(); err != nil {
		return placed(err, place)
	}
	if p.HasStar() || c.index.find(NewPermission(string(p))) >= 0 {
		return nil
	}
	return c.unknownPermission(place, NewPermission(string(p)))
}

// checkCondition reports an undeclared condition; the empty one is none.
func (c *Catalog) checkCondition(place string, cond Condition) *Problem {
	if _, ok := c.conditions[cond]; ok || cond == "" {
		return nil
	}
	if p := checkName("condition", string(cond)); p != nil {
		return placed(p, place)
	}
	return problem(ErrUnknown, place, string(cond), "no such condition is declared%s", didYouMean(string(cond), stringsOf(maps.Keys(c.conditions))))
}

// checkSubject reports a malformed subject or one of an undeclared kind.
func (c *Catalog) checkSubject(place string, s Subject) *Problem {
	if err := s.Valid(); err != nil {
		return placed(err, place)
	}
	if s.isEveryone() || c.subjectKinds[s.kind] {
		return nil
	}
	return problem(ErrUnknown, place, s.String(), "no subject kind %q is declared%s", s.kind, didYouMean(string(s.kind), stringsOf(maps.Keys(c.subjectKinds))))
}

// checkScope reports a malformed scope or one with an undeclared kind on its path.
func (c *Catalog) checkScope(place string, t Scope) *Problem {
	if err := t.Valid(); err != nil {
		return placed(err, place)
	}
	if t.kinds&^c.scopeBits == 0 {
		return nil
	}
	for kind := range t.Segments() {
		if !c.scopeKinds[kind] {
			return problem(ErrUnknown, place, t.path, "no scope kind %q is declared%s", kind, didYouMean(string(kind), stringsOf(maps.Keys(c.scopeKinds))))
		}
	}
	return nil
}

// stringsOf returns names to look among for one that was meant, sorted, none where there are too many.
func stringsOf[S ~string](names iter.Seq[S]) []string {
	var out []string
	for n := range names {
		if len(out) == suggest.Most {
			return nil
		}
		out = append(out, string(n))
	}
	slices.Sort(out)
	return out
}
