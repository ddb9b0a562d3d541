package docs

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/admin"
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
	codes := regexp.MustCompile(` Code += "(.+)"`).FindAllStringSubmatch(string(source), -1)
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

// Each row of that table is what admin.HTTPStatus answers to the codes and errors in it.
func TestHTTPStatusIsAsTheTableSays(t *testing.T) {
	page, err := os.ReadFile("administration.md")
	if err != nil {
		t.Fatal(err)
	}
	errs := map[string]error{
		"admin.ErrSessionEnded": admin.ErrSessionEnded, "admin.ErrSessionNewer": admin.ErrSessionNewer,
		"admin.ErrNeedsApproval": admin.ErrNeedsApproval, "*admin.VetoError": &admin.VetoError{Cause: rolecall.ErrInvalid},
	}
	rows := regexp.MustCompile(`(?m)^\| (\d+) \|(.+)\|$`).FindAllStringSubmatch(string(page), -1)
	if len(rows) < 5 {
		t.Fatalf("administration.md has %d rows of statuses, want more", len(rows))
	}
	for _, row := range rows {
		want, _ := strconv.Atoi(row[1])
		for _, word := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[2], -1) {
			err, ok := errs[word[1]]
			if !ok {
				err = rolecall.Code(word[1])
			}
			if got := admin.HTTPStatus(err); got != want {
				t.Errorf("admin.HTTPStatus(%s): got %d, want %d as in administration.md", word[1], got, want)
			}
		}
	}
}
