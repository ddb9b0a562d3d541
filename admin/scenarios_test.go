package admin_test

import (
	"os"
	"strings"
	"testing"

	"github.com/rolecall-go/rolecall/policy"
	"github.com/rolecall-go/rolecall/rolecalltest"
)

func TestScenarios(t *testing.T) { rolecalltest.Scenarios(t, "testdata/*.rolecall") }

// The policies shown on the pages about administration do what the pages say.
func TestDocumentation(t *testing.T) {
	for _, name := range []string{"../docs/administration.md", "../docs/separation-of-duty.md"} {
		var source strings.Builder
		for _, part := range strings.Split(string(must[[]byte](t)(os.ReadFile(name))), "```rolecall\n")[1:] {
			block, _, _ := strings.Cut(part, "```")
			source.WriteString(block)
		}
		f, s, err := policy.Load(name, []byte(source.String()))
		if err != nil || len(f.Statements) == 0 {
			t.Fatalf("%s: got %d statements and %v, want some and no error", name, len(f.Statements), err)
		}
		for _, r := range f.Run(s) {
			if !r.OK {
				t.Errorf("%s: %s: got %s, want %s", name, r.Step.Text, r.Got, r.Want)
			}
		}
	}
}
