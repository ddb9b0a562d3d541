package rolecall_test

import (
	"strings"
	"testing"

	"github.com/rolecall-go/rolecall"
)

// Whoever names something, or gives a reason, cannot write lines of their own into a log.
func TestErrorsAreOneLine(t *testing.T) {
	forged := "x\n2026-03-01 user:root logged in\x1b[8m"
	p := rolecall.Problem{Code: rolecall.ErrInvalid, Place: forged, Word: forged, Detail: forged}
	o := rolecall.Origin{Revision: 1, Meta: rolecall.Meta{Actor: userAda, Reason: forged}}
	for name, got := range map[string]string{"Problem.Error()": p.Error(), "Origin.String()": o.String()} {
		if strings.ContainsAny(got, "\n\x1b") || !strings.Contains(got, `x\n2026-03-01 user:root logged in\x1b[8m`) {
			t.Errorf("%s = %q, want what would end a line written as its escape", name, got)
		}
	}
}
