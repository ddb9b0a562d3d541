package rolecalltest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/rolecall-go/rolecall/policy"
)

// Scenarios runs every file that matches one of the patterns as a subtest, and each step of it as a subtest of that,
// named by its line: go test -run 'TestPolicy/studio.rolecall/line_12$' reaches a single step. The steps before it are
// carried out all the same, since they may have changed the policy. A pattern that matches no
// file fails the test, as does a call without one.
func Scenarios(t *testing.T, patterns ...string) {
	t.Helper()
	for _, name := range glob(t, patterns) {
		t.Run(filepath.Base(name), func(t *testing.T) { runScenario(t, name) })
	}
}

func runScenario(t *testing.T, name string) {
	src, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	f, s, err := policy.Load(name, src)
	if err != nil {
		t.Fatalf("policy:\n%v", err)
	}
	if len(f.Steps) == 0 {
		t.Fatalf("%s has no steps, so it tests nothing", name)
	}
	for _, r := range f.Run(s) {
		t.Run(fmt.Sprintf("line %d", r.Step.Line), func(t *testing.T) {
			if !r.OK {
				t.Errorf("%s:%d: %s\nwant %s\ngot  %s\n%s", name, r.Step.Line, r.Step.Text, r.Want, r.Got, r.Why)
			}
		})
	}
}
