package main

import (
	"database/sql"
	_ "embed"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/policy"
	"github.com/rolecall-go/rolecall/sqlsource"
)

//go:embed roles.rolecall
var rolesText []byte

// queries says what the host's rows mean. A user that is disabled is suspended; teams are groups, in each other as the
// table has it; a project's team works on it and its lead plans it; what is confidential is for these alone.
func queries(roles *policy.File) []sqlsource.Query {
	return []sqlsource.Query{
		{Name: "roles", Fixed: roles.Statements},
		{Name: "users", SQL: `SELECT id FROM users WHERE disabled`, Map: suspended},
		{Name: "teams", SQL: `SELECT id, parent FROM teams WHERE parent IS NOT NULL`, Map: within},
		{Name: "team members", SQL: `SELECT "user", team, until FROM team_members`, Map: member},
		{Name: "projects", SQL: `SELECT id, team, lead, confidential FROM projects`, Map: project},
	}
}

func suspended(row sqlsource.Row) ([]rolecall.Statement, error) {
	var user string
	err := row.Scan(&user)
	return []rolecall.Statement{rolecall.Suspension{Subject: rolecall.User(user)}}, err
}

func within(row sqlsource.Row) ([]rolecall.Statement, error) {
	var team, parent string
	err := row.Scan(&team, &parent)
	return []rolecall.Statement{rolecall.Membership{Member: rolecall.Group(team), Group: rolecall.Group(parent)}}, err
}

func member(row sqlsource.Row) ([]rolecall.Statement, error) {
	var user, team string
	var until sql.NullTime
	err := row.Scan(&user, &team, &until)
	return []rolecall.Statement{rolecall.Membership{
		Member: rolecall.User(user), Group: rolecall.Group(team), Window: rolecall.Window{NotAfter: until.Time},
	}}, err
}

func project(row sqlsource.Row) ([]rolecall.Statement, error) {
	var id, team string
	var lead sql.NullString
	var confidential bool
	if err := row.Scan(&id, &team, &lead, &confidential); err != nil {
		return nil, err
	}
	place := rolecall.In("project", id)
	list := []rolecall.Statement{rolecall.Grant{Subject: rolecall.Group(team), Role: "member", Scope: place}}
	if lead.Valid {
		list = append(list, rolecall.Grant{Subject: rolecall.User(lead.String), Role: "lead", Scope: place})
	}
	if confidential {
		list = append(list, rolecall.PrivateScope{Scope: place})
	}
	return list, nil
}
