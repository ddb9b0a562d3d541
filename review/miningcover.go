package review

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/rolecall-go/rolecall"
)

// A RoleCover is a choice of roles that together allow everything that is needed, as far as any role does.
type RoleCover struct {
	Roles   []rolecall.RoleName   `json:"roles"`
	Excess  []rolecall.Permission `json:"excess,omitempty"`  // what they allow beyond
	Missing []rolecall.Permission `json:"missing,omitempty"` // what no role allows
	// Cost is one for each role, and one for each permission that a role allows beyond what is needed.
	Cost int `json:"cost"`
	// Bound says how good the choice is: no other one costs less than Cost / Bound. It is 1 where the choice is the best.
	Bound float64 `json:"bound"`
}

// exactRoles is up to how many candidates every choice is looked at.
const exactRoles = 16

// CoverWithRoles chooses roles of the policy that allow everything needed and as little else as may be. Of up to 16 roles
// that come into question it finds the best choice; of more it takes the one that gives most for its cost, again and
// again, which costs at most 1 + 1/2 + … + 1/n times the best, where n is how many needed permissions one role allows.
// Only roles that do nothing but allow, without conditions, come into question; of two that give the same of what is
// needed, the cheaper one, of two of one cost the one whose name comes first. The order of needed does not matter.
//
// It looks at roles alone, so that the snapshot needs no instant. What is needed and is not declared is missing; an error
// tells what cannot be, because its name is malformed (rolecall.ErrInvalid, rolecall.ErrLimit).
func CoverWithRoles(s *rolecall.Snapshot, needed []rolecall.Permission) (RoleCover, error) {
	x := newRoleIndex(s)
	want := x.bits()
	var missing []rolecall.Permission
	var faults []error
	for _, p := range needed {
		switch n := x.number(p); {
		case p.Valid() != nil:
			faults = append(faults, fmt.Errorf("cover with roles: %w", p.Valid()))
		case n >= 0:
			want.set(n)
		case !slices.Contains(missing, p):
			missing = append(missing, p)
		}
	}
	if faults != nil {
		return RoleCover{}, errors.Join(faults...)
	}
	c := x.newCovering(want)
	c.choose()
	cover := RoleCover{Cost: c.cost, Bound: c.bound}
	allowed := x.bits()
	for _, option := range c.best {
		cover.Roles = append(cover.Roles, option.role.Name)
		merge(allowed, option.role.allows)
	}
	slices.Sort(cover.Roles)
	cover.Excess = x.in(without(allowed, want))
	cover.Missing = append(missing, x.in(without(want, allowed))...)
	slices.SortFunc(cover.Missing, rolecall.Permission.Compare)
	return cover, nil
}

// A covering is a search for roles.
type covering struct {
	options []coverOption // that come into question
	want    permissionBits
	best    []coverOption
	cost    int
	bound   float64
}

// A coverOption is a role, with what it gives of what is wanted.
type coverOption struct {
	role  *roleEntry
	gives permissionBits
	cost  int
}

func (x *index) newCovering(want permissionBits) *covering {
	c := &covering{want: x.bits()}
	for _, r := range x.sorted {
		gives := both(r.allows, want)
		if r.plain && count(gives) > 0 {
			c.options = append(c.options, coverOption{r, gives, 1 + count(without(r.allows, want))})
			merge(c.want, gives)
		}
	}
	slices.SortStableFunc(c.options, func(a, b coverOption) int { return cmp.Compare(a.cost, b.cost) })
	var kept []coverOption
	for _, o := range c.options {
		if !slices.ContainsFunc(kept, func(k coverOption) bool { return count(without(o.gives, k.gives)) == 0 }) {
			kept = append(kept, o)
		}
	}
	c.options = kept
	return c
}

func (c *covering) choose() {
	c.greedy()
	if len(c.options) <= exactRoles {
		c.search(nil, c.want, 0, 0)
		c.bound = 1
	}
}

// greedy takes the option that costs least for each permission that is still wanted, until none is.
func (c *covering) greedy() {
	most, left := 1, slices.Clone(c.want)
	for count(left) > 0 {
		var next coverOption
		gain := 0
		for _, o := range c.options {
			most = max(most, count(o.gives))
			if n := count(both(o.gives, left)); n > 0 && (gain == 0 || o.cost*gain < next.cost*n) {
				next, gain = o, n
			}
		}
		c.best, c.cost, left = append(c.best, next), c.cost+next.cost, without(left, next.gives)
	}
	for n := 1; n <= most; n++ {
		c.bound += 1 / float64(n)
	}
}

// search looks at every choice of the options from one on that may cost less than the best known.
func (c *covering) search(chosen []coverOption, left permissionBits, cost, from int) {
	if cost >= c.cost {
		return
	}
	if count(left) == 0 {
		c.best, c.cost = slices.Clone(chosen), cost
		return
	}
	for i := from; i < len(c.options); i++ {
		if o := c.options[i]; count(both(o.gives, left)) > 0 {
			c.search(append(slices.Clip(chosen), o), without(left, o.gives), cost+o.cost, i+1)
		}
	}
}
