// Package docs checks that the policies and scenarios shown in the documentation are what they seem.
package docs

import (
	"os"
	"strings"
	"testing"

	"github.com/rolecall-go/rolecall/policy"
)

// Every block marked rolecall is read; those of one page together are one scenario.
func TestPoliciesInTheDocumentation(t *testing.T) {
	for _, page := range []struct{ file, vocabulary string }{
		{"../README.md", ""},
		{"administration.md", ""},
		{"separation-of-duty.md", ""},
		{"text-form.md", ""},
		{"model.md", "permission task.view\npermission task.update\npermission budget.view\nkind scope project\n"},
	} {
		content, err := os.ReadFile(page.file)
		if err != nil {
			t.Fatal(err)
		}
		source := page.vocabulary + strings.Join(blocks(string(content)), "\n")
		file, snapshot, err := policy.Load(page.file, []byte(source))
		if err != nil {
			t.Errorf("%s: %v", page.file, err)
			continue
		}
		if len(file.Statements) == 0 {
			t.Errorf("%s: got no statement, want some in blocks marked rolecall", page.file)
		}
		for _, result := range file.Run(snapshot) {
			if !result.OK {
				t.Errorf("%s: %s: got %s, want %s", page.file, result.Step.Text, result.Got, result.Want)
			}
		}
	}
}

// blocks returns the fenced blocks that are marked rolecall.
func blocks(markdown string) []string {
	var found []string
	for _, part := range strings.Split(markdown, "```rolecall\n")[1:] {
		block, _, _ := strings.Cut(part, "```")
		found = append(found, block)
	}
	return found
}
