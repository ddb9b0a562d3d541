package foreign

import (
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/rolecall-go/rolecall"
)

// The built-in policy of Argo CD: rules on a resource, an action and a glob of objects, two roles and one user.
// Translated, resource and action are the permission, `update/*` is the pattern update.*, and a rule on all objects
// belongs to a role that is granted everywhere. Every question that can be put to the catalogue is answered by its
// documented matching as well, in which * stands for any text.
func TestArgoCDCatalogue(t *testing.T) {
	rows := append(readTable(t, "argocd/builtin-policy.csv"), []string{"g", "reader", "role:readonly"})
	s := argoWorld(t, rows).snapshot(t)
	asked := map[bool]int{}
	for _, user := range []string{"admin", "reader", "stranger"} {
		for _, resource := range argoColumn(rows, 2) {
			for _, action := range argoActions(rows) {
				for _, object := range argoObjects(rows, resource) {
					want := argoAllows(rows, user, resource, action, object)
					asked[want]++
					expect(t, s, want, rolecall.Request{
						Subject:    rolecall.User(user),
						Permission: argoPermission(resource, action),
						Scope:      argoScope(object),
					})
				}
			}
		}
	}
	if asked[true] == 0 || asked[false] == 0 {
		t.Errorf("Argo CD: got %d allowed and %d denied questions, want some of both", asked[true], asked[false])
	}
}

func argoWorld(t *testing.T, rows [][]string) *world {
	w := &world{}
	w.scopeKind("project")
	w.scopeKind("object")
	for _, resource := range argoColumn(rows, 2) {
		for _, action := range argoActions(rows) {
			w.permission(argoPermission(resource, action).String())
		}
	}
	roles := map[string]*rolecall.Role{}
	for _, row := range rows {
		name, isRole := strings.CutPrefix(row[1], "role:")
		if isRole && roles[name] == nil {
			roles[name] = &rolecall.Role{Name: rolecall.RoleName(name)}
		}
		switch {
		case row[0] == "p" && isRole && row[5] == "allow" && strings.Trim(row[4], "*/") == "":
			pattern := rolecall.Pattern(row[2] + "." + strings.ReplaceAll(row[3], "/", "."))
			roles[name].Rules = append(roles[name].Rules, allow(pattern))
		case row[0] == "g" && isRole:
			roles[name].Inherits = append(roles[name].Inherits, rolecall.RoleName(strings.TrimPrefix(row[2], "role:")))
		case row[0] == "g":
			role := rolecall.RoleName(strings.TrimPrefix(row[2], "role:"))
			w.say(rolecall.Grant{Subject: rolecall.User(row[1]), Role: role, Scope: rolecall.Global()})
		default:
			t.Fatalf("cannot translate %q", row)
		}
	}
	for _, role := range roles {
		w.say(*role)
	}
	return w
}

func argoPermission(resource, action string) rolecall.Permission {
	return rolecall.NewPermission(resource + "." + strings.ReplaceAll(action, "/", "."))
}

func argoScope(object string) rolecall.Scope {
	if project, name, found := strings.Cut(object, "/"); found {
		return rolecall.In("project", project).In("object", name)
	}
	return rolecall.In("object", object)
}

// argoColumn returns the different values of a column of the rules.
func argoColumn(rows [][]string, column int) []string {
	var values []string
	for _, row := range rows {
		if row[0] == "p" && !slices.Contains(values, row[column]) {
			values = append(values, row[column])
		}
	}
	return values
}

// argoActions returns the actions that the rules name, and examples of what their globs cover.
func argoActions(rows [][]string) []string {
	var actions []string
	for _, action := range argoColumn(rows, 3) {
		if base, glob := strings.CutSuffix(action, "/*"); glob {
			actions = append(actions, base+"/pod", base+"/apps/deployment")
		} else {
			actions = append(actions, action)
		}
	}
	return actions
}

// argoObjects returns examples of the objects of a resource, which are in a project where its rules say so.
func argoObjects(rows [][]string, resource string) []string {
	for _, row := range rows {
		if row[0] == "p" && row[2] == resource && row[4] == "*/*" {
			return []string{"default/guestbook", "team-a/shop"}
		}
	}
	return []string{"in-cluster"}
}

// argoAllows answers a question as Argo CD documents it: a rule of the subject or of a role it has matches by glob.
func argoAllows(rows [][]string, subject, resource, action, object string) bool {
	for _, row := range rows {
		switch {
		case row[0] == "p" && row[1] == subject && row[2] == resource && argoGlob(row[3], action) && argoGlob(row[4], object):
			return true
		case row[0] == "g" && row[1] == subject && argoAllows(rows, row[2], resource, action, object):
			return true
		}
	}
	return false
}

// argoGlob matches a glob in which * stands for any text, slashes included.
func argoGlob(glob, text string) bool {
	flat := strings.NewReplacer("/", "\x00")
	matched, err := path.Match(flat.Replace(glob), flat.Replace(text))
	return err == nil && matched
}
