package review

import (
	"encoding/csv"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/rolecall-go/rolecall"
)

var csvHeader = []string{
	"subject", "through", "what", "where", "state", "condition", "marks", "gives", "takes", "since", "given by", "on behalf of", "why", "given at",
	"revision", "joined", "role changed", "from", "expires", "last used", "review due", "statement",
}

// WriteCSV writes the report as comma-separated values with a header, one row a line, instants in RFC 3339 or as dates at
// midnight UTC, lists separated by semicolons.
//
// Spreadsheets take a cell that begins with =, +, - or @ for a formula, and split cells at whatever their locale separates
// columns by. So an apostrophe is put before such a character wherever a cell could begin. What would turn text around, hide
// part of it or act on a terminal is written as something else. Read the JSON where the exact text is wanted.
func (r *Report) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write(csvHeader); err != nil {
		return err
	}
	for _, row := range r.Rows {
		cells := row.cells()
		for i, text := range cells {
			cells[i] = harmless(shown(text))
		}
		if err := out.Write(cells); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func (r Row) cells() []string {
	given := origin{r.Given}
	return []string{
		r.Subject.String(), r.Through(), r.What(), r.Scope.String(), r.State.String(), r.condition(), r.marks(), join(r.Gives), join(r.Takes), instant(r.Since),
		given.by(), given.onBehalf(), given.why(), given.at(), given.revision(), r.joined(), origin{r.Defined}.String(),
		instant(r.Window.NotBefore), instant(r.Window.NotAfter), r.used(), instant(r.Due), r.Statement.String(),
	}
}

// formula matches what a spreadsheet could take for the beginning of a formula, where a cell could begin.
var formula = regexp.MustCompile(`(^|[,;\t\r\n|])([ \x{A0}"]*)([=+\-@＝＋－＠])`)

// harmless returns text that no spreadsheet calculates.
func harmless(text string) string { return formula.ReplaceAllString(text, "$1$2'$3") }

// shown returns text with something else for each letter that would turn the text around, hide part of it or act on a
// terminal. Lines and tabs stay.
func shown(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) && !strings.ContainsRune("\t\r\n", r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return rolecall.FormatTime(t)
}

// used tells when the row was last used, "never" where that is known.
func (r Row) used() string {
	if r.LastUsed.IsZero() && r.UseKnown {
		return "never"
	}
	return instant(r.LastUsed)
}

func join(items []Item) string {
	words := make([]string, len(items))
	for i, item := range items {
		words[i] = item.String()
	}
	return strings.Join(words, "; ")
}

func (r Row) condition() string {
	switch one := r.Statement.(type) {
	case rolecall.Grant:
		return string(one.When)
	case rolecall.Override:
		return string(one.When)
	}
	return ""
}

// marks tells what a grant is marked with.
func (r Row) marks() string {
	g, _ := r.Statement.(rolecall.Grant)
	var words []string
	for _, mark := range []struct {
		set  bool
		word string
	}{{g.Replace, "replace"}, {g.Pierce, "pierce"}, {g.Eligible, "eligible"}} {
		if mark.set {
			words = append(words, mark.word)
		}
	}
	return strings.Join(words, "; ")
}

// joined tells of each membership on the path where it comes from.
func (r Row) joined() string {
	var words []string
	for i, o := range r.Joined {
		if text := (origin{o}).String(); text != "" {
			words = append(words, r.Path[i+1].String()+": "+text)
		}
	}
	return strings.Join(words, "; ")
}

// An origin is shown by its parts, all empty where the history does not tell.
type origin struct{ *rolecall.Origin }

// String tells when, who and why on one line.
func (o origin) String() string {
	if o.Origin == nil {
		return ""
	}
	text := o.at() + " by " + o.by()
	if o.onBehalf() != "" {
		text += " for " + o.onBehalf()
	}
	if o.Reason != "" {
		text += " (" + o.Reason + ")"
	}
	return strings.TrimSpace(text)
}

func (o origin) by() string {
	switch {
	case o.Origin == nil:
		return ""
	case o.Actor.IsZero():
		return "the host"
	}
	return o.Actor.String()
}

func (o origin) onBehalf() string {
	if o.Origin == nil || o.OnBehalf.IsZero() {
		return ""
	}
	return o.OnBehalf.String()
}

func (o origin) why() string {
	if o.Origin == nil {
		return ""
	}
	return o.Reason
}

func (o origin) at() string {
	if o.Origin == nil {
		return ""
	}
	return instant(o.Time)
}

func (o origin) revision() string {
	if o.Origin == nil {
		return ""
	}
	return strconv.FormatUint(uint64(o.Revision), 10)
}
