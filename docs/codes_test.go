package docs

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The table of answers has each code that an edit can be refused with, once.
func TestEveryCodeHasAnAnswer(t *testing.T) {
	page, err := os.ReadFile("administration.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("../errors.go")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "| Answer | Codes and errors |")
	section, _, _ = strings.Cut(section, "\n\n")
	codes := regexp.MustCompile(`= Code\("(.+)"\)`).FindAllStringSubmatch(string(source), -1)
	if len(codes) < 10 {
		t.Fatalf("errors.go has the codes %q, want more", codes)
	}
	for _, code := range codes {
		want := 1
		if slices.Contains([]string{"denied", "compacted"}, code[1]) { // are never the answer to an edit
			want = 0
		}
		if got := strings.Count(section, "`"+code[1]+"`"); got != want {
			t.Errorf("administration.md answers %q in %d rows, want %d", code[1], got, want)
		}
	}
}
