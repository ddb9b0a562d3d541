package ftrack

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/rolecall-go/rolecall"
)

// A Size is the size of a generated studio.
type Size int

// The sizes of studio.
const (
	Small Size = iota + 1 // 20 people, one site
	Mid                   // 400 people, 60 projects, two sites
	Large                 // 3,000 people on six sites, and 900 of 14 vendors
)

// A World is a generated studio: the vocabulary, the whole policy, and whom to look at. It is a plain value.
type World struct {
	Declarations rolecall.Declarations
	Statements   []rolecall.Statement
	// Now is the instant that the studio was made for: windows lie around it.
	Now  time.Time
	Cast Cast
	// Staff are the active people, those of vendors and freelancers included.
	Staff []rolecall.Subject
	// Open and Private are the projects, those being worked on first.
	Open, Private []rolecall.Scope
	// Attributes and Workflows are what the declarations were extended by.
	Attributes []Attribute
	Workflows  []Workflow

	crew []rolecall.Subject // the artists
	seed uint64
}

// A Cast names those members of a studio who make good examples.
type Cast struct {
	Artist        rolecall.Subject // works on open projects, and on the private project Backlot through a team
	Shot          rolecall.Scope   // a shot of an open project
	Task          rolecall.Scope   // a task on it, the artist's
	Backlot       rolecall.Scope   // a private project
	Manager       rolecall.Subject // manages Backlot
	Outsider      rolecall.Subject // of another company, or a freelancer: may not see Backlot
	Freelancer    rolecall.Subject // whose contract ends at the next midnight
	Contract      rolecall.Grant   // the grant that ends then
	Administrator rolecall.Subject
	Key           rolecall.Subject // a global API key without private projects
	Guest         rolecall.Subject // of a client, invited to Review
	Review        rolecall.Scope
}

// A plan is a studio in numbers. Grants are counted as ftrack counts them: one with a list of projects is one grant of
// several rows, and becomes a grant a row here.
type plan struct {
	administrators, siteAdministrators, production, leads, artists, freelancers, support int
	vendors, vendorPeople, inactive, services                                            int
	groups                                                                               groupPlan
	memberships                                                                          int // of people
	openActive, privateActive, openArchived, privateArchived                             int // bidding is private and active
	extraLists, groupGrants, groupLists, eligible                                        int
	rows, contractRows, expiring                                                         int
	attributes, restricted                                                               int
	schemas, ruledRoles, ruleGroups, rules                                               int
	keys, keysWithPrivate, reviews, guests, links                                        int
	producer                                                                             rolecall.RoleName
	roles                                                                                func() []rolecall.Role
}

type groupPlan struct {
	regions, sites, departments, teams, units int // of the whole studio
	local, vendorTeams                        int
}

func planOf(size Size) plan {
	switch size {
	case Small:
		return plan{
			administrators: 1, production: 2, leads: 3, artists: 10, freelancers: 4, inactive: 11, services: 3,
			groups: groupPlan{departments: 4}, memberships: 31,
			openActive: 3, privateActive: 2, openArchived: 4,
			extraLists: 4, rows: 24, contractRows: 2, expiring: 4,
			attributes: 30, restricted: 4, keys: 2, keysWithPrivate: 1, reviews: 6, guests: 15,
			producer: ProjectManager, roles: smallRoles,
		}
	case Mid:
		return plan{
			administrators: 3, production: 28, leads: 34, artists: 275, freelancers: 40, support: 20,
			inactive: 260, services: 12,
			groups:      groupPlan{sites: 2, departments: 12, teams: 30, local: 27},
			memberships: 1150,
			openActive:  8, privateActive: 16, openArchived: 30, privateArchived: 6,
			extraLists: 108, groupGrants: 10, groupLists: 50, eligible: 380, rows: 2300, contractRows: 3, expiring: 55,
			attributes: 140, restricted: 38, schemas: 4, ruledRoles: 9, ruleGroups: 210, rules: 900,
			keys: 22, keysWithPrivate: 6, reviews: 90, guests: 350, links: 40,
			producer: Coordinator, roles: midRoles,
		}
	case Large:
		return plan{
			administrators: 14, siteAdministrators: 60, production: 260, leads: 300, artists: 2200, support: 166,
			vendors: 14, vendorPeople: 900, inactive: 4800, services: 60,
			groups:      groupPlan{regions: 3, sites: 6, departments: 108, teams: 165, units: 90, vendorTeams: 42},
			memberships: 14500,
			openActive:  10, privateActive: 60, openArchived: 58, privateArchived: 12,
			extraLists: 1640, groupGrants: 100, groupLists: 1000, eligible: 4500, rows: 52000, contractRows: 5, expiring: 1900,
			attributes: 420, restricted: 130, schemas: 11, ruledRoles: 24, ruleGroups: 2600, rules: 14000,
			keys: 160, keysWithPrivate: 35, reviews: 600, guests: 4000,
			producer: Coordinator, roles: largeRoles,
		}
	}
	panic(fmt.Sprintf("ftrack: no studio of size %d", size))
}

// A studio is a World in the making. Everything random comes from one source, asked in a fixed order, so that a size and
// a seed always give the same world.
type studio struct {
	plan
	World
	random *rand.Rand

	administrators, siteAdministrators, production, leads, support, outside []rolecall.Subject
	vendorOf                                                                map[rolecall.Subject]int // of outside
	departments, teams, staffGroups                                         []rolecall.Subject
	freelance                                                               rolecall.Subject
	memberOf                                                                map[rolecall.Membership]bool
}

// Studio generates a studio of the given size: the same one for the same seed. Its numbers are those of a plausible
// studio, not of a measured one. It panics for a size that does not exist.
func Studio(size Size, seed uint64) *World {
	s := &studio{
		plan:     planOf(size),
		random:   rand.New(rand.NewPCG(seed, uint64(size))),
		vendorOf: map[rolecall.Subject]int{},
		memberOf: map[rolecall.Membership]bool{},
		World:    World{Now: time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC), seed: seed},
	}
	s.Declarations = Declarations()
	s.makeProjects()
	s.hire()
	s.makeGroups()
	s.fillGroups()
	s.writeRoles()
	s.grantDirectly()
	s.grantToGroups()
	s.makeEligible()
	s.invite()
	s.issueKeys()
	s.pickCast()
	return &s.World
}

func (s *studio) say(statement rolecall.Statement) { s.Statements = append(s.Statements, statement) }

// some returns n different elements of all, in random order; all of them where there are fewer.
func some[E any](random *rand.Rand, n int, all []E) []E {
	picked := slices.Clone(all)
	random.Shuffle(len(picked), func(i, j int) { picked[i], picked[j] = picked[j], picked[i] })
	return picked[:min(n, len(picked))]
}

// share returns the size of part i when total is split evenly into n parts.
func share(total, n, i int) int { return total*(i+1)/n - total*i/n }
