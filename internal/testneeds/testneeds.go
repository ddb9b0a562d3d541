// Package testneeds ends the tests for which something is missing: a database, or files that are not part of this
// repository.
package testneeds

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// Missing ends a test, told what is missing. The test skips, loudly, unless ROLECALL_REQUIRE_ALL=1 says that nothing may
// be left out: then it fails. What is neither true nor false says so, too.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	lacking := "NOT TESTED: " + fmt.Sprintf(format, args...)
	if all, err := strconv.ParseBool(cmp.Or(os.Getenv("ROLECALL_REQUIRE_ALL"), "false")); all || err != nil {
		t.Fatal(lacking)
	}
	t.Skip(lacking)
}

// Scenarios returns the files of the golden scenarios, which lie beside the folder of the repository.
func Scenarios(t testing.TB, repository string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(repository, "../shared/scenarios/*.rolecall"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		Missing(t, "the golden scenarios, no files ../shared/scenarios/*.rolecall beside the repository")
	}
	return files
}
