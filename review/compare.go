package review

import (
	"errors"
	"iter"
	"slices"
	"strings"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/internal/statements"
)

// A Comparison tells two policies apart, each at its own instant: by what they say, and by what everybody may do, exactly
// and for all facts. It is immutable and safe for concurrent use.
type Comparison struct {
	statements []rolecall.Delta
	plan       *rolecall.Plan // from the first to the second, each without what does not count at its instant
}

// Compare compares two snapshots, for example those of AsOf for two days. They may have different catalogs: what only one
// of them declares is not allowed by the other. It costs a look at both whole policies, and the effect of what differs.
func Compare(before, after *rolecall.Snapshot) (*Comparison, error) {
	if before.Now().IsZero() || after.Now().IsZero() {
		return nil, errors.New("policies are compared each at an instant: call Snapshot.At first")
	}
	w := vocabularyOf(before.Catalog())
	w.add(after.Catalog())
	catalog, err := rolecall.NewCatalog(w.Declarations)
	if err != nil {
		return nil, err
	}
	from, err := rolecall.NewSnapshot(catalog, standing(before, catalog)...)
	if err != nil {
		return nil, err
	}
	edits, err := from.Sync(slices.Values(standing(after, catalog)), func(rolecall.Statement) bool { return true })
	if err != nil {
		return nil, err
	}
	plan, err := from.At(after.Now()).Plan(rolecall.Change{Edits: edits})
	if err != nil {
		return nil, err
	}
	return &Comparison{deltas(before.Statements(), after.Statements()), plan}, nil
}

// standing lists what counts of a policy at its instant, without windows, in a wider vocabulary. Constraints never alter a
// decision and are left out. What the policy does not declare, which none of its statements can name, is forbidden.
func standing(s *rolecall.Snapshot, wider *rolecall.Catalog) []rolecall.Statement {
	list := forbidden(s.Catalog(), wider)
	for one := range s.Statements() {
		_, binds := one.(rolecall.Constraint)
		if !binds && statements.Window(one).Open(s.Now()) {
			list = append(list, statements.During(rolecall.Window{}, one))
		}
	}
	return list
}

// forbidden lists overrides that forbid everybody what only the wider catalog declares.
func forbidden(c, wider *rolecall.Catalog) []rolecall.Statement {
	declared := map[rolecall.Permission]bool{}
	for p := range c.Permissions() {
		declared[p] = true
	}
	var list []rolecall.Statement
	for p := range wider.Permissions() {
		if !declared[p] {
			list = append(list, rolecall.Override{Subject: rolecall.Everyone(), Effect: rolecall.Forbid, Pattern: rolecall.Pattern(p.String()), Scope: rolecall.Global()})
		}
	}
	return list
}

// deltas tells two lists of statements in order of their keys apart.
func deltas(before, after iter.Seq[rolecall.Statement]) []rolecall.Delta {
	was := map[rolecall.StatementKey]rolecall.Statement{}
	for one := range before {
		was[rolecall.KeyOf(one)] = one
	}
	var list []rolecall.Delta
	for one := range after {
		key := rolecall.KeyOf(one)
		if !rolecall.Equal(was[key], one) {
			list = append(list, rolecall.Delta{Before: was[key], After: one})
		}
		delete(was, key)
	}
	for _, one := range was {
		list = append(list, rolecall.Delta{Before: one})
	}
	slices.SortFunc(list, func(a, b rolecall.Delta) int { return a.Key().Compare(b.Key()) })
	return list
}

// Statements returns what differs in what they say, windows included, in order of key. The caller owns the slice.
func (c *Comparison) Statements() []rolecall.Delta { return slices.Clone(c.statements) }

// Gained yields what somebody may do by the second policy and not by the first, in order of subject, permission and
// scope. What it says of Everyone holds for all subjects but those of Apart and the suspended.
func (c *Comparison) Gained() iter.Seq[rolecall.Difference] { return c.plan.Gained() }

// Lost yields what somebody may do by the first policy and not by the second, like Gained.
func (c *Comparison) Lost() iter.Seq[rolecall.Difference] { return c.plan.Lost() }

// Apart yields the subjects all of whose differences are their own: those of Everyone do not count for them.
func (c *Comparison) Apart() iter.Seq[rolecall.Subject] { return c.plan.Apart() }

// Gains says whether who may do p at t by the second policy and not by the first, given these facts in both.
func (c *Comparison) Gains(who rolecall.Subject, p rolecall.Permission, t rolecall.Scope, facts rolecall.Facts) bool {
	return c.plan.Gains(who, p, t, facts)
}

// Loses says whether who may do p at t by the first policy and not by the second, like Gains.
func (c *Comparison) Loses(who rolecall.Subject, p rolecall.Permission, t rolecall.Scope, facts rolecall.Facts) bool {
	return c.plan.Loses(who, p, t, facts)
}

// String summarises the comparison for people: what is said no more, what is said anew, and who gains and loses what.
func (c *Comparison) String() string {
	var b strings.Builder
	for _, d := range c.statements {
		for _, side := range []struct {
			sign string
			one  rolecall.Statement
		}{{"- ", d.Before}, {"+ ", d.After}} {
			if side.one != nil {
				b.WriteString(side.sign + strings.ReplaceAll(side.one.String(), "\n", "\n"+side.sign) + "\n")
			}
		}
	}
	_, effects, _ := strings.Cut(c.plan.String(), "\n")
	b.WriteString(effects)
	return b.String()
}
