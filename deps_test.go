package rolecall_test

import (
	"os/exec"
	"strings"
	"testing"
)

// The root module links the standard library and itself, nothing else, outside tests.
func TestRootModuleDependsOnTheStandardLibraryOnly(t *testing.T) {
	const format = `{{if not .Standard}}{{with .Module}}{{.Path}}{{end}} {{.ImportPath}}{{end}}`
	out, err := exec.Command("go", "list", "-deps", "-f", format, "./...").Output()
	if err != nil {
		t.Fatalf("go list -deps ./...: %v", err)
	}
	own := 0
	for line := range strings.Lines(string(out)) {
		module, importPath, _ := strings.Cut(strings.TrimSpace(line), " ")
		if module == "github.com/rolecall-go/rolecall" {
			own++
		} else {
			t.Errorf("the root module depends on %s of module %q, want the standard library only", importPath, module)
		}
	}
	if own == 0 {
		t.Errorf("go list -deps ./...: got no package of this module, want them all")
	}
}
