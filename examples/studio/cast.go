package main

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/ftrack"
)

// A cast says whom and what the report looks at. What a policy has no example of is left zero.
type cast struct {
	who    rolecall.Subject    // may do something
	where  rolecall.Scope      // here
	may    rolecall.Permission // this, for example
	mayNot rolecall.Permission // but not that
	loses  rolecall.Permission // what an edit of a role takes away from who

	boss     rolecall.Subject    // holds something everywhere
	outsider rolecall.Subject    // may not
	wants    rolecall.Permission // do this
	closed   rolecall.Scope      // here

	leaver leaver

	page    []row
	columns []rolecall.Permission
	readers []rolecall.Subject // of the page
}

// A leaver may do something now that ends with a statement.
type leaver struct {
	who        rolecall.Subject
	permission rolecall.Permission
	where      rolecall.Scope
	facts      rolecall.Given
	statement  rolecall.Statement
	window     rolecall.Window
}

// A row is a target of a page, and what holds of it for somebody.
type row struct {
	scope rolecall.Scope
	facts func(rolecall.Subject) rolecall.Given
}

const pageRows = 5000

// castOf returns the cast of a generated studio.
func castOf(w *ftrack.World) cast {
	c := cast{
		who: w.Cast.Artist, where: w.Cast.Shot, may: ftrack.ShotStatusUpdate, mayNot: ftrack.ShotDelete,
		loses: ftrack.ComponentDownload,
		boss:  w.Cast.Administrator, outsider: w.Cast.Outsider, wants: ftrack.ProjectView, closed: w.Cast.Backlot,
		leaver: leaver{
			w.Cast.Freelancer, ftrack.VersionPublish, w.Cast.Contract.Scope, rolecall.Given{ftrack.Assigned},
			w.Cast.Contract, w.Cast.Contract.Window,
		},
		columns: []rolecall.Permission{ftrack.VersionView, ftrack.VersionStatusUpdate, ftrack.VersionDelete},
		readers: []rolecall.Subject{w.Cast.Artist, w.Cast.Administrator, w.Cast.Outsider},
	}
	for _, v := range w.Page(pageRows) {
		c.page = append(c.page, row{v.Scope, v.Facts})
	}
	return c
}

// choose looks for a cast in any policy.
func choose(s *rolecall.Snapshot) (cast, error) {
	var c cast
	err := errors.Join(chooseWho(s, &c), chooseOutsider(s, &c), chooseLeaver(s, &c))
	if err != nil || c.who.IsZero() {
		return c, err
	}
	return c, choosePage(s, &c)
}

// chooseWho takes Ada where she may do something, otherwise the first user who may, otherwise anybody.
func chooseWho(s *rolecall.Snapshot, c *cast) error {
	for _, wanted := range []func(rolecall.Subject) bool{
		func(who rolecall.Subject) bool { return who == rolecall.User("ada") },
		func(who rolecall.Subject) bool { return who.Kind() == rolecall.KindUser },
		func(who rolecall.Subject) bool { return !who.IsGroup() },
	} {
		for place := range places(s) {
			if !wanted(place.subject) {
				continue
			}
			may, err := everyday(s, place.subject, place.scope, nil)
			if err != nil {
				return err
			}
			if len(may) > 0 {
				c.who, c.where, c.may, c.loses = place.subject, place.scope, may[0], may[0]
				c.mayNot = firstOutside(s, may)
				return nil
			}
		}
	}
	return nil
}

// A place is where a policy gives somebody something.
type place struct {
	subject rolecall.Subject
	scope   rolecall.Scope
}

// enough bounds how much of a large policy is looked through for an example.
const enough = 20

// places yields the subjects and scopes of grants and overrides; what a group is given also for people of the policy,
// since it may be they who have it.
func places(s *rolecall.Snapshot) iter.Seq[place] {
	people := some(s)
	return func(yield func(place) bool) {
		for statement := range s.Statements() {
			at := given(statement)
			if at.scope.IsZero() {
				continue
			}
			if !yield(at) {
				return
			}
			for _, who := range people {
				if at.subject.IsGroup() && !yield(place{who, at.scope}) {
					return
				}
			}
		}
	}
}

// some returns a few subjects of the policy that are no groups, Ada and other users first.
func some(s *rolecall.Snapshot) []rolecall.Subject {
	var users, others []rolecall.Subject
	for who := range s.Subjects() {
		switch {
		case who == rolecall.User("ada"):
			users = append([]rolecall.Subject{who}, users...)
		case who.Kind() == rolecall.KindUser:
			users = append(users, who)
		case !who.IsGroup():
			others = append(others, who)
		}
	}
	people := append(users, others...)
	return people[:min(len(people), enough)]
}

func given(statement rolecall.Statement) place {
	switch st := statement.(type) {
	case rolecall.Grant:
		return place{st.Subject, st.Scope}
	case rolecall.Override:
		return place{st.Subject, st.Scope}
	}
	return place{}
}

// everyday returns what the subject may do, without the permissions to manage policy.
func everyday(s *rolecall.Snapshot, who rolecall.Subject, at rolecall.Scope, facts rolecall.Facts) ([]rolecall.Permission, error) {
	view, err := s.For(who, nil)
	if err != nil {
		return nil, err
	}
	may, err := view.Permissions(at, facts)
	return slices.DeleteFunc(may, rolecall.Permission.IsBuiltin), err
}

