package ftrack

import (
	"fmt"
	"slices"
	"time"

	"github.com/rolecall-go/rolecall"
)

const day = 24 * time.Hour

// spread is how far ahead the ends of grants lie, evenly.
const spread = 16 * 7 * day

// until returns the window of the i-th grant that ends, of all that do; the first one ends at the next midnight.
func (s *studio) until(i int) rolecall.Window {
	end := s.Now.Truncate(day).Add(day + time.Duration(i)*(spread/time.Duration(s.expiring)))
	return rolecall.Window{NotAfter: end.Truncate(day)}
}

// grantDirectly gives everybody at home a role on all open projects, and others roles on lists of projects.
func (s *studio) grantDirectly() {
	for _, job := range []struct {
		people []rolecall.Subject
		role   rolecall.RoleName
	}{
		{s.administrators, Administrator}, {s.siteAdministrators, siteAdministrator}, {s.production, s.producer},
		{s.leads, DepartmentLead}, {s.crew, User}, {s.support, ioOperator},
	} {
		for _, who := range job.people {
			s.say(rolecall.Grant{Subject: who, Role: job.role, Scope: AllOpenProjects()})
		}
	}
	for i, who := range s.outside {
		for _, project := range s.contracted(who) {
			s.say(rolecall.Grant{Subject: who, Role: s.contractRole(who, i), Scope: project, Window: s.until(i)})
		}
	}
	lists := s.lists()
	for i, l := range lists {
		var window rolecall.Window
		if last := len(lists) - i; last <= s.expiring-len(s.outside) {
			window = s.until(s.expiring - last)
		}
		for _, project := range s.projectsOf(l, share(s.rows-s.contractRows*len(s.outside), len(lists)+s.groupLists, i), i) {
			s.say(rolecall.Grant{Subject: l.who, Role: l.role, Scope: project, Window: window})
		}
	}
}

// contracted returns the projects of somebody from outside: a vendor sees the same few private ones with all its people.
func (s *studio) contracted(who rolecall.Subject) []rolecall.Scope {
	vendor, ok := s.vendorOf[who]
	if !ok {
		return some(s.random, s.contractRows, slices.Concat(s.Open[:s.openActive], s.Private[1:s.privateActive]))
	}
	var projects []rolecall.Scope
	for i := range s.contractRows {
		projects = append(projects, s.Private[(1+vendor*3+i)%s.privateActive])
	}
	return projects
}

func (s *studio) contractRole(who rolecall.Subject, i int) rolecall.RoleName {
	switch _, vendor := s.vendorOf[who]; {
	case !vendor:
		return Freelancer
	case i < s.plan.groups.vendorTeams:
		return VendorLead
	}
	return VendorArtist
}

// A list is a role that somebody holds on a list of projects.
type list struct {
	who  rolecall.Subject
	role rolecall.RoleName
}

// lists returns who holds a role on a list of projects beside what everybody holds: pipelines, producers, leads, artists.
func (s *studio) lists() []list {
	var lists []list
	for i := range s.services {
		lists = append(lists, list{rolecall.Service(fmt.Sprintf("pipeline-%d", i+1)), API})
	}
	var people []list
	for _, who := range s.production {
		people = append(people, list{who, ProjectManager})
	}
	for _, who := range s.leads {
		people = append(people, list{who, ReviewerInternal})
	}
	for _, who := range s.crew {
		people = append(people, list{who, User})
	}
	if s.producer == ProjectManager {
		for i := range people {
			people[i].role = s.roleOfSmall(people[i].role)
		}
	}
	return append(lists, people[:s.extraLists]...)
}

// roleOfSmall replaces a role that a small studio does not have.
func (s *studio) roleOfSmall(role rolecall.RoleName) rolecall.RoleName {
	if role == ReviewerInternal {
		return DepartmentLead
	}
	return role
}

// projectsOf returns n projects for a list. Managers get private projects in turn, so that each has one.
func (s *studio) projectsOf(l list, n, i int) []rolecall.Scope {
	if l.role != ProjectManager {
		return some(s.random, n, slices.Concat(s.Open, s.Private))
	}
	var projects []rolecall.Scope
	all := slices.Concat(s.Private, s.Open)
	for k := range n {
		projects = append(projects, all[((i-s.services)*n+k)%len(all)])
	}
	return projects
}

