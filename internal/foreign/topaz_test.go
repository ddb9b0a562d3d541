package foreign

import (
	"path"
	"strings"
	"testing"

	"github.com/rolecall-go/rolecall"
)

// The templates of Topaz: a manifest declares for each type of object its relations and, as unions, its permissions;
// tuples relate objects and subjects; assertions tell what must come out.
//
// Translated, each relation and permission of a type is a permission of ours and a role that allows it. Where the union
// of a permission names another relation or permission, that one's role inherits the permission's role. A tuple puts
// its subject into a group of its own (object#relation), which holds the relation's role at the object. A relation
// between two objects is the scope tree, so that what is held at the parent reaches the child (the arrow operator).
//
// In all templates a user's identity may do what the user may, and the groups of the directory are those of the AuthZEN
// world, which is the same directory of people.

type (
	// manifest maps type → name → what the file declares it as.
	manifest map[string]objectType

	objectType struct{ relations, permissions map[string]string }

	tuple struct {
		ObjectType      string `json:"object_type"`
		ObjectID        string `json:"object_id"`
		Relation        string `json:"relation"`
		SubjectType     string `json:"subject_type"`
		SubjectID       string `json:"subject_id"`
		SubjectRelation string `json:"subject_relation"`
	}
)

func TestTopazAssertions(t *testing.T) {
	total := 0
	for _, template := range []string{"simple-rbac", "github", "slack"} {
		t.Run(template, func(t *testing.T) {
			var published struct {
				Assertions []struct {
					Check    tuple
					Expected bool
				}
			}
			readJSON(t, path.Join("topaz", template, "assertions.json"), &published)
			w := newTopazWorld(t, template)
			s := w.snapshot(t)
			for _, a := range published.Assertions {
				expect(t, s, a.Expected, rolecall.Request{
					Subject:    rolecall.User(a.Check.SubjectID),
					Permission: rolecall.NewPermission(a.Check.ObjectType + "." + a.Check.Relation),
					Scope:      w.scope(a.Check.ObjectType, a.Check.ObjectID),
				})
			}
			total += len(published.Assertions)
		})
	}
	if total != 0 && total != 19 {
		t.Errorf("the three templates: got %d assertions, want 19", total)
	}
}

type topazWorld struct {
	world
	types   manifest
	parents map[string]tuple // "type:id" of an object → the tuple that names its parent
}

func newTopazWorld(t *testing.T, template string) *topazWorld {
	w := &topazWorld{types: readManifest(t, path.Join("topaz", template, "manifest.yaml")), parents: map[string]tuple{}}
	for kind, typ := range w.types {
		w.scopeKind(kind)
		for name := range typ.relations {
			w.say(w.role(t, kind, name))
		}
		for name := range typ.permissions {
			w.say(w.role(t, kind, name))
		}
	}
	w.addTuples(readTuples(t, template))
	return w
}

// role returns the role of a relation or permission.
func (w *topazWorld) role(t *testing.T, kind, name string) rolecall.Role {
	p := w.permission(kind + "." + name)
	r := rolecall.Role{Name: rolecall.RoleName(p.String()), Rules: []rolecall.Rule{allow(rolecall.Pattern(p.String()))}}
	for childKind, child := range w.types {
		for permission, union := range child.permissions {
			for _, term := range terms(t, union) {
				if w.refersTo(t, childKind, permission, term, kind, name) {
					r.Inherits = append(r.Inherits, rolecall.RoleName(childKind+"."+permission))
				}
			}
		}
	}
	return r
}

// refersTo says whether a term of kind's permission means the relation or permission name of targetKind.
func (w *topazWorld) refersTo(t *testing.T, kind, permission, term, targetKind, name string) bool {
	left, right, arrow := strings.Cut(term, "->")
	if !arrow {
		return kind == targetKind && term == name
	}
	parent, declared := w.types[kind].relations[left]
	if !declared {
		t.Fatalf("%s.%s: no relation %q", kind, permission, left)
	}
	if right == "identifier" { // the identity of whoever is related
		return kind == targetKind && left == name
	}
	if kind == parent && right == permission { // the same permission on a parent of the same type: the scope tree
		return false
	}
	return parent == targetKind && right == name
}