// firstOutside returns the first permission that is not in may, one of the same kind of thing as the first in it if
// there is one; zero where may is everything.
func firstOutside(s *rolecall.Snapshot, may []rolecall.Permission) rolecall.Permission {
	kind, _, _ := strings.Cut(may[0].String(), ".")
	var first rolecall.Permission
	for p := range s.Catalog().Permissions() {
		if p.IsBuiltin() || slices.Contains(may, p) {
			continue
		}
		if strings.HasPrefix(p.String(), kind+".") {
			return p
		}
		if first.IsZero() {
			first = p
		}
	}
	return first
}

// chooseOutsider looks for somebody who may not do in some place what others may, private places first.
func chooseOutsider(s *rolecall.Snapshot, c *cast) error {
	var private, other []rolecall.Scope
	for statement := range s.Statements() {
		if p, ok := statement.(rolecall.PrivateScope); ok {
			private = append(private, p.Scope)
		} else if at := given(statement); !at.scope.IsZero() && !at.scope.IsGlobal() {
			other = append(other, at.scope)
		}
	}
	for _, scope := range slices.Concat(private[:min(len(private), enough)], other[:min(len(other), enough)]) {
		for _, p := range views(s) {
			insiders, everyone, err := s.Who(p, scope, nil)
			if err != nil {
				return err
			}
			if who := outsider(s, insiders); len(insiders) > 0 && !everyone && !who.IsZero() {
				c.outsider, c.wants, c.closed = who, p, scope
				return nil
			}
		}
	}
	return nil
}

// views returns the permissions of the catalog, those to see something first.
func views(s *rolecall.Snapshot) []rolecall.Permission {
	var see, act []rolecall.Permission
	for p := range s.Catalog().Permissions() {
		switch {
		case p.IsBuiltin():
		case strings.HasSuffix(p.String(), ".view"):
			see = append(see, p)
		default:
			act = append(act, p)
		}
	}
	return append(see, act...)
}

// outsider returns the first user of the policy, or else the first subject but a group, that is not among insiders and
// not switched off.
func outsider(s *rolecall.Snapshot, insiders []rolecall.Subject) rolecall.Subject {
	var found rolecall.Subject
	for who := range s.Subjects() {
		_, suspended := s.Find(rolecall.KeyOf(rolecall.Suspension{Subject: who}))
		if who.IsGroup() || suspended || slices.Contains(insiders, who) {
			continue
		}
		if who.Kind() == rolecall.KindUser {
			return who
		}
		if found.IsZero() {
			found = who
		}
	}
	return found
}

// chooseLeaver looks for the statement that ends next and takes something away by that.
func chooseLeaver(s *rolecall.Snapshot, c *cast) error {
	var ending []leaver
	for statement := range s.Statements() {
		if l := leaving(statement); l.window.Open(s.Now()) && !l.window.NotAfter.IsZero() && !l.who.IsGroup() {
			ending = append(ending, l)
		}
	}
	slices.SortStableFunc(ending, func(a, b leaver) int { return a.window.NotAfter.Compare(b.window.NotAfter) })
	for _, l := range ending[:min(len(ending), enough)] {
		found, err := loses(s, &l)
		if err != nil {
			return err
		}
		if found {
			c.leaver = l
			return nil
		}
	}
	return nil
}

func leaving(statement rolecall.Statement) leaver {
	switch st := statement.(type) {
	case rolecall.Grant:
		return leaver{who: st.Subject, where: st.Scope, statement: st, window: st.Window}
	case rolecall.Override:
		return leaver{who: st.Subject, where: st.Scope, statement: st, window: st.Window}
	case rolecall.Membership:
		return leaver{who: st.Member, where: rolecall.Global(), statement: st, window: st.Window}
	}
	return leaver{}
}

// loses looks for a permission that ends with the statement: without facts, or where one condition holds. A membership
// is looked at where its group is given something.
func loses(s *rolecall.Snapshot, l *leaver) (bool, error) {
	where := []rolecall.Scope{l.where}
	if m, ok := l.statement.(rolecall.Membership); ok {
		for place := range places(s) {
			if place.subject == m.Group {
				where = append(where, place.scope)
			}
		}
	}
	facts := []rolecall.Given{nil}
	for _, c := range s.Catalog().Declarations().Conditions {
		facts = append(facts, rolecall.Given{c.Condition})
	}
	for _, at := range where {
		for _, given := range facts {
			before, err := everyday(s, l.who, at, given)
			if err != nil {
				return false, err
			}
			after, err := everyday(s.At(l.window.NotAfter), l.who, at, given)
			if err != nil {
				return false, err
			}
			for _, p := range before {
				if !slices.Contains(after, p) {
					l.permission, l.where, l.facts = p, at, given
					return true, nil
				}
			}
		}
	}
	return false, nil
}

// choosePage makes up a page of targets below the place of the cast.
func choosePage(s *rolecall.Snapshot, c *cast) error {
	kinds := s.Catalog().Declarations().ScopeKinds
	if len(kinds) == 0 || c.where.Depth() == maxDepth {
		return nil
	}
	kind := kinds[0].Kind
	for _, k := range kinds {
		if k.Kind == "version" {
			kind = k.Kind
		}
	}
	for i := range pageRows {
		c.page = append(c.page, row{
			scope: c.where.In(kind, fmt.Sprintf("row-%d", i+1)),
			facts: func(rolecall.Subject) rolecall.Given { return nil },
		})
	}
	c.readers = []rolecall.Subject{c.who}
	if !c.outsider.IsZero() && c.outsider != c.who {
		c.readers = append(c.readers, c.outsider)
	}
	c.columns = []rolecall.Permission{c.may}
	if !c.mayNot.IsZero() {
		c.columns = append(c.columns, c.mayNot)
	}
	return nil
}

// maxDepth is how many segments a scope has at most.
const maxDepth = 16
