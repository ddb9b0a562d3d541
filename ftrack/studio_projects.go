package ftrack

import (
	"fmt"
	"slices"

	"github.com/rolecall-go/rolecall"
)

func projectNames() []string {
	return []string{"alpha", "aurora", "basalt", "cinder", "dune", "ember", "fable", "gambit", "harbour", "iris", "jigsaw",
		"kestrel", "lantern", "meridian", "nimbus", "onyx", "paragon", "quarry", "raven", "sable", "tundra", "umbra",
		"vesper", "willow", "yonder", "zephyr", "anvil", "bramble", "cobalt", "drift"}
}

// makeProjects names the projects, open and private ones alternating, and closes the private ones.
func (s *studio) makeProjects() {
	n := 0
	next := func() rolecall.Scope {
		names := projectNames()
		id := names[n%len(names)]
		if n >= len(names) {
			id += fmt.Sprintf("-%d", n/len(names)+1)
		}
		n++
		return Project(id)
	}
	for _, count := range [][2]int{{s.openActive, s.privateActive}, {s.openArchived, s.privateArchived}} {
		for range count[0] {
			s.Open = append(s.Open, next())
		}
		for range count[1] {
			s.Private = append(s.Private, next())
		}
	}
	for _, project := range s.Private {
		s.say(rolecall.PrivateScope{Scope: project})
	}
}

// ioOperator is a role that a studio made for itself, for those who move files in and out.
const ioOperator = rolecall.RoleName("io_operator")

const siteAdministrator = rolecall.RoleName("site_administrator")

// smallRoles are the factory roles and two more; the guests' role is not counted as one in ftrack.
func smallRoles() []rolecall.Role {
	return append(FactoryRoles(), freelancer(), departmentLead(), clientGuest())
}

func midRoles() []rolecall.Role {
	return append(Roles(), rolecall.Role{
		Name: ioOperator, Title: "I/O operator", Holders: people(), Inherits: []rolecall.RoleName{User},
		Description: "Moves files in and out",
		Rules:       []rolecall.Rule{allow("asset.*", "component.*", "disk.manage", "location.manage", "version.update")},
	})
}

// largeRoles are those of a studio that has been making roles for years: one a department, and a dozen that hardly
// differ from another one.
func largeRoles() []rolecall.Role {
	roles := append(midRoles(), rolecall.Role{
		Name: siteAdministrator, Title: "Site administrator", Holders: people(), Inherits: []rolecall.RoleName{Coordinator},
		Description: "Looks after the people and the groups of a site",
		Rules:       []rolecall.Rule{allow("group.*", "role.read", "user.create", "user.invite", "user.update")},
	})
	names := departmentNames()
	for _, department := range slices.Concat(names[:3], names[4:17]) {
		roles = append(roles, rolecall.Role{
			Name: rolecall.RoleName(department + "_artist"), Title: "Artist, " + department, Holders: people(),
			Inherits: []rolecall.RoleName{User}, Rules: []rolecall.Rule{allowWhen(OwnDepartment, "task.update", "version.update")},
		})
	}
	for i, original := range Roles()[:12] {
		original.Name += "_old"
		original.Title += " (old)"
		if i%2 == 0 {
			original.Rules = append(original.Rules, allow("report.read"))
		}
		roles = append(roles, original)
	}
	return roles
}

// writeRoles says the roles, with the attributes and the changes of status that each allows.
func (s *studio) writeRoles() {
	roles := s.openAttributes(s.roles())
	roles = s.openStatuses(roles)
	for _, role := range roles {
		s.say(role)
	}
}

func attributeNames() []string {
	return []string{"bid", "rate", "client_note", "margin", "frame_in", "frame_out", "handles", "lens", "plate", "colour",
		"turnover", "difficulty", "episode_tag", "camera", "grade"}
}

