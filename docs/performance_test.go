package docs

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// The summary of performance.md tells what its table tells.
func TestSummaryOfPerformance(t *testing.T) {
	page, err := os.ReadFile("performance.md")
	if err != nil {
		t.Fatal(err)
	}
	_, short, _ := strings.Cut(string(page), "| in short |")
	short, rest, _ := strings.Cut(short, "\n\n")
	table := map[string]string{} // what and size to ns; of several rows the last one
	for line := range strings.Lines(rest) {
		if cells := cellsOf(line); len(cells) > 3 && cells[1] != "" {
			table[cells[0]+" "+cells[1][:1]] = cells[2]
		}
	}
	rows := slices.Collect(strings.Lines(short))[2:]
	if len(rows) < 5 {
		t.Errorf("the summary has %d rows, want more", len(rows))
	}
	for _, row := range rows {
		cells := cellsOf(row)
		for i, size := range []string{"S", "M", "L"} {
			if got, want := cells[i+1], table[cells[0]+" "+size]; got != want {
				t.Errorf("%s at %s: the summary says %s, the table %s", cells[0], size, got, want)
			}
		}
	}
}

// cellsOf returns the cells of a row of a table.
func cellsOf(row string) []string {
	cells := strings.Split(strings.Trim(strings.TrimSpace(row), "|"), "|")
	for i, cell := range cells {
		cells[i] = strings.TrimSpace(cell)
	}
	return cells
}
