package ftrack

import (
	"slices"

	"github.com/rolecall-go/rolecall"
)

// An Attribute is a custom attribute, or a built-in one that needs protection (a bid, a rate). It makes two permissions,
// held where the object is on which the attribute is shown. A new attribute is nobody's until a role gives it: to the
// roles that may edit the object by OpenToEditors, to a single role by Give.
//
// An attribute that may not be read is left out of the object; one that may not be written is an error. So is a query
// that filters or sorts by an attribute that may not be read, or the answer would tell what it hides.
type Attribute struct {
	Key   string // segments of a permission: lower-case letters, digits, '_' and '-'
	Title string
}

// Read returns the permission to read the attribute.
func (a Attribute) Read() rolecall.Permission {
	return rolecall.NewPermission("attribute." + a.Key + ".read")
}

// Write returns the permission to write the attribute.
func (a Attribute) Write() rolecall.Permission {
	return rolecall.NewPermission("attribute." + a.Key + ".write")
}

// AttributeDeclarations declares both permissions of each attribute, to be added to Declarations.
func AttributeDeclarations(attributes ...Attribute) []rolecall.PermissionDecl {
	var decls []rolecall.PermissionDecl
	for _, a := range attributes {
		title := a.Title
		if title == "" {
			title = a.Key
		}
		decls = append(decls,
			rolecall.PermissionDecl{Permission: a.Read(), Title: "Read " + title, Group: "Attributes"},
			rolecall.PermissionDecl{Permission: a.Write(), Title: "Write " + title, Group: "Attributes"})
	}
	return decls
}

// OpenToEditors returns roles changed so that each says of reading and writing the attribute exactly what it says of
// edit, for example ShotUpdate, with the same effects and under the same conditions. So whoever may edit the object
// through these roles may read and write the attribute, and nobody else. Pass all roles that inherit from each other
// together. The roles given are not changed.
func OpenToEditors(a Attribute, edit rolecall.Permission, roles ...rolecall.Role) []rolecall.Role {
	opened := slices.Clone(roles)
	for i, role := range opened {
		opened[i].Rules = slices.Concat(role.Rules, echo(role.Rules, edit, a.Read(), a.Write()))
	}
	return opened
}

// echo returns rules that say of permissions what rules say of like.
func echo(rules []rolecall.Rule, like rolecall.Permission, permissions ...rolecall.Permission) []rolecall.Rule {
	var said []rolecall.Rule
	for _, rule := range rules {
		if !speaksOf(rule, like) {
			continue
		}
		copied := rolecall.Rule{Effect: rule.Effect, When: rule.When}
		for _, p := range permissions {
			copied.Patterns = append(copied.Patterns, rolecall.Pattern(p.String()))
		}
		said = append(said, copied)
	}
	return said
}

func speaksOf(rule rolecall.Rule, p rolecall.Permission) bool {
	return slices.ContainsFunc(rule.Patterns, func(pattern rolecall.Pattern) bool {
		if rule.Effect == rolecall.Allow {
			return pattern.AllowMatches(p)
		}
		return pattern.Matches(p)
	})
}

// Readable returns those of attributes that the subject of the view may read on the target, in their order.
func Readable(v *rolecall.View, on rolecall.Target, attributes ...Attribute) ([]Attribute, error) {
	permissions := make([]rolecall.Permission, len(attributes))
	for i, a := range attributes {
		permissions[i] = a.Read()
	}
	answers, err := v.CheckAll([]rolecall.Target{on}, permissions...)
	if err != nil {
		return nil, err
	}
	var readable []Attribute
	for i, a := range attributes {
		if answers.Allowed(0, i) {
			readable = append(readable, a)
		}
	}
	return readable, nil
}
