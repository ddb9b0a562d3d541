package rolecall_test

import (
	"fmt"
	"testing"

	"github.com/rolecall-go/rolecall"
)

// company is a policy of users in departments, each with roles on some projects. The actor is a project lead who may
// manage memberships, and has what departments have.
func company(b *testing.B, users int) *rolecall.Snapshot {
	statements := []rolecall.Statement{
		role("viewer", rule(rolecall.Allow, "", "*.view")), role("artist", rule(rolecall.Allow, "", "task.*", "*.update", "*.view")),
		role("helper", rule(rolecall.Allow, "assigned", "task.*")),
		role("people", rule(rolecall.Allow, "", "*", "rolecall.member.*", "rolecall.grant.*")),
		grant(everyone, "viewer", global), grant(ann, "people", global),
	}
	at := func(kind string, n int) rolecall.Scope { return rolecall.In("project", fmt.Sprint(kind, n)) }
	for n := range users / 100 {
		department := rolecall.Group(fmt.Sprint("department", n))
		for i := range 4 {
			statements = append(statements, grant(department, "artist", at("p", (n+i*7)%500)))
		}
		statements = append(statements, override(department, rolecall.Allow, "shot.view", at("p", n%500)))
	}
	for n := range users {
		user := rolecall.User(fmt.Sprint("u", n))
		statements = append(statements, member(user, rolecall.Group(fmt.Sprint("department", n%(users/100)))))
		if n%10 == 0 {
			statements = append(statements, grant(user, "helper", at("p", n%500)))
		}
	}
	s, err := rolecall.NewSnapshot(wideCatalog(b), statements...)
	if err != nil {
		b.Fatal(err)
	}
	return s.At(day(0))
}

// wideCatalog declares as many permissions as a studio has, about 300.
func wideCatalog(b *testing.B) *rolecall.Catalog {
	d := worldCatalog.Declarations()
	for n := range 70 {
		for _, action := range []string{"view", "create", "update", "delete"} {
			d.Permissions = append(d.Permissions, rolecall.PermissionDecl{Permission: rolecall.NewPermission(fmt.Sprintf("thing%d.%s", n, action))})
		}
	}
	c, err := rolecall.NewCatalog(d)
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// BenchmarkPropose makes one edit in a policy of that many users, by an actor and by the host.
func BenchmarkPropose(b *testing.B) {
	for _, users := range []int{1_000, 100_000} {
		s := company(b, users)
		for name, edit := range map[string]rolecall.Edit{
			"member": rolecall.Put(member(rolecall.User("u10"), rolecall.Group("department3"))),
			"grant":  rolecall.Put(grant(rolecall.User("u10"), "artist", project)),
		} {
			for by, actor := range map[string]rolecall.Subject{"host": {}, "actor": ann} {
				b.Run(fmt.Sprintf("%s/users=%d/by=%s", name, users, by), func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						if _, err := s.Propose(rolecall.Change{Meta: rolecall.Meta{Actor: actor}, Edits: []rolecall.Edit{edit}}); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}

// BenchmarkGuard gives a group what it has already, by an actor who has none of it, with that many members, places inside
// and windows in play: all of it is compared.
func BenchmarkGuard(b *testing.B) {
	for _, n := range []int{10, 40} {
		statements := []rolecall.Statement{
			role("people", rule(rolecall.Allow, "", "rolecall.grant.*")), grant(ann, "people", global),
			role("viewer", rule(rolecall.Allow, "", "task.view")), role("watcher", rule(rolecall.Allow, "", "task.view")), grant(layout, "viewer", global),
		}
		for i := range n {
			inside := project.In("shot", fmt.Sprint(i))
			statements = append(statements, member(rolecall.User(fmt.Sprint("u", i)), layout), override(layout, rolecall.Deny, "task.view", inside),
				until(grant(layout, "watcher", sibling.In("shot", fmt.Sprint(i))), i+1))
		}
		s, err := rolecall.NewSnapshot(worldCatalog, statements...)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprint("each=", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c := rolecall.Change{Meta: rolecall.Meta{Actor: ann, Time: day(0)}, Edits: []rolecall.Edit{rolecall.Put(grant(layout, "watcher", global))}}
				if _, err := s.Propose(c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
