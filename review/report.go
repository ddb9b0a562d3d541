package review

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/internal/roles"
	"github.com/rolecall-go/rolecall/internal/statements"
)

// Options say what a report tells beside who has what. A nil *Options is the zero Options.
type Options struct {
	// AsGranted lists groups, and everyone, by their names. Otherwise the people in a group are listed in its place, also
	// those whose membership is over or not yet valid; a group that nobody is in is still listed by its name.
	AsGranted bool
	// Provenance tells since when, by whom and why: see rolecall.Trace. Nil leaves that out.
	Provenance *rolecall.Provenance
	// LastUsed tells when a subject last did p at t or inside it, the zero Time where it never did, and false where that is
	// not known: see Usage. Nil leaves that out.
	LastUsed func(who rolecall.Subject, p rolecall.Permission, t rolecall.Scope) (time.Time, bool)
	// Every is how long after a row was given, or last reviewed, it is to be reviewed; zero is never. It is asked of rows
	// that are complete but for Due. Nil leaves that out.
	Every func(Row) time.Duration
	// Reviewed tells when a row was last reviewed, and whether it was at all. Nil says that none was.
	Reviewed func(Row) (time.Time, bool)
}

// A Report is an access review. The rows are in order of subject, then scope, then statement.
type Report struct {
	Of       string            `json:"of"` // the place, the subject or the role, in its text form
	Revision rolecall.Revision `json:"revision"`
	At       time.Time         `json:"at"` // the instant at which everything is judged
	Rows     []Row             `json:"rows"`
}

// OfScope reviews a place: who has something there, through statements around it, at it and inside it. Statements at the
// place and around it are judged at the place, those inside at their own.
func OfScope(s *rolecall.Snapshot, t rolecall.Scope, o *Options) (*Report, error) {
	r, err := newReviewer(s, o)
	if err != nil {
		return nil, err
	}
	anybody, err := s.For(rolecall.Everyone(), nil)
	if err != nil {
		return nil, err
	}
	if _, err := anybody.Rules(t); err != nil { // only to know that the place can be asked about
		return nil, err
	}
	reach := slices.Concat(s.Around(t), s.Below(t))
	return r.report(t.String(), r.subjectsOf(reach), r.listed, func(one rolecall.Statement) (rolecall.Scope, bool) {
		switch at := statements.Scope(one); {
		case at.Contains(t):
			return t, true
		default:
			return at, t.Contains(at)
		}
	})
}

// OfSubject reviews a subject, or a group as if it were one: everything that reaches it anywhere, its own, through groups
// and as everyone. Each statement is judged at its own place.
func OfSubject(s *rolecall.Snapshot, who rolecall.Subject, o *Options) (*Report, error) {
	r, err := newReviewer(s, o)
	if err != nil {
		return nil, err
	}
	if _, err := s.For(who, nil); err != nil {
		return nil, err
	}
	return r.report(who.String(), []rolecall.Subject{who}, r.ways, func(one rolecall.Statement) (rolecall.Scope, bool) {
		return statements.Scope(one), true
	})
}

// OfRole reviews a role: who has it, or a role that inherits from it, and where. Each grant is judged at its own place.
func OfRole(s *rolecall.Snapshot, name rolecall.RoleName, o *Options) (*Report, error) {
	r, err := newReviewer(s, o)
	if err != nil {
		return nil, err
	}
	if _, found := s.Role(name); !found {
		return nil, roles.Undefined(name)
	}
	var grants []rolecall.Statement
	wanted := map[rolecall.RoleName]bool{}
	for _, heir := range roles.Heirs(s, name) {
		wanted[heir] = true
		for _, use := range s.UsesOf(heir) {
			if _, isGrant := use.(rolecall.Grant); isGrant {
				grants = append(grants, use)
			}
		}
	}
	return r.report("role "+string(name), r.subjectsOf(grants), r.listed, func(one rolecall.Statement) (rolecall.Scope, bool) {
		g, isGrant := one.(rolecall.Grant)
		return statements.Scope(one), isGrant && wanted[g.Role]
	})
}

// A reviewer makes one report.
type reviewer struct {
	snapshot *rolecall.Snapshot
	options  Options
	dossiers map[rolecall.Subject]*dossier
	roads    map[rolecall.Subject][]way
	roles    map[rolecall.RoleName]vocabulary
	judged   map[spot]effects
}

func newReviewer(s *rolecall.Snapshot, o *Options) (*reviewer, error) {
	if s.Now().IsZero() {
		return nil, errors.New("a review is made at an instant: call Snapshot.At first")
	}
	r := &reviewer{
		snapshot: s, dossiers: map[rolecall.Subject]*dossier{}, roads: map[rolecall.Subject][]way{},
		roles: map[rolecall.RoleName]vocabulary{}, judged: map[spot]effects{},
	}
	if o != nil {
		r.options = *o
	}
	return r, nil
}

