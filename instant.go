package rolecall

import "time"

// An instant is the present of one check. It is read from the clock when a window first asks for it, because most
// checks never do, and is then the same for the rest of the check.
type instant struct {
	at    time.Time
	clock func() time.Time // nil once at is known
}

func (i *instant) now() time.Time {
	if i.clock != nil {
		i.at, i.clock = i.clock(), nil
	}
	return i.at
}