func (s *studio) openAttributes(roles []rolecall.Role) []rolecall.Role {
	manager := slices.IndexFunc(roles, func(r rolecall.Role) bool { return r.Name == ProjectManager })
	for i := range s.attributes {
		names := attributeNames()
		key := names[i%len(names)]
		if i >= len(names) {
			key += fmt.Sprintf("_%d", i/len(names)+1)
		}
		a := Attribute{Key: key}
		s.Attributes = append(s.Attributes, a)
		if i < s.restricted {
			roles[manager] = Give(roles[manager], "", a.Read(), a.Write())
			continue
		}
		roles = OpenToEditors(a, ShotUpdate, roles...)
	}
	s.Declarations.Permissions = append(s.Declarations.Permissions, AttributeDeclarations(s.Attributes...)...)
	for i := range roles {
		roles[i].Rules = folded(roles[i].Rules)
	}
	return roles
}

// folded returns the rules with those of one effect and condition in one.
func folded(rules []rolecall.Rule) []rolecall.Rule {
	var out []rolecall.Rule
	for _, rule := range rules {
		i := slices.IndexFunc(out, func(r rolecall.Rule) bool { return r.Effect == rule.Effect && r.When == rule.When })
		if i < 0 {
			i = len(out)
			out = append(out, rolecall.Rule{Effect: rule.Effect, When: rule.When})
		}
		out[i].Patterns = append(out[i].Patterns, rule.Patterns...)
	}
	return out
}

func statusNames() []string {
	return []string{"not_started", "ready", "in_progress", "wip_review", "lead_review", "changes", "client_review",
		"client_changes", "approved", "client_approved", "omitted", "on_hold"}
}

// openStatuses writes a table of changes of status for some roles and every schema. Other roles that work on all
// projects by themselves may make any change.
func (s *studio) openStatuses(roles []rolecall.Role) []rolecall.Role {
	ruled := s.ruledBy(roles)
	group := 0
	for i := range s.schemas {
		w := Workflow{Schema: fmt.Sprintf("schema%d", i+1), Kind: "task", Statuses: statusNames()}
		s.Workflows = append(s.Workflows, w)
		d := w.Declarations()
		s.Declarations.Permissions = append(s.Declarations.Permissions, d.Permissions...)
		if i == 0 {
			s.Declarations.Conditions = append(s.Declarations.Conditions, d.Conditions...)
		}
		for j, r := range ruled {
			groups := share(s.ruleGroups, s.schemas*len(ruled), i*len(ruled)+j)
			roles[r] = allowed(w, roles[r], s.table(w, groups, &group))
		}
		for r := range roles {
			if roles[r].Name == API {
				roles[r] = allowed(w, roles[r], nil)
			}
		}
	}
	for i := range roles {
		roles[i].Rules = folded(roles[i].Rules)
	}
	return roles
}

// ruledBy returns the places of the roles that have tables: those of people who work, then those of departments.
func (s *studio) ruledBy(roles []rolecall.Role) []int {
	var ruled []int
	for i, role := range roles {
		switch role.Name {
		case API, Administrator, ClientGuest, SecurityAuditor, ioOperator, siteAdministrator:
			continue
		}
		if len(ruled) < s.ruledRoles {
			ruled = append(ruled, i)
		}
	}
	return ruled
}

// table returns a table of so many groups of rules; group counts them over all tables.
func (s *studio) table(w Workflow, groups int, group *int) StatusTable {
	table := StatusTable{}
	for _, target := range some(s.random, groups, w.Statuses) {
		table[target] = some(s.random, share(s.rules, s.ruleGroups, *group), w.sources())
		*group++
	}
	return table
}

// allowed applies a table to a role under the condition on which the role works.
func allowed(w Workflow, role rolecall.Role, table StatusTable) rolecall.Role {
	when := rolecall.Condition("")
	switch role.Name {
	case RestrictedUser, Freelancer, VendorArtist:
		when = Assigned
	case VendorLead:
		when = OwnGroup
	}
	given, err := w.Allow(role, when, table)
	if err != nil {
		panic("ftrack: a generated table names no status of its workflow: " + err.Error())
	}
	return given
}
