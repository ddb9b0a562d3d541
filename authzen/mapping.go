package authzen

import (
	"strings"

	"github.com/rolecall-go/rolecall"
)

// A Mapping turns entities into Rolecall's names and back. A nil function is the default that the package comment
// describes. Whoever replaces one replaces its way back, too: what a search returns must evaluate to what it said. An
// error says that there is nothing of that name, which is a denial.
type Mapping struct {
	Subject  func(Entity) (rolecall.Subject, error)
	Resource func(Entity) (rolecall.Scope, error)
	// Action returns the permission for an action on a resource of a type.
	Action func(c *rolecall.Catalog, a Action, resourceType string) (rolecall.Permission, error)

	NameSubject  func(rolecall.Subject) (Entity, bool)
	NameResource func(rolecall.Scope) (Entity, bool)
	NameAction   func(c *rolecall.Catalog, p rolecall.Permission, resourceType string) (string, bool)
}

// withDefaults returns the mapping without nil functions.
func (m Mapping) withDefaults() Mapping {
	if m.Subject == nil {
		m.Subject = subjectOf
	}
	if m.Resource == nil {
		m.Resource = scopeOf
	}
	if m.Action == nil {
		m.Action = permissionOf
	}
	if m.NameSubject == nil {
		m.NameSubject = nameSubject
	}
	if m.NameResource == nil {
		m.NameResource = nameResource
	}
	if m.NameAction == nil {
		m.NameAction = nameAction
	}
	return m
}

func subjectOf(e Entity) (rolecall.Subject, error) {
	s := rolecall.NewSubject(rolecall.SubjectKind(e.Type), e.ID)
	return s, s.Valid()
}

func nameSubject(s rolecall.Subject) (Entity, bool) {
	if s == rolecall.Everyone() {
		return Entity{}, false
	}
	return Entity{Type: string(s.Kind()), ID: s.ID()}, true
}

func scopeOf(e Entity) (rolecall.Scope, error) {
	if at, ok := pathOf(e); ok {
		return at, nil
	}
	at := rolecall.In(rolecall.ScopeKind(e.Type), e.ID)
	return at, at.Valid()
}

// pathOf takes an id for a path only where it is one in full, ending in the entity's type, so that a file called
// /etc/passwd stays a file of that name.
func pathOf(e Entity) (rolecall.Scope, bool) {
	if !strings.HasPrefix(e.ID, "/") {
		return rolecall.Scope{}, false
	}
	at, err := rolecall.ParseScope(e.ID)
	return at, err == nil && !at.IsGlobal() && string(at.Kind()) == e.Type
}

// plainID returns the id that a path of one step is another spelling of, and any other id as it is.
func plainID(e Entity) string {
	if at, ok := pathOf(e); ok {
		if plain, ok := nameResource(at); ok {
			return plain.ID
		}
	}
	return e.ID
}

func nameResource(at rolecall.Scope) (Entity, bool) {
	e := Entity{Type: string(at.Kind()), ID: at.ID()}
	if at.IsGlobal() {
		return Entity{}, false
	}
	if at.Depth() > 1 {
		e.ID = at.String()
	}
	back, err := scopeOf(e)
	return e, err == nil && back == at
}

func permissionOf(c *rolecall.Catalog, a Action, resourceType string) (rolecall.Permission, error) {
	name := strings.ToLower(a.Name)
	candidates := []string{strings.ToLower(resourceType) + "." + name}
	if strings.Contains(name, ".") {
		candidates = []string{name, candidates[0]}
	}
	for _, candidate := range candidates {
		p := rolecall.NewPermission(candidate)
		if declares(c, p) {
			return p, nil
		}
	}
	return rolecall.Permission{}, &rolecall.Problem{Code: rolecall.ErrUnknown, Word: a.Name, Detail: "no permission " + strings.Join(candidates, " or ") + " is declared"}
}

// declares says whether the catalog has the permission. One that is not valid is in no catalog.
func declares(c *rolecall.Catalog, p rolecall.Permission) bool {
	if p.Valid() != nil {
		return false
	}
	for range c.Matching(rolecall.Pattern(p.String())) {
		return true
	}
	return false
}

// nameAction returns the shortest name that leads back to the permission.
func nameAction(c *rolecall.Catalog, p rolecall.Permission, resourceType string) (string, bool) {
	full := p.String()
	short, ofType := strings.CutPrefix(full, strings.ToLower(resourceType)+".")
	if !ofType {
		return full, true
	}
	if back, err := permissionOf(c, Action{Name: short}, resourceType); err == nil && back == p {
		return short, true
	}
	return full, true
}
