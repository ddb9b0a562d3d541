package review

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/rolecall-go/rolecall"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{"instant": instant}).Parse(pageText))

// soon is how long before its end a row is marked on the page.
const soon = 30 * 24 * time.Hour

// fewItems is how many permissions are shown without unfolding them.
const fewItems = 4

// WriteHTML writes the report as one page that needs nothing outside of it: no scripts, no fonts, no pictures. It can be
// mailed, printed and archived. Columns of which the report knows nothing are left out.
// What would turn text around or hide part of it is shown as something else.
func (r *Report) WriteHTML(w io.Writer) error {
	var b strings.Builder
	if err := pageTemplate.Execute(&b, newPage(r)); err != nil {
		return err
	}
	_, err := io.WriteString(w, shown(b.String()))
	return err
}

// A page is what the template shows.
type page struct {
	*Report
	Groups                []group
	States                []tally
	Soon, Overdue         int
	Dated, Used, Reviewed bool
}

// A group has the lines of one subject.
type group struct {
	Subject rolecall.Subject
	Rows    []line
}

// A tally counts the rows of one state.
type tally struct {
	State State
	N     int
}

// A line is a row with what is shown of it.
type line struct {
	Row
	at time.Time
}

func newPage(r *Report) page {
	p := page{Report: r}
	var states [len(stateNames)]int
	for _, row := range r.Rows {
		if n := len(p.Groups); n == 0 || p.Groups[n-1].Subject != row.Subject {
			p.Groups = append(p.Groups, group{Subject: row.Subject})
		}
		here := &p.Groups[len(p.Groups)-1]
		one := line{row, r.At}
		here.Rows = append(here.Rows, one)
		states[row.State]++
		if one.Nearing() == "warn" {
			p.Soon++
		}
		if one.Late() == "bad" {
			p.Overdue++
		}
		p.Dated = p.Dated || row.Given != nil || !row.Since.IsZero()
		p.Used = p.Used || row.UseKnown || !row.LastUsed.IsZero()
		p.Reviewed = p.Reviewed || !row.Due.IsZero()
	}
	for state, n := range states {
		if n > 0 {
			p.States = append(p.States, tally{State(state), n})
		}
	}
	return p
}

// Subjects counts whose rows there are.
func (p page) Subjects() int { return len(p.Groups) }

// Columns counts the columns of the table.
func (p page) Columns() int {
	n := 6
	for _, shown := range []bool{p.Dated, p.Used, p.Reviewed} {
		if shown {
			n++
		}
	}
	return n
}

// Notes tells what a grant or an override is marked with, and its condition.
func (l line) Notes() string {
	text := strings.ReplaceAll(l.marks(), "; ", ", ")
	if c := l.condition(); c != "" {
		text = strings.TrimSpace(text + " when " + c)
	}
	return text
}

// A step is a group on the way, and how the one before came into it.
type step struct {
	Group  rolecall.Subject
	Origin string
}

// Steps are the groups on the way.
func (l line) Steps() []step {
	var steps []step
	for i, g := range l.Path[1:] {
		s := step{Group: g}
		if i < len(l.Joined) {
			s.Origin = origin{l.Joined[i]}.String()
		}
		steps = append(steps, s)
	}
	return steps
}

// Items counts what the row gives and takes.
func (l line) Items() int { return len(l.Gives) + len(l.Takes) }

// Few says whether everything is shown at once.
func (l line) Few() bool { return l.Items() > 0 && l.Items() <= fewItems }

// Count tells how many permissions are folded up.
func (l line) Count() string {
	switch gives, takes := len(l.Gives), len(l.Takes); {
	case takes == 0:
		return fmt.Sprintf("gives %d permissions", gives)
	case gives == 0:
		return fmt.Sprintf("takes %d permissions", takes)
	default:
		return fmt.Sprintf("gives %d, takes %d permissions", gives, takes)
	}
}

// By tells who gave it, when that differs from since when it is there, and why.
func (l line) By() string {
	if l.Given == nil {
		return ""
	}
	text := "by " + origin{l.Given}.by()
	if of := (origin{l.Given}).onBehalf(); of != "" {
		text += " for " + of
	}
	if !l.Given.Time.Equal(l.Since) {
		text += " on " + instant(l.Given.Time)
	}
	if l.Given.Reason != "" {
		text += ": " + l.Given.Reason
	}
	return text
}

// Tone is the class of the state's mark.
func (l line) Tone() string {
	switch l.State {
	case Active:
		return "good"
	case Eligible, Upcoming:
		return "warn"
	case Suspended, Expired:
		return "bad"
	}
	return ""
}

// Nearing is the class of the mark of a row's end: it warns where that is near.
func (l line) Nearing() string {
	end := l.Window.NotAfter
	if end.IsZero() || !l.at.Before(end) || end.Sub(l.at) > soon {
		return ""
	}
	return "warn"
}

// Late is the class of the mark of a review that is due.
func (l line) Late() string {
	if l.Due.IsZero() || l.Due.After(l.at) {
		return ""
	}
	return "bad"
}
