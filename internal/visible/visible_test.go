package visible_test

import (
	"testing"

	"github.com/rolecall-go/rolecall/internal/visible"
)

func TestText(t *testing.T) {
	for _, row := range []struct{ text, kept, want string }{
		{"", "", ""},
		{"user:ada é ﷽", "", "user:ada é ﷽"},
		{"a\nb\tc", "", `a\nb\tc`},
		{"a\nb\tc", "\n", "a\nb\\tc"},
		{"\x1b[8m\u200b\u2028\x00", "", `\x1b[8m\u200b\u2028\x00`},
		{"it's \"so\" \\", "", "it's \"so\" \\"},
	} {
		if got := visible.Text(row.text, row.kept); got != row.want {
			t.Errorf("Text(%q, %q) = %q, want %q", row.text, row.kept, got, row.want)
		}
	}
}
