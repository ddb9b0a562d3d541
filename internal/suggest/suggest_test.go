package suggest

import (
	"math/rand/v2"
	"testing"
)

// plain is the edit distance by its definition.
func plain(a, b string) int {
	switch {
	case a == "" || b == "":
		return len(a) + len(b)
	case a[0] == b[0]:
		return plain(a[1:], b[1:])
	}
	return 1 + min(plain(a[1:], b), plain(a, b[1:]), plain(a[1:], b[1:]))
}

func TestDistanceIsTheDistance(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	word := func() string {
		text := make([]byte, r.IntN(8))
		for i := range text {
			text[i] = "ab."[r.IntN(3)]
		}
		return string(text)
	}
	for range 20_000 {
		a, b, limit := word(), word(), r.IntN(9)
		if got, want := distance(a, b, limit), min(plain(a, b), limit); got != want {
			t.Fatalf("distance(%q, %q, %d) = %d, want %d", a, b, limit, got, want)
		}
	}
}

func TestNearest(t *testing.T) {
	for _, row := range []struct {
		name       string
		candidates []string
		want       string
	}{
		{"asigned", []string{"own", "assigned"}, "assigned"},
		{"d2", []string{"b2", "a2"}, "b2"},
		{"office-hours", []string{"own"}, ""},
		{"abcdefghijklmnopqrstuvwxyz", []string{"abcdefghijklmnopqrst"}, ""},
		{"abcdefghijklmnopqrstuvwxyz", []string{"abcdefghijklmnopqrstu"}, "abcdefghijklmnopqrstu"},
	} {
		if got := Nearest(row.name, row.candidates); got != row.want {
			t.Errorf("Nearest(%q, %q) = %q, want %q", row.name, row.candidates, got, row.want)
		}
	}
}