func (w *topazWorld) addTuples(tuples []tuple) {
	for _, tu := range tuples {
		if w.isParent(tu) {
			w.parents[tu.ObjectType+":"+tu.ObjectID] = tu
		}
	}
	for _, tu := range tuples {
		if w.isParent(tu) {
			continue
		}
		subject := rolecall.User(tu.SubjectID)
		if tu.SubjectRelation != "" {
			subject = related(tu.SubjectType, tu.SubjectID, tu.SubjectRelation)
		}
		group := related(tu.ObjectType, tu.ObjectID, tu.Relation)
		w.say(
			rolecall.Membership{Member: subject, Group: group},
			rolecall.Grant{
				Subject: group,
				Role:    rolecall.RoleName(tu.ObjectType + "." + tu.Relation),
				Scope:   w.scope(tu.ObjectType, tu.ObjectID),
			},
		)
	}
}

// isParent says whether a tuple relates two objects, neither of which acts.
func (w *topazWorld) isParent(tu tuple) bool {
	return tu.SubjectType != "user" && tu.SubjectRelation == ""
}

// related is the group of everybody who has a relation to an object.
func related(kind, id, relation string) rolecall.Subject {
	return rolecall.Group(kind + ":" + id + "#" + relation)
}

func (w *topazWorld) scope(kind, id string) rolecall.Scope {
	outer := rolecall.Global()
	if tu, ok := w.parents[kind+":"+id]; ok {
		outer = w.scope(tu.SubjectType, tu.SubjectID)
	}
	return outer.In(rolecall.ScopeKind(kind), id)
}

// readTuples returns the relations of a template and the groups of its directory.
func readTuples(t *testing.T, template string) []tuple {
	var file struct{ Relations []tuple }
	readJSON(t, path.Join("topaz", template, "relations.json"), &file)
	var people directory
	readJSON(t, "authzen/world.json", &people)
	for _, user := range people.Users {
		for _, group := range user.Roles {
			file.Relations = append(file.Relations, tuple{
				ObjectType: "group", ObjectID: group, Relation: "member", SubjectType: "user", SubjectID: user.Mail,
			})
		}
	}
	return file.Relations
}

// terms splits a union. These templates have no other operator.
func terms(t *testing.T, union string) []string {
	var out []string
	for term := range strings.SplitSeq(union, "|") {
		term = strings.TrimSpace(term)
		if term == "" || strings.ContainsAny(term, " &") || strings.Contains(strings.ReplaceAll(term, "->", ""), "-") {
			t.Fatalf("permission %q: cannot translate %q", union, term)
		}
		out = append(out, term)
	}
	return out
}

// readManifest reads as much of YAML as the manifests use: nested maps by indentation, one word or one block of text as
// a value, comments.
func readManifest(t *testing.T, file string) manifest {
	m := manifest{}
	var section, kind, name string
	var members map[string]string
	for line := range strings.Lines(string(read(t, file))) {
		text := strings.TrimRight(line, "\r\n")
		key, value, _ := strings.Cut(strings.TrimSpace(text), ":")
		value = strings.TrimSpace(value)
		indent := len(text) - len(strings.TrimLeft(text, " "))
		switch {
		case key == "" || strings.HasPrefix(key, "#") || key == "---":
		case indent == 0:
			section = key
		case section != "types":
		case indent == 2:
			kind = key
			m[kind] = objectType{relations: map[string]string{}, permissions: map[string]string{}}
		case indent == 4 && key == "relations":
			members = m[kind].relations
		case indent == 4 && key == "permissions":
			members = m[kind].permissions
		case indent == 6:
			name = key
			members[name] = strings.TrimPrefix(value, "|")
		case indent == 8:
			members[name] += strings.TrimSpace(text)
		default:
			t.Fatalf("%s: cannot read %q", file, line)
		}
	}
	if len(m) == 0 {
		t.Fatalf("%s: no types", file)
	}
	return m
}
