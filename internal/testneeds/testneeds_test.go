package testneeds_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/rolecall-go/rolecall/internal/testneeds"
)

// A probe is a test that keeps how it ended.
type probe struct {
	testing.TB
	end string
}

func (p *probe) Helper() {}

func (p *probe) Fatal(args ...any) { p.stop("failed: ", args) }

func (p *probe) Skip(args ...any) { p.stop("skipped: ", args) }

func (p *probe) stop(how string, args []any) {
	p.end = how + fmt.Sprint(args...)
	runtime.Goexit()
}

func TestMissing(t *testing.T) {
	for word, want := range map[string]string{"": "skipped", "0": "skipped", "false": "skipped", "1": "failed", "true": "failed", "yes": "failed"} {
		t.Setenv("ROLECALL_REQUIRE_ALL", word)
		p := &probe{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			testneeds.Missing(p, "no file %q", "f")
		}()
		<-done
		if want += `: NOT TESTED: no file "f"`; p.end != want {
			t.Errorf("Missing with ROLECALL_REQUIRE_ALL=%s: the test %s, want %s", word, p.end, want)
		}
	}
}