// grantToGroups gives departments a role everywhere, and teams roles on lists of projects. The artist of the cast is in
// the first team, which works on the first private project.
func (s *studio) grantToGroups() {
	for _, department := range s.departments[:min(s.groupGrants, len(s.departments))] {
		s.say(rolecall.Grant{Subject: department, Role: ReviewerInternal, Scope: AllOpenProjects()})
	}
	roles := []rolecall.RoleName{User, DepartmentLead, Coordinator}
	holders := slices.Concat(s.teams, s.staffGroups[1:])
	holders = slices.Compact(holders)
	all := slices.Concat(s.Private[1:], s.Open)
	lists := s.services + s.extraLists + s.groupLists
	seen := map[list]bool{}
	for i := 0; len(seen) < s.groupLists; i++ {
		l := list{holders[i%len(holders)], roles[i/len(holders)%len(roles)]}
		if seen[l] {
			continue
		}
		n := share(s.rows-s.contractRows*len(s.outside), lists, s.services+s.extraLists+len(seen))
		projects := some(s.random, n, all)
		if i == 0 {
			projects[0] = s.Private[0]
		}
		seen[l] = true
		for _, project := range projects {
			s.say(rolecall.Grant{Subject: l.who, Role: l.role, Scope: project})
		}
	}
}

// makeEligible lets people take up roles for a time: held by them, valid nowhere until activated.
func (s *studio) makeEligible() {
	home := s.Staff[:len(s.Staff)-len(s.outside)]
	roles := []rolecall.RoleName{ReviewerInternal, DepartmentLead}
	for i := range s.eligible {
		s.say(rolecall.Grant{
			Subject: home[i%len(home)], Role: roles[i/len(home)], Scope: AllOpenProjects(), Eligible: true,
		})
	}
}

// invite asks guests of clients, and the holders of share links, into one review each, for two weeks around now.
func (s *studio) invite() {
	active := slices.Concat(s.Private[:s.privateActive], s.Open[:s.openActive])
	for i := range s.guests + s.links {
		id := fmt.Sprintf("client-%d", i+1)
		if i >= s.guests {
			id = fmt.Sprintf("link-%d", i-s.guests+1)
		}
		number := i % s.reviews
		from := s.Now.Truncate(day).Add(-time.Duration(number%7) * day)
		s.say(rolecall.Grant{
			Subject: rolecall.Guest(id), Role: ClientGuest,
			Scope:  active[number%len(active)].In("review", fmt.Sprintf("review-%d", number+1)),
			Window: rolecall.Window{NotBefore: from, NotAfter: from.Add(14 * day)},
		})
	}
}

// issueKeys gives global keys the API role on all open projects, and the last of them some private ones.
func (s *studio) issueKeys() {
	for i := range s.keys {
		key := rolecall.Service(fmt.Sprintf("key-%d", i+1))
		s.say(rolecall.Grant{Subject: key, Role: API, Scope: AllOpenProjects()})
		if i < s.keys-s.keysWithPrivate {
			continue
		}
		for _, project := range some(s.random, 5, s.Private) {
			s.say(rolecall.Grant{Subject: key, Role: API, Scope: project})
		}
	}
}

func (s *studio) pickCast() {
	shot := s.Open[0].In("sequence", "sq010").In("shot", "sh0100")
	s.Cast = Cast{
		Artist:        s.crew[0],
		Shot:          shot,
		Task:          shot.In("task", "anim"),
		Backlot:       s.Private[0],
		Manager:       s.production[0],
		Outsider:      s.outside[len(s.outside)-1],
		Freelancer:    s.outside[0],
		Administrator: s.administrators[0],
		Key:           rolecall.Service("key-1"),
		Guest:         rolecall.Guest("client-1"),
		Review:        s.Private[0].In("review", "review-1"),
	}
	for _, statement := range s.Statements {
		if g, ok := statement.(rolecall.Grant); ok && g.Subject == s.Cast.Freelancer {
			s.Cast.Contract = g
			return
		}
	}
}
