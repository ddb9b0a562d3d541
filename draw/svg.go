package draw

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strings"
	"unicode"

	"github.com/rolecall-go/rolecall"
)

// Sizes, in pixels.
const (
	margin      = 24
	headHeight  = 74 // verdict and question
	placeHeight = 40
	holderWidth = 200
	columnWidth = 290
	cardWidth   = 266
	cardGap     = 12
	rowGap      = 14
	lineHeight  = 17
	cardPadding = 12
	legend      = 40
)

// How many narrow letters fit.
const (
	cardLetters   = 37
	placeLetters  = 34
	holderLetters = 24
	pixelsALetter = 8 // in the question above the table
)

const style = `
    text { font-family: Helvetica, Arial, sans-serif; font-size: 12px; fill: #1d2b3a }
    .verdict { font-size: 20px; font-weight: bold }
    .question { font-size: 14px; fill: #4b6076 }
    .place, .holder { font-weight: bold }
    .place { text-anchor: middle }
    .small { fill: #4b6076 }
    .says { font-weight: bold }
    .cell { fill: #f4f7fa; stroke: #d5dee8 }
    .card { stroke: #35506b; fill: #ffffff; stroke-width: 1 }
    .lost { stroke-dasharray: 4 3; stroke: #8496a9 }
    .decides { stroke-width: 2.5 }
    .allow { fill: #e3f3e8; stroke: #2f7d4f }
    .deny { fill: #fbe6e6; stroke: #b03a3a }
    .bar-allow { fill: #2f7d4f }
    .bar-deny { fill: #b03a3a }
    .bar-other { fill: #8496a9 }
    .beaten { stroke: #8496a9; stroke-width: 1.5; fill: none }
`

// SVG writes the drawing as one SVG document.
func SVG(w io.Writer, e rolecall.Explanation) error {
	p := &picture{table: layOut(e)}
	p.place()
	p.draw()
	_, err := w.Write(p.out.Bytes())
	return err
}

// A picture is a table with its measures.
type picture struct {
	*table
	out           bytes.Buffer
	rowTop        []int
	width, height int
}

// place gives each row and each card its place: cards of one cell stand one below the other.
func (p *picture) place() {
	p.width = 2*margin + holderWidth + columnWidth*len(p.places)
	y := margin + headHeight + placeHeight
	for row := range p.holders {
		p.rowTop = append(p.rowTop, y)
		bottom := make([]int, len(p.places))
		for _, c := range p.cards {
			if c.row != row {
				continue
			}
			c.x = p.columnX(c.column) + (columnWidth-cardWidth)/2
			c.y = y + cardGap + bottom[c.column]
			c.height = 2*cardPadding + lineHeight*len(c.lines) - 4
			bottom[c.column] += c.height + cardGap
		}
		tallest := 3 * lineHeight
		for _, b := range bottom {
			tallest = max(tallest, b+cardGap)
		}
		y += tallest + rowGap
	}
	p.rowTop = append(p.rowTop, y)
	p.height = y + legend
}

func (p *picture) columnX(column int) int { return margin + holderWidth + columnWidth*column }

func (p *picture) printf(format string, args ...any) { fmt.Fprintf(&p.out, format+"\n", args...) }

func (p *picture) draw() {
	answer, question := p.verdict()
	p.printf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">`, p.width, p.height, p.width, p.height)
	p.printf(`  <title>%s</title>`, escape(answer+". "+question))
	p.printf(`  <desc>%s</desc>`, escape(p.explanation.String()))
	p.printf("  <style>%s  </style>", style)
	p.printf(`  <defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 L10 5 L0 10 z" fill="#8496a9"/></marker></defs>`)
	p.printf(`  <rect width="%d" height="%d" fill="#ffffff"/>`, p.width, p.height)
	letters := (p.width - 2*margin) / pixelsALetter
	p.printf(`  <rect class="bar-%s" x="%d" y="%d" width="6" height="50"/>`, colour(p.explanation.Decision().Allowed()), margin, margin)
	p.text("verdict", margin+18, margin+20, answer, letters)
	p.text("question", margin+18, margin+44, question, letters)
	p.heads()
	p.lines()
	for _, c := range p.cards {
		p.card(c)
	}
	p.text("small", margin, p.height-18, "What is nearer stands higher and further right; it overrides what is farther. A forbid is overridden by nothing.", p.width)
	p.printf("</svg>")
}

