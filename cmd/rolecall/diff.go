package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/policy"
)

func diffCommand() *cobra.Command {
	var q diffQuestion
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Tell two policies apart: what they say, and who may do more or less",
		Long: `Tell two policies apart: the declarations and statements that differ, however they are spelled and arranged, and who would
gain and who would lose what where, exactly and for all facts, as plan tells it. A permission that only one of them declares
counts as not allowed by the other.

Windows are judged at the instant of --now, otherwise at the clock line of NEW, otherwise at the present. Steps in the files
are not run.

Exit codes: 0 no difference; 1 differences; 2 called wrongly; 3 a file is wrong.`,
		Example: "  rolecall diff studio.rolecall proposed.rolecall",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if q.statements && q.effects {
				return errors.New("--statements and --effects do not go together")
			}
			a, err := q.compare(args[0], args[1])
			if err != nil {
				return bad(err)
			}
			return q.print(cmd.OutOrStdout(), a, a.same())
		},
	}
	q.source.instantFlag(cmd)
	q.output.flags(cmd)
	cmd.Flags().BoolVar(&q.statements, "statements", false, "only what the policies say")
	cmd.Flags().BoolVar(&q.effects, "effects", false, "only who may do more or less")
	return cmd
}

type diffQuestion struct {
	source
	output
	statements, effects bool
}

// Differences are the answer of diff.
type differences struct {
	Now          time.Time        `json:"now"`
	Declarations *lineDelta       `json:"declarations,omitzero"`
	Statements   []rolecall.Delta `json:"statements,omitzero"`
	Effects      []effectsOn      `json:"effects,omitzero"`
}

type lineDelta struct {
	Removed []string `json:"removed"`
	Added   []string `json:"added"`
}

// EffectsOn are the effects on some permissions.
type effectsOn struct {
	Permissions []rolecall.Permission `json:"permissions"`
	effects
}

func (q *diffQuestion) compare(oldName, newName string) (*differences, error) {
	oldFile, before, oldErr := readPolicy(oldName)
	newFile, after, newErr := readPolicy(newName)
	if err := errors.Join(oldErr, newErr); err != nil {
		return nil, err
	}
	var errs []error
	now := q.instant(newFile, &errs)
	if errs != nil {
		return nil, errors.Join(errs...)
	}
	d := &differences{Now: now.UTC()}
	if !q.effects {
		d.Declarations = declarationDelta(oldFile.Declarations, newFile.Declarations)
		d.Statements = changed(before.Statements(), after.Statements())
	}
	if !q.statements {
		var err error
		if d.Effects, err = effectiveDifferences(oldFile, newFile, now); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func declarationDelta(before, after rolecall.Declarations) *lineDelta {
	lines := func(d rolecall.Declarations) []string {
		return strings.Split(strings.TrimSpace(string(policy.Format(d, nil))), "\n")
	}
	return &lineDelta{missing(lines(before), lines(after)), missing(lines(after), lines(before))}
}

// missing returns the lines that are not among others.
func missing(lines, others []string) []string {
	there := map[string]bool{"": true}
	for _, l := range others {
		there[l] = true
	}
	return slices.DeleteFunc(append([]string{}, lines...), func(l string) bool { return there[l] })
}

// effectiveDifferences plans the way from one policy to the other under the declarations of both. What one of them does
// not declare it does not allow, so for those permissions the plan starts from nothing or leads there.
func effectiveDifferences(before, after *policy.File, now time.Time) ([]effectsOn, error) {
	catalog, err := rolecall.NewCatalog(both(before.Declarations, after.Declarations))
	if err != nil {
		return nil, err
	}
	inOld, inNew := permissionsOf(before), permissionsOf(after)
	parts := map[[2]bool][]rolecall.Permission{}
	for p := range catalog.Permissions() {
		builtin := !inOld[p] && !inNew[p]
		part := [2]bool{inOld[p] || builtin, inNew[p] || builtin}
		parts[part] = append(parts[part], p)
	}
	list := []effectsOn{}
	for _, part := range [][2]bool{{true, true}, {false, true}, {true, false}} {
		if parts[part] == nil {
			continue
		}
		from, to := when(part[0], before.Statements), when(part[1], after.Statements)
		e, err := planBetween(catalog, from, to, now, parts[part])
		if err != nil {
			return nil, err
		}
		if !e.empty() {
			list = append(list, effectsOn{parts[part], e})
		}
	}
	return list, nil
}

// both joins declarations. Of a name that both declare the later title counts.
func both(a, b rolecall.Declarations) rolecall.Declarations {
	return rolecall.Declarations{
		Permissions:  joined(a.Permissions, b.Permissions, func(d rolecall.PermissionDecl) rolecall.Permission { return d.Permission }),
		Conditions:   joined(a.Conditions, b.Conditions, func(d rolecall.ConditionDecl) rolecall.Condition { return d.Condition }),
		ScopeKinds:   joined(a.ScopeKinds, b.ScopeKinds, func(d rolecall.ScopeKindDecl) rolecall.ScopeKind { return d.Kind }),
		SubjectKinds: joined(a.SubjectKinds, b.SubjectKinds, func(d rolecall.SubjectKindDecl) rolecall.SubjectKind { return d.Kind }),
	}
}

func joined[D any, K comparable](a, b []D, name func(D) K) []D {
	all := map[K]D{}
	for _, d := range slices.Concat(a, b) {
		all[name(d)] = d
	}
	return slices.Collect(maps.Values(all))
}

func permissionsOf(f *policy.File) map[rolecall.Permission]bool {
	declared := map[rolecall.Permission]bool{}
	for _, d := range f.Declarations.Permissions {
		declared[d.Permission] = true
	}
	return declared
}

func when(declared bool, statements []rolecall.Statement) []rolecall.Statement {
	if !declared {
		return nil
	}
	return statements
}

func planBetween(c *rolecall.Catalog, from, to []rolecall.Statement, now time.Time, about []rolecall.Permission) (effects, error) {
	s, err := rolecall.NewSnapshot(c, from...)
	if err != nil {
		return effects{}, err
	}
	edits, err := s.Sync(slices.Values(to), func(rolecall.Statement) bool { return true })
	if err != nil {
		return effects{}, err
	}
	p, err := s.At(now).Plan(rolecall.Change{Meta: rolecall.Meta{Time: now}, Edits: edits})
	if err != nil {
		return effects{}, err
	}
	return effectsOf(p, func(p rolecall.Permission) bool { return slices.Contains(about, p) }), nil
}

func (d *differences) same() bool {
	return (d.Declarations == nil || len(d.Declarations.Removed)+len(d.Declarations.Added) == 0) && len(d.Statements)+len(d.Effects) == 0
}

func (d *differences) text(w io.Writer) error {
	if d.Declarations != nil {
		writeLines(w, "-", d.Declarations.Removed, nil)
		writeLines(w, "+", d.Declarations.Added, nil)
	}
	writeDeltas(w, d.Statements)
	if len(d.Effects) == 0 {
		return nil
	}
	if d.Declarations != nil {
		fmt.Fprintln(w)
	}
	var list []effects
	for _, e := range d.Effects {
		list = append(list, e.effects)
	}
	return writeEffects(w, list...)
}
