// Package backoff waits between attempts that fail in a row.
package backoff

import (
	"context"
	"math/rand/v2"
	"time"
)

// Pauses are how long to wait after failures in a row. The zero Pauses have seen none.
type Pauses struct{ next time.Duration }

// Wait waits about first, then each time about twice as long as the last time, at most about longest, or until ctx ends.
func (p *Pauses) Wait(ctx context.Context, first, longest time.Duration) {
	p.next = min(max(2*p.next, first), longest)
	timer := time.NewTimer(p.next/2 + rand.N(p.next/2+1))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
