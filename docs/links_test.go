package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	mark    = regexp.MustCompile("[^a-z0-9 _-]")
)

// Every link of a page that stays in the repository leads to a file, and to a heading where it names one.
func TestLinksLeadSomewhere(t *testing.T) {
	out, err := exec.Command("git", "ls-files", "-z", "..").Output()
	if err != nil {
		t.Skipf("this is no clone: git ls-files: %v", err)
	}
	links := 0
	for file := range strings.SplitSeq(string(out), "\x00") {
		if !strings.HasSuffix(file, ".md") {
			continue
		}
		page, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range link.FindAllStringSubmatch(string(page), -1) {
			if strings.Contains(match[1], "://") {
				continue
			}
			links++
			if fault := follow(file, match[1]); fault != "" {
				t.Errorf("%s: the link %s leads nowhere: %s", file, match[1], fault)
			}
		}
	}
	if links < 50 {
		t.Errorf("got %d links, want more", links)
	}
}

// follow tells what is wrong with a link, nothing where it leads somewhere.
func follow(from, to string) string {
	path, anchor, named := strings.Cut(to, "#")
	target := from
	if path != "" {
		target = filepath.Join(filepath.Dir(from), path)
	}
	if _, err := os.Stat(target); err != nil {
		return "no such file"
	}
	if !named {
		return ""
	}
	page, err := os.ReadFile(target)
	if err != nil {
		return err.Error()
	}
	for _, match := range heading.FindAllStringSubmatch(string(page), -1) {
		if strings.ReplaceAll(mark.ReplaceAllString(strings.ToLower(match[1]), ""), " ", "-") == anchor {
			return ""
		}
	}
	return "no such heading"
}