func colour(allows bool) string {
	if allows {
		return "allow"
	}
	return "deny"
}

// heads draws the names of the places and holders, and the cells.
func (p *picture) heads() {
	for i, at := range p.places {
		x := p.columnX(i)
		p.text("place", x+columnWidth/2, margin+headHeight+24, p.title(at), placeLetters)
		for row := range p.holders {
			p.printf(`  <rect class="cell" x="%d" y="%d" width="%d" height="%d" rx="4"/>`, x+4, p.rowTop[row], columnWidth-8, p.rowTop[row+1]-p.rowTop[row]-rowGap)
		}
	}
	for row, h := range p.holders {
		y := p.rowTop[row] + 24
		p.text("holder", margin, y, h.subject.String(), holderLetters)
		for i := 1; i < len(h.path)-1; i++ {
			p.text("small", margin, y+lineHeight*i, "through "+h.path[i].String(), holderLetters)
		}
	}
}

// lines draws, behind the cards, from what lost to what overrode it.
func (p *picture) lines() {
	for _, c := range p.cards {
		if c.winner == nil {
			continue
		}
		x1, y1 := c.edge(c.winner)
		x2, y2 := c.winner.edge(c)
		p.printf(`  <path class="beaten" d="M%d %d L%d %d" marker-end="url(#tip)"/>`, x1, y1, x2, y2)
	}
}

// edge returns where the straight line from the middle of c to the middle of another card leaves c.
func (c *card) edge(other *card) (x, y int) {
	cx, cy := float64(c.x)+cardWidth/2, float64(c.y)+float64(c.height)/2
	dx, dy := float64(other.x)+cardWidth/2-cx, float64(other.y)+float64(other.height)/2-cy
	shrink := 1.0
	if dx != 0 {
		shrink = min(shrink, cardWidth/2/math.Abs(dx))
	}
	if dy != 0 {
		shrink = min(shrink, float64(c.height)/2/math.Abs(dy))
	}
	return int(cx + dx*shrink), int(cy + dy*shrink)
}

func (p *picture) card(c *card) {
	class, bar := "card lost", "other"
	if c.Fate == rolecall.Decides {
		class = "card decides " + colour(c.Effect == rolecall.Allow)
	}
	if c.Effect != 0 {
		bar = colour(c.Effect == rolecall.Allow)
	}
	p.printf(`  <g><title>%s</title>`, escape(c.full))
	p.printf(`  <rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="5"/>`, class, c.x, c.y, cardWidth, c.height)
	p.printf(`  <rect class="bar-%s" x="%d" y="%d" width="5" height="%d"/>`, bar, c.x+1, c.y+6, c.height-12)
	for i, line := range c.lines {
		class := "small"
		if i == 0 {
			class = "says"
		}
		p.text(class, c.x+14, c.y+cardPadding+10+lineHeight*i, line, cardLetters)
	}
	p.printf(`  </g>`)
}

func (p *picture) text(class string, x, y int, text string, letters int) {
	p.printf(`  <text class="%s" x="%d" y="%d">%s</text>`, class, x, y, escape(shorten(text, letters)))
}

// shorten leaves out the middle of what is too long; wide letters count twice.
func shorten(text string, letters int) string {
	if lettersOf(text) <= letters {
		return text
	}
	runes := []rune(text)
	head, tail := 0, len(runes)
	for used := 1; head < tail; {
		// the head gets two letters for each of the tail
		i := head
		if head > 2*(len(runes)-tail) {
			i = tail - 1
		}
		if used += breadth(runes[i]); used > letters {
			break
		}
		if i == head {
			head++
		} else {
			tail--
		}
	}
	return string(runes[:head]) + "…" + string(runes[tail:])
}

func lettersOf(text string) int {
	n := 0
	for _, r := range text {
		n += breadth(r)
	}
	return n
}

func breadth(r rune) int {
	if r >= 0x1100 {
		return 2
	}
	return 1
}

// escape makes text safe inside an element.
func escape(text string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(shown(text))); err != nil {
		panic(err) // a strings.Builder takes everything
	}
	return b.String()
}

// shown returns text with something else for each letter that would turn the text around, hide part of it or act on a
// terminal. Lines stay.
func shown(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
