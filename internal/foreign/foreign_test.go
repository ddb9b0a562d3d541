// Package foreign loads policies that nobody here wrote, with the decisions that their authors published, and requires
// every one of them to come out. An adapter translates each format into statements; none knows a single decision.
//
// The files belong to other projects and are not part of this repository. They are looked for in shared/data beside it;
// where that folder is absent the tests say so and skip, since nobody can be asked to install it.
package foreign

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rolecall-go/rolecall"
)

const data = "../../../shared/data"

// read returns one of the files. Only the whole folder may be missing.
func read(t *testing.T, file string) []byte {
	t.Helper()
	if _, err := os.Stat(data); errors.Is(err, os.ErrNotExist) {
		t.Skipf("NOT TESTED: no folder %s with the policies of other projects", data)
	}
	content, err := os.ReadFile(filepath.Join(data, file))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func readJSON(t *testing.T, file string, into any) {
	t.Helper()
	if err := json.Unmarshal(read(t, file), into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// readTable returns the fields of each line that is not empty or a comment.
func readTable(t *testing.T, file string) [][]string {
	t.Helper()
	var rows [][]string
	for line := range strings.Lines(string(read(t, file))) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		row := strings.Split(line, ",")
		for i := range row {
			row[i] = strings.TrimSpace(row[i])
		}
		rows = append(rows, row)
	}
	return rows
}

// A world is a foreign policy in our words.
type world struct {
	declared   rolecall.Declarations
	statements []rolecall.Statement
}

func (w *world) say(statements ...rolecall.Statement) {
	w.statements = append(w.statements, statements...)
}

func (w *world) permission(name string) rolecall.Permission {
	p := rolecall.NewPermission(name)
	w.declared.Permissions = append(w.declared.Permissions, rolecall.PermissionDecl{Permission: p})
	return p
}

func (w *world) scopeKind(kind string) rolecall.ScopeKind {
	k := rolecall.ScopeKind(kind)
	w.declared.ScopeKinds = append(w.declared.ScopeKinds, rolecall.ScopeKindDecl{Kind: k})
	return k
}

func (w *world) build() (*rolecall.Snapshot, error) {
	catalog, err := rolecall.NewCatalog(w.declared)
	if err != nil {
		return nil, err
	}
	return rolecall.NewSnapshot(catalog, w.statements...)
}

func (w *world) snapshot(t *testing.T) *rolecall.Snapshot {
	t.Helper()
	s, err := w.build()
	if err != nil {
		t.Fatalf("translated policy: %v", err)
	}
	return s.At(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
}

// expect asks one question in both ways.
func expect(t *testing.T, s *rolecall.Snapshot, want bool, q rolecall.Request) {
	t.Helper()
	err := s.Check(q.Subject, q.Permission, q.Scope, q.Facts)
	if err != nil && !errors.Is(err, rolecall.ErrDenied) {
		t.Errorf("Check(%s, %s, %s): %v", q.Subject, q.Permission, q.Scope, err)
		return
	}
	decision, decideErr := s.Decide(q)
	if decideErr != nil {
		t.Errorf("Decide(%s, %s, %s): %v", q.Subject, q.Permission, q.Scope, decideErr)
		return
	}
	if got := err == nil; got != want || decision.Allowed() != want {
		t.Errorf("%s %s at %s: Check allows %v, Decide allows %v, want %v\n%s",
			q.Subject, q.Permission, q.Scope, got, decision.Allowed(), want, decision)
	}
}

func allow(patterns ...rolecall.Pattern) rolecall.Rule {
	return rolecall.Rule{Effect: rolecall.Allow, Patterns: patterns}
}
