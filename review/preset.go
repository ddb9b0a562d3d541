package review

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/internal/roles"
)

// Clone returns the edits that define a role under a new name that says what another one says. That there is no such role
// to clone is rolecall.ErrUnknown, and that the name is taken rolecall.ErrInvalid; whether the name may be one, and who may
// define it, is judged with the change.
func Clone(s *rolecall.Snapshot, from, to rolecall.RoleName, title string) ([]rolecall.Edit, error) {
	r, err := roles.Clone(s, from, to, title)
	if err != nil {
		return nil, err
	}
	return []rolecall.Edit{rolecall.Put(r)}, nil
}

// A RoleComparison tells how a role differs from what its preset makes of it.
type RoleComparison struct {
	Name    rolecall.RoleName
	Removed []string // lines of the preset's definition that are gone; all of them where the role is
	Added   []string // lines that were not in it
	// Gained and Lost are what a holder of the role alone, on the whole instance, may do more and less than by the preset,
	// changes of the roles that it inherits from included.
	Gained, Lost []Item
}

// Same says whether the role says what its preset says, and gives what that gives.
func (c RoleComparison) Same() bool {
	return len(c.Removed)+len(c.Added)+len(c.Gained)+len(c.Lost) == 0
}

// CompareWithPreset compares roles with what they were made as, for example with ftrack.FactoryRoles: one comparison for
// each role of the preset, in its order. Roles have no windows, so that the snapshot needs no instant.
//
// A role of the preset may inherit from those of the preset only, and names what the policy's catalog declares: the error
// is the rolecall.Problems of a preset that could not be a policy.
func CompareWithPreset(s *rolecall.Snapshot, preset []rolecall.Role) ([]RoleComparison, error) {
	before, err := rolecall.NewSnapshot(s.Catalog(), roles.Unbound(preset)...)
	if err != nil {
		return nil, err
	}
	var list []RoleComparison
	for _, want := range preset {
		c := RoleComparison{Name: want.Name}
		is, found := s.Role(want.Name)
		was := linesOf(want)
		var now []string
		if found {
			now = linesOf(is)
		}
		c.Removed, c.Added = missing(was, now), missing(now, was)
		if err := c.compareEffects(before, s); err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

func linesOf(r rolecall.Role) []string {
	lines := strings.Split(rolecall.Canonical(r).String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return lines
}

// missing returns the lines that are not among others.
func missing(lines, others []string) []string {
	among := map[string]bool{}
	for _, line := range others {
		among[line] = true
	}
	return slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return among[line] })
}

// compareEffects compares what a holder of the role alone may do by two policies.
func (c *RoleComparison) compareEffects(by, now *rolecall.Snapshot) error {
	before, err := alone(by, c.Name)
	if err != nil {
		return err
	}
	after, err := alone(now, c.Name)
	if err != nil {
		return err
	}
	difference, err := Compare(before, after)
	if err != nil {
		return err
	}
	for d := range difference.Gained() {
		c.Gained = append(c.Gained, Item{d.Permission, d.When})
	}
	for d := range difference.Lost() {
		c.Lost = append(c.Lost, Item{d.Permission, d.When})
	}
	return nil
}

func alone(s *rolecall.Snapshot, name rolecall.RoleName) (*rolecall.Snapshot, error) {
	only, _, err := roles.Alone(s, name)
	if err != nil {
		return nil, err
	}
	return only.At(time.Unix(0, 0)), nil // roles have no windows
}

// Restore returns the edits that make roles what their preset says again, all of them where none is named. A role that
// they inherit from is restored with them where it is gone, and left alone where it is there. A role that is named and not
// in the preset, or inherited from and in neither the preset nor the policy, is rolecall.ErrUnknown.
func Restore(s *rolecall.Snapshot, preset []rolecall.Role, names ...rolecall.RoleName) ([]rolecall.Edit, error) {
	of := map[rolecall.RoleName]rolecall.Role{}
	for _, r := range preset {
		of[r.Name] = r
	}
	if len(names) == 0 {
		names = slices.Collect(maps.Keys(of))
	}
	restored := map[rolecall.RoleName]bool{}
	var edits []rolecall.Edit
	for list := slices.Clone(names); len(list) > 0; list = list[1:] {
		want, known := of[list[0]]
		if !known {
			return nil, rolecall.Problems{{Code: rolecall.ErrUnknown, Place: "preset", Word: string(list[0]), Detail: "the preset has no such role"}}
		}
		if restored[want.Name] {
			continue
		}
		restored[want.Name] = true
		if is, found := s.Role(want.Name); !found || !rolecall.Equal(is, want) {
			edits = append(edits, rolecall.Put(want))
		}
		for _, above := range want.Inherits {
			if _, found := s.Role(above); !found {
				list = append(list, above)
			}
		}
	}
	slices.SortFunc(edits, func(a, b rolecall.Edit) int { return compareStatements(a.Statement, b.Statement) })
	return edits, nil
}
