// Package suggest finds the name that somebody may have meant who wrote another one.
package suggest

import "fmt"

// Most is among how many names one is looked for, so that a text full of unknown names is refused in time that grows with
// its length only.
const Most = 1000

// longest is how many bytes a name has for which another one is looked for.
const longest = 128

// Nearest returns the candidate with the smallest edit distance to name, of several the first, "" where none is near: within
// a third of its length, and within five edits.
func Nearest(name string, candidates []string) string {
	if len(name) > longest || len(candidates) > Most {
		return ""
	}
	best, limit := "", min(len(name)/3+2, 6)
	for _, c := range candidates {
		if d := distance(name, c, limit); d < limit {
			best, limit = c, d
		}
	}
	return best
}

// DidYouMean returns the end of a message that suggests a name, "" where there is none.
func DidYouMean(name string) string {
	if name == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", name)
}

// distance is the number of single-byte edits between a and b, or limit where it is not below limit. It looks only at the
// band in which it can be.
func distance(a, b string, limit int) int {
	if d := len(a) - len(b); d >= limit || -d >= limit {
		return limit
	}
	var rows [longest + 1]int
	row := rows[:len(a)+1]
	for j := range row {
		row[j] = min(j, limit)
	}
	for i := 1; i <= len(b); i++ {
		from, to := max(1, i-limit), min(len(a), i+limit)
		diagonal, nearest := row[from-1], limit
		if from == 1 {
			row[0] = min(i, limit)
			nearest = row[0]
		} else {
			row[from-1] = limit
		}
		for j := from; j <= to; j++ {
			cost := diagonal
			if b[i-1] != a[j-1] {
				cost = 1 + min(diagonal, row[j], row[j-1])
			}
			diagonal, row[j] = row[j], min(cost, limit)
			nearest = min(nearest, row[j])
		}
		if nearest >= limit {
			return limit
		}
	}
	return row[len(a)]
}
