package sqlstore_test

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"testing"
)

// What was done to the stores while the tests ran. TestMain tells it at the end.
var faults = struct {
	sync.Mutex
	number map[string]int
}{number: map[string]int{}}

// injected counts faults that a test has injected and survived.
func injected(t testing.TB, what string, n int) {
	t.Helper()
	t.Logf("faults injected: %d %s", n, what)
	faults.Lock()
	defer faults.Unlock()
	faults.number[what] += n
}

func tellFaults(w io.Writer) {
	faults.Lock()
	defer faults.Unlock()
	for _, what := range slices.Sorted(maps.Keys(faults.number)) {
		fmt.Fprintf(w, "faults injected: %6d %s\n", faults.number[what], what)
	}
}
