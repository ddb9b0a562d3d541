package rolecall_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/rolecall-go/rolecall"
)

// Whether an owner's rules cover those that it gives away, as Kubernetes answers it ("Privilege escalation prevention"):
// the cases of its published comparator, told again. A rule on some groups, resources and verbs is a pattern of three
// segments, a rule on resources of some names is held at their places.

// coverCatalog declares every verb on every resource of every group.
func coverCatalog(t *testing.T) *rolecall.Catalog {
	d := rolecall.Declarations{ScopeKinds: []rolecall.ScopeKindDecl{{Kind: "name"}}}
	for _, group := range strings.Fields("v1 group1 group2") {
		for _, resource := range strings.Fields("builds deployments pods roles") {
			for _, verb := range strings.Fields("get list watch create update delete exec") {
				d.Permissions = append(d.Permissions, rolecall.PermissionDecl{Permission: rolecall.NewPermission(group + "." + resource + "." + verb)})
			}
		}
	}
	for _, path := range strings.Fields("url.apis url.apis.v1 url.apis.v1.foo url.api url.api.v1") {
		d.Permissions = append(d.Permissions, rolecall.PermissionDecl{Permission: rolecall.NewPermission(path)})
	}
	c, err := rolecall.NewCatalog(d)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var coverRows = []struct {
	name            string
	owner, servant  string // patterns
	held, given     string // places, "" for /
	missing         string // declared permissions that the owner lacks
	missingForLater bool
}{
	{name: "the same", owner: "v1.builds.get", servant: "v1.builds.get"},
	{name: "several rules for one", owner: "v1.deployments.delete v1.builds.delete v1.builds.update v1.deployments.update", servant: "v1.builds.delete v1.builds.update v1.deployments.delete v1.deployments.update"},
	{name: "several groups", owner: "group1.deployments.delete group1.builds.delete group2.deployments.delete group2.builds.delete", servant: "group1.builds.delete group2.builds.delete group1.deployments.delete group2.deployments.delete"},
	{name: "one combination is missing", owner: "v1.builds.delete v1.builds.update v1.deployments.delete v1.deployments.update v1.pods.delete",
		servant: "v1.builds.delete v1.builds.update v1.deployments.delete v1.deployments.update v1.pods.delete v1.pods.update", missing: "v1.pods.update"},
	{name: "a star for groups covers several", owner: "*.roles.get", servant: "group1.roles.get group2.roles.get"},
	{name: "a group does not cover the star for groups", owner: "v1.roles.get", servant: "*.roles.get", missing: "group1.roles.get group2.roles.get", missingForLater: true},
	{name: "a star for groups covers itself", owner: "*.roles.get", servant: "*.roles.get"},
	{name: "a star for verbs covers several", owner: "v1.roles.*", servant: "v1.roles.watch v1.roles.list"},
	{name: "all verbs do not cover the star for verbs", owner: "v1.roles.get v1.roles.list v1.roles.watch v1.roles.create v1.roles.update v1.roles.delete v1.roles.exec", servant: "v1.roles.*", missingForLater: true},
	{name: "a star for verbs covers itself", owner: "v1.roles.*", servant: "v1.roles.*"},
	{name: "a star for resources covers one", owner: "v1.*.get", servant: "v1.deployments.get"},
	{name: "all resources do not cover the star for resources", owner: "v1.builds.get v1.deployments.get v1.pods.get v1.roles.get", servant: "v1.*.get", missingForLater: true},
	{name: "a star for resources covers itself", owner: "v1.*.get", servant: "v1.*.get"},
	{name: "a star covers everything", owner: "*", servant: "v1.*.get v1.roles.* *.pods.* group1.builds.exec"},
	{name: "everything is not covered by much", owner: "v1.* group1.* group2.* url.*", servant: "*", missingForLater: true},
	{name: "any name covers some", owner: "v1.pods.get", servant: "v1.pods.get", given: "/name:foo"},
	{name: "some names do not cover any", owner: "v1.pods.get", servant: "v1.pods.get", held: "/name:foo", missing: "v1.pods.get"},
	{name: "a name does not cover another", owner: "v1.pods.get", servant: "v1.pods.get", held: "/name:foo", given: "/name:bar", missing: "v1.pods.get"},
	{name: "a name does not cover one that begins alike", owner: "v1.pods.get", servant: "v1.pods.get", held: "/name:foo", given: "/name:foobar", missing: "v1.pods.get"},
	{name: "a path covers itself", owner: "url.apis", servant: "url.apis"},
	{name: "a star covers paths", owner: "url.*", servant: "url.apis url.apis.v1"},
	{name: "what is after a prefix does not cover the prefix", owner: "url.apis.*", servant: "url.apis url.apis.v1", missing: "url.apis"},
	{name: "what is after a prefix is covered however deep", owner: "url.apis.*", servant: "url.apis.v1.foo url.apis.v1"},
	{name: "a path does not cover a shorter one", owner: "url.api.v1", servant: "url.api", missing: "url.api"},
	{name: "two stars do not cover one step", owner: "url.api.*.*", servant: "url.api.v1", missing: "url.api.v1"},
	{name: "a path beside others", owner: "v1.builds.get", servant: "v1.builds.get url.apis", missing: "url.apis"},
}

func TestCoversAsKubernetes(t *testing.T) {
	c := coverCatalog(t)
	for _, row := range coverRows {
		t.Run(row.name, func(t *testing.T) {
			patterns := func(text string) (list []rolecall.Pattern) {
				for _, p := range strings.Fields(text) {
					list = append(list, rolecall.Pattern(p))
				}
				return list
			}
			at := func(path string) rolecall.Scope {
				scope, err := rolecall.ParseScope("/" + strings.TrimPrefix(path, "/"))
				if err != nil {
					t.Fatal(err)
				}
				return scope
			}
			s, err := rolecall.NewSnapshot(c,
				role("owner", rule(rolecall.Allow, "", patterns(row.owner)...)), role("servant", rule(rolecall.Allow, "", patterns(row.servant)...)),
				role("binder", rule(rolecall.Allow, "", "rolecall.grant.create")), grant(ann, "owner", at(row.held)), grant(ann, "binder", global))
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.Propose(rolecall.Change{Meta: rolecall.Meta{Actor: ann, Time: day(0)}, Edits: []rolecall.Edit{rolecall.Put(grant(ben, "servant", at(row.given)))}})
			covered := row.missing == "" && !row.missingForLater
			if covered != (err == nil) || !covered && !errors.Is(err, rolecall.ErrEscalation) {
				t.Fatalf("Propose: got %v, want covered: %t", err, covered)
			}
			var missing []string
			later := false
			for _, problem := range rolecall.ProblemsOf(err) {
				for _, m := range problem.Missing {
					if slices.Contains(slices.Collect(c.Permissions()), m.Permission) {
						missing = append(missing, m.Permission.String())
					} else {
						later = true
					}
				}
			}
			if got := strings.Join(missing, " "); got != row.missing || later != row.missingForLater {
				t.Errorf("Propose: lacks %q, and what is declared later: %t; want %q, %t", got, later, row.missing, row.missingForLater)
			}
		})
	}
}
