package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

var fileBlock = regexp.MustCompile("(?s)<!-- file: (\\S+) -->\n```[a-z]*\n(.*?)\n```\n")

// What ten-minutes.md tells the reader to write is a module that builds, is vetted and passes its own tests.
func TestTenMinutes(t *testing.T) {
	page, err := os.ReadFile("ten-minutes.md")
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	files := map[string]string{"go.mod": "module example.com/notes\n\ngo 1.26.0\n\nrequire github.com/rolecall-go/rolecall v0.0.0\n\nreplace github.com/rolecall-go/rolecall => " + root + "\n"}
	for _, block := range fileBlock.FindAllStringSubmatch(string(page), -1) {
		files[block[1]] = block[2] + "\n"
	}
	if len(files) != 4 {
		t.Fatalf("ten-minutes.md: got %d files to write, want a policy, a program and its tests", len(files)-1)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"vet", "./..."}, {"test", "./..."}} {
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod", "GOPROXY=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("go %s of what ten-minutes.md says: %v\n%s", args, err, out)
		}
	}
}