// subjectsOf lists whose rows a report has, given the statements that it is about.
func (r *reviewer) subjectsOf(statements []rolecall.Statement) []rolecall.Subject {
	holders, subjects := map[rolecall.Subject]bool{}, map[rolecall.Subject]bool{}
	for _, one := range statements {
		switch one := one.(type) {
		case rolecall.Grant:
			holders[one.Subject] = true
		case rolecall.Override:
			holders[one.Subject] = true
		}
	}
	for h := range holders {
		if r.options.AsGranted {
			subjects[h] = true
		} else {
			r.people(h, subjects)
		}
	}
	return slices.SortedFunc(maps.Keys(subjects), rolecall.Subject.Compare)
}

// listed returns the ways of a subject that a list of many tells.
func (r *reviewer) listed(who rolecall.Subject) []way {
	if r.options.AsGranted {
		return []way{{path: []rolecall.Subject{who}}}
	}
	return r.ways(who)
}

// report makes the rows of the subjects, of the statements that are wanted; where tells at which place one is judged.
func (r *reviewer) report(of string, subjects []rolecall.Subject, ways func(rolecall.Subject) []way, where func(rolecall.Statement) (at rolecall.Scope, wanted bool)) (*Report, error) {
	report := &Report{Of: of, Revision: r.snapshot.Revision(), At: r.snapshot.Now()}
	for _, who := range subjects {
		first := len(report.Rows)
		for _, w := range ways(who) {
			for _, one := range r.dossier(w.holder()).says {
				at, wanted := where(one)
				if !wanted {
					continue
				}
				row, err := r.row(who, w, one, at)
				if err != nil {
					return nil, err
				}
				report.Rows = append(report.Rows, row)
			}
		}
		slices.SortFunc(report.Rows[first:], func(a, b Row) int {
			return cmp.Or(a.Scope.Compare(b.Scope), compareStatements(a.Statement, b.Statement))
		})
	}
	return report, nil
}

// row tells everything of one statement that reaches a subject.
func (r *reviewer) row(who rolecall.Subject, w way, one rolecall.Statement, at rolecall.Scope) (Row, error) {
	all, err := r.judge(who, at)
	if err != nil {
		return Row{}, err
	}
	e := all[rolecall.KeyOf(one)]
	if e == nil {
		e = &effect{}
	}
	row := Row{Subject: who, Path: w.path, Statement: one, Scope: at, Gives: e.gives, Takes: e.takes, Window: overlap(w.window, statements.Window(one))}
	if g, ok := one.(rolecall.Grant); ok {
		role, _ := r.snapshot.Role(g.Role)
		row.Title = role.Title
	}
	row.State = r.state(row, w, e)
	if err := r.trace(&row); err != nil {
		return Row{}, err
	}
	row.LastUsed, row.UseKnown = r.lastUsed(row)
	row.Due = r.due(row)
	return row, nil
}

// state tells what a row amounts to. What has an effect is active, whatever else is to be said of it: denials stand, also
// those of a suspended group.
func (r *reviewer) state(row Row, w way, e *effect) State {
	now := r.snapshot.Now()
	g, _ := row.Statement.(rolecall.Grant)
	switch {
	case len(e.gives) > 0 || len(e.takes) > 0 || e.cuts:
		return Active
	case !row.Window.NotAfter.IsZero() && !now.Before(row.Window.NotAfter):
		return Expired
	case now.Before(row.Window.NotBefore):
		return Upcoming
	case w.suspended || r.dossier(row.Subject).suspended:
		return Suspended
	case g.Eligible:
		return Eligible
	case e.private:
		return Private
	}
	return NoEffect
}

// lastUsed returns the latest use of what a row gives, of a group by anybody in it or as the group, and whether all uses are
// known. Of a group they never are: whom a token vouched into it the policy does not tell.
func (r *reviewer) lastUsed(row Row) (last time.Time, known bool) {
	if r.options.LastUsed == nil || len(row.Gives) == 0 {
		return last, false
	}
	users := map[rolecall.Subject]bool{row.Subject: true}
	r.people(row.Subject, users)
	known = !row.Subject.IsGroup() || row.Subject == rolecall.Everyone()
	for who := range users {
		for _, item := range row.Gives {
			at, told := r.options.LastUsed(who, item.Permission, row.Scope)
			if last = later(last, at); !told {
				known = false
			}
		}
	}
	return last, known
}

// due counts from when the row was given or last reviewed, whichever is later. Where neither is known it is due at once.
func (r *reviewer) due(row Row) time.Time {
	if r.options.Every == nil {
		return time.Time{}
	}
	every := r.options.Every(row)
	if every <= 0 {
		return time.Time{}
	}
	from := row.Since
	if r.options.Reviewed != nil {
		if at, reviewed := r.options.Reviewed(row); reviewed && at.After(from) {
			from = at
		}
	}
	if from.IsZero() {
		return r.snapshot.Now()
	}
	return from.Add(every)
}
