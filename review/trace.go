package review

import (
	"errors"
	"time"

	"github.com/rolecall-go/rolecall"
)

// trace fills in where a row comes from. What the history does not tell stays empty; an error says that it was not asked
// rightly, for example that it was not read as far as the snapshot.
func (r *reviewer) trace(row *Row) error {
	if r.options.Provenance == nil {
		return nil
	}
	var joined []rolecall.Statement
	for i := 1; i < len(row.Path) && row.Path[i] != rolecall.Everyone(); i++ {
		joined = append(joined, rolecall.Membership{Member: row.Path[i-1], Group: row.Path[i]})
	}
	since, err := r.since(append(joined, row.Statement))
	if err != nil {
		return err
	}
	if opened := row.Window.NotBefore; !since.IsZero() && opened.After(since) && !opened.After(r.snapshot.Now()) {
		since = opened
	}
	row.Since = since
	for _, m := range joined {
		origin, err := r.origin(m)
		if err != nil {
			return err
		}
		row.Joined = append(row.Joined, origin)
	}
	if row.Given, err = r.origin(row.Statement); err != nil {
		return err
	}
	if g, ok := row.Statement.(rolecall.Grant); ok {
		row.Defined, err = r.origin(rolecall.Role{Name: g.Role})
	}
	return err
}

// since returns when the last of some statements was added. One that the history does not tell of was there before all
// that it does tell of.
func (r *reviewer) since(all []rolecall.Statement) (time.Time, error) {
	var last time.Time
	for _, one := range all {
		origin, err := r.options.Provenance.Since(rolecall.KeyOf(one), r.snapshot.Revision())
		switch {
		case errors.Is(err, rolecall.ErrCompacted):
		case err != nil:
			return time.Time{}, err
		case origin.Time.After(last):
			last = origin.Time
		}
	}
	return last, nil
}

func (r *reviewer) origin(one rolecall.Statement) (*rolecall.Origin, error) {
	origin, err := r.options.Provenance.Of(rolecall.KeyOf(one), r.snapshot.Revision())
	if errors.Is(err, rolecall.ErrCompacted) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &origin, nil
}
