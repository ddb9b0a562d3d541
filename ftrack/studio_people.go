package ftrack

import (
	"fmt"
	"slices"

	"github.com/rolecall-go/rolecall"
)

func firstNames() []string {
	return []string{"ada", "bo", "cleo", "dan", "eli", "fay", "gus", "hal", "ida", "jo", "kim", "lee", "max", "nils",
		"olga", "pia", "quinn", "rex", "sue", "tess", "ulf", "vera", "wim", "xenia", "yara", "zoe", "abe", "bea", "cy",
		"dora", "emil", "finn", "gala", "hugo", "inga", "jun", "kay", "lars", "mei", "noor"}
}

func lastNames() []string {
	return []string{"", "abel", "berg", "cruz", "dahl", "eng", "frost", "gray", "holm", "ito", "jansen", "kaur", "lind",
		"moss", "nash", "okoye", "park", "quist", "reyes", "stone", "tran", "ueda", "voss", "west", "xu", "young", "zorn"}
}

// person returns the n-th user. The first ones are called by their first name only.
func person(n int) rolecall.Subject {
	first, last := firstNames(), lastNames()
	id := first[n%len(first)]
	n /= len(first)
	if surname := last[n%len(last)]; surname != "" {
		id += "." + surname
	}
	if n /= len(last); n > 0 {
		id += fmt.Sprintf("%d", n+1)
	}
	return rolecall.User(id)
}

// hire names the people. Artists come first, so that Ada is one of them in every studio.
func (s *studio) hire() {
	hired := 0
	take := func(n int) []rolecall.Subject {
		people := make([]rolecall.Subject, n)
		for i := range people {
			people[i] = person(hired)
			hired++
		}
		return people
	}
	s.crew = take(s.artists)
	s.administrators = take(s.plan.administrators)
	s.siteAdministrators = take(s.plan.siteAdministrators)
	s.production = take(s.plan.production)
	s.leads = take(s.plan.leads)
	s.support = take(s.plan.support)
	s.outside = take(s.freelancers + s.vendorPeople)
	s.Staff = slices.Concat(s.crew, s.administrators, s.siteAdministrators, s.production, s.leads, s.support, s.outside)
	for _, gone := range take(s.inactive) {
		s.say(rolecall.Suspension{Subject: gone})
	}
}

func siteNames() []string {
	return []string{"london", "oslo", "montreal", "vancouver", "mumbai", "sydney"}
}

func departmentNames() []string {
	return []string{"anim", "comp", "fx", "production", "lighting", "modelling", "layout", "rigging", "matchmove", "matte",
		"roto", "pipeline", "editorial", "lookdev", "groom", "crowd", "previs", "io"}
}

// makeGroups builds the tree of groups. Every group joins one of the level above; some show units join two teams, so
// that there are two ways to the top.
func (s *studio) makeGroups() {
	root := s.group("studio")
	sites := s.sites(root)
	for i := range s.plan.groups.departments {
		site, name := i%len(sites), departmentNames()[i/len(sites)]
		if len(sites) > 1 {
			name = siteNames()[site] + "-" + name
		}
		s.departments = append(s.departments, s.group(name, sites[site]))
	}
	for i := range s.plan.groups.teams {
		department := s.departments[i%len(s.departments)]
		s.teams = append(s.teams, s.group(fmt.Sprintf("%s-%d", department.ID(), i/len(s.departments)+1), department))
	}
	for i := range s.plan.groups.units {
		above := []rolecall.Subject{s.teams[i%len(s.teams)]}
		if i%4 == 0 {
			above = append(above, s.teams[(i+7)%len(s.teams)])
		}
		s.group(fmt.Sprintf("unit-%d", i+1), above...)
	}
	for i := range s.plan.groups.local {
		s.group(slices.Concat(s.Private, s.Open)[i].ID() + "-crew")
	}
	if s.vendors == 0 {
		s.freelance = s.group("freelance", root)
	}
	if s.plan.groups.local > 0 {
		s.group("outsource", root)
	}
	if len(s.teams) == 0 {
		s.teams = s.departments
	}
	s.makeVendors()
}

// group makes a group that joins others. Groups of the studio itself are where its people are.
func (s *studio) group(id string, above ...rolecall.Subject) rolecall.Subject {
	g := rolecall.Group(id)
	for _, parent := range above {
		s.say(rolecall.Membership{Member: g, Group: parent})
	}
	s.staffGroups = append(s.staffGroups, g)
	return g
}

func (s *studio) sites(root rolecall.Subject) []rolecall.Subject {
	var regions, sites []rolecall.Subject
	for i := range s.plan.groups.regions {
		regions = append(regions, s.group([]string{"europe", "america", "asia"}[i], root))
	}
	for i := range s.plan.groups.sites {
		above := root
		if len(regions) > 0 {
			above = regions[i*len(regions)/s.plan.groups.sites]
		}
		sites = append(sites, s.group(siteNames()[i], above))
	}
	if len(sites) == 0 {
		return []rolecall.Subject{root}
	}
	return sites
}

// makeVendors builds Vendor > company > team, and puts the people of vendors into the teams.
func (s *studio) makeVendors() {
	if s.vendors == 0 {
		s.hireOut()
		return
	}
	root := rolecall.Group("vendor")
	var teams []rolecall.Subject
	for i := range s.plan.groups.vendorTeams {
		company := rolecall.Group(fmt.Sprintf("vendor-%d", i%s.vendors+1))
		team := rolecall.Group(fmt.Sprintf("%s-%d", company.ID(), i/s.vendors+1))
		s.say(rolecall.Membership{Member: team, Group: company})
		if i < s.vendors {
			s.say(rolecall.Membership{Member: company, Group: root})
		}
		teams = append(teams, team)
	}
	for i, who := range s.outside {
		s.vendorOf[who] = i % s.vendors
		s.join(who, teams[i%len(teams)])
	}
}

// hireOut makes the last few freelancers of a studio without vendors people of another company.
func (s *studio) hireOut() {
	company := rolecall.Group("outsource")
	for i, who := range s.outside {
		if s.plan.groups.local == 0 || i < len(s.outside)-6 {
			s.join(who, s.freelance)
			continue
		}
		s.vendorOf[who] = 0
		s.join(who, company)
	}
}

// fillGroups gives everybody at home a team, and then makes further memberships at random until there are enough. A few
// people are in more than twenty groups.
func (s *studio) fillGroups() {
	home := s.Staff[:len(s.Staff)-len(s.outside)]
	for i, who := range home {
		s.join(who, s.teams[i%len(s.teams)])
	}
	if s.vendors > 0 {
		for _, who := range home[:12] {
			for _, g := range some(s.random, 21, s.staffGroups) {
				s.join(who, g)
			}
		}
	}
	for len(s.memberOf) < s.memberships {
		s.join(home[s.random.IntN(len(home))], s.staffGroups[s.random.IntN(len(s.staffGroups))])
	}
}

func (s *studio) join(who, group rolecall.Subject) {
	m := rolecall.Membership{Member: who, Group: group}
	if !s.memberOf[m] {
		s.memberOf[m] = true
		s.say(m)
	}
}
