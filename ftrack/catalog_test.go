package ftrack_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/ftrack"
)

// written returns the names of the permissions that the package has Go values for, read from its source.
func written(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Values) == 1 && spec.Names[0].IsExported() {
				names = append(names, permissionLiteral(spec.Values[0])...)
			}
			return true
		})
	}
	slices.Sort(names)
	return names
}

// permissionLiteral returns the name in NewPermission("name").
func permissionLiteral(e ast.Expr) []string {
	call, ok := e.(*ast.CallExpr)
	if !ok || len(call.Args) != 1 {
		return nil
	}
	selector, ok := call.Fun.(*ast.SelectorExpr)
	literal, isLiteral := call.Args[0].(*ast.BasicLit)
	if !ok || !isLiteral || selector.Sel.Name != "NewPermission" {
		return nil
	}
	name, err := strconv.Unquote(literal.Value)
	if err != nil {
		return nil
	}
	return []string{name}
}

// Every permission that is a Go value is declared, with a title and a group, and nothing else is.
func TestDeclarations(t *testing.T) {
	var declared []string
	for _, d := range ftrack.Declarations().Permissions {
		declared = append(declared, d.Permission.String())
		if d.Title == "" || d.Group == "" {
			t.Errorf("%s has the title %q and the group %q, want both", d.Permission, d.Title, d.Group)
		}
	}
	slices.Sort(declared)
	if diff := cmp.Diff(written(t), declared); diff != "" {
		t.Errorf("Declarations differ from the Go values (-values +declared):\n%s", diff)
	}
	if _, err := rolecall.NewCatalog(ftrack.Declarations()); err != nil {
		t.Errorf("NewCatalog(Declarations()): %v", err)
	}
}

// Every pattern of every role covers something that is declared.
func TestRolesListNothingInVain(t *testing.T) {
	catalog, err := rolecall.NewCatalog(ftrack.Declarations())
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range ftrack.Roles() {
		for _, rule := range role.Rules {
			for _, pattern := range rule.Patterns {
				covered := 0
				for range catalog.Matching(pattern) {
					covered++
				}
				if covered == 0 {
					t.Errorf("role %s lists %s, which covers no permission", role.Name, pattern)
				}
			}
		}
	}
}
