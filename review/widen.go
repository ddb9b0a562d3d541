package review

import (
	"strings"

	"github.com/rolecall-go/rolecall"
)

// The vocabulary of a host changes, its past does not: a catalog is widened to what a policy of then names, so that it can
// still be asked.

// widened returns the catalog with what some statements name declared too.
func widened(c *rolecall.Catalog, statements []rolecall.Statement) (*rolecall.Catalog, error) {
	v := vocabularyOf(c)
	for _, one := range statements {
		v.hear(one)
	}
	if !v.news {
		return c, nil
	}
	return rolecall.NewCatalog(v.Declarations)
}

// Words are declarations to which more are added.
type words struct {
	rolecall.Declarations
	known map[string]bool // by kind of name and name
	news  bool
}

func vocabularyOf(c *rolecall.Catalog) *words {
	w := &words{Declarations: c.Declarations(), known: map[string]bool{
		"condition ": true, "scope " + string(rolecall.GlobalKind): true, "subject ": true, // none, Global and Everyone
	}}
	for p := range c.Permissions() {
		w.known["permission "+p.String()] = true
	}
	for _, d := range w.Conditions {
		w.known["condition "+string(d.Condition)] = true
	}
	for _, d := range w.ScopeKinds {
		w.known["scope "+string(d.Kind)] = true
	}
	for kind := range c.SubjectKinds() {
		w.known["subject "+string(kind)] = true
	}
	return w
}

// new says whether a name is heard for the first time.
func (w *words) new(kind, name string) bool {
	if w.known[kind+" "+name] {
		return false
	}
	w.known[kind+" "+name], w.news = true, true
	return true
}

// hear declares what a statement names.
func (w *words) hear(one rolecall.Statement) {
	switch one := one.(type) {
	case rolecall.Role:
		for _, rule := range one.Rules {
			w.condition(rule.When)
			for _, p := range rule.Patterns {
				w.pattern(p)
			}
		}
		for _, kind := range one.Holders {
			w.subjectKind(kind)
		}
		for _, kind := range one.Scopes {
			w.scopeKind(kind)
		}
	case rolecall.Membership:
		w.subjectKind(one.Member.Kind())
		w.subjectKind(one.Group.Kind())
	case rolecall.Grant:
		w.subjectKind(one.Subject.Kind())
		w.scope(one.Scope)
		w.condition(one.When)
	case rolecall.Override:
		w.subjectKind(one.Subject.Kind())
		w.scope(one.Scope)
		w.condition(one.When)
		w.pattern(one.Pattern)
	case rolecall.Suspension:
		w.subjectKind(one.Subject.Kind())
	case rolecall.PrivateScope:
		w.scope(one.Scope)
	}
}

func (w *words) pattern(p rolecall.Pattern) {
	if p.HasStar() || strings.HasPrefix(string(p), "rolecall.") || !w.new("permission", string(p)) {
		return
	}
	w.Permissions = append(w.Permissions, rolecall.PermissionDecl{Permission: rolecall.NewPermission(string(p))})
}

func (w *words) condition(c rolecall.Condition) {
	if w.new("condition", string(c)) {
		w.Conditions = append(w.Conditions, rolecall.ConditionDecl{Condition: c})
	}
}

func (w *words) scope(t rolecall.Scope) {
	for kind := range t.Segments() {
		w.scopeKind(kind)
	}
}

func (w *words) scopeKind(kind rolecall.ScopeKind) {
	if w.new("scope", string(kind)) {
		w.ScopeKinds = append(w.ScopeKinds, rolecall.ScopeKindDecl{Kind: kind})
	}
}

func (w *words) subjectKind(kind rolecall.SubjectKind) {
	if w.new("subject", string(kind)) {
		w.SubjectKinds = append(w.SubjectKinds, rolecall.SubjectKindDecl{Kind: kind})
	}
}

// add declares what another catalog does.
func (w *words) add(c *rolecall.Catalog) {
	d := c.Declarations()
	for _, one := range d.Permissions {
		if w.new("permission", one.Permission.String()) {
			w.Permissions = append(w.Permissions, one)
		}
	}
	for _, one := range d.Conditions {
		w.condition(one.Condition)
	}
	for _, one := range d.ScopeKinds {
		w.scopeKind(one.Kind)
	}
	for _, one := range d.SubjectKinds {
		w.subjectKind(one.Kind)
	}
}
