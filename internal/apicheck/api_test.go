// Package apicheck guards the exported API: the listings in api/ tell what it is, one line for each name, so that a
// change of it is a line in review and never an accident. After a change that is meant:
//
//	go test ./internal/apicheck -update
//
// What is compatible with the last release is for apidiff to say, see .ci/api.
package apicheck

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the listings instead of comparing them")

const (
	module   = "github.com/rolecall-go/rolecall"
	root     = "../.."
	listings = root + "/api"
)

func TestExportedAPIIsAsListed(t *testing.T) {
	exports := exportData(t)
	listed := map[string]bool{}
	for _, importPath := range publicPackages(t) {
		name := path.Base(importPath) + ".txt"
		listed[name] = true
		checkListing(t, filepath.Join(listings, name), listing(load(t, exports, importPath)))
	}
	for _, file := range listingFiles(t) {
		if !listed[filepath.Base(file)] {
			t.Errorf("%s lists no package of the module; delete it", file)
		}
	}
}

func checkListing(t *testing.T, file, got string) {
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Errorf("no listing of a public package: %v; run go test ./internal/apicheck -update", err)
		return
	}
	want := strings.Split(string(data), "\n")
	lines := strings.Split(got, "\n")
	for _, line := range lines {
		if !slices.Contains(want, line) {
			t.Errorf("%s: exported but not listed: %s", file, line)
		}
	}
	for _, line := range want {
		if !slices.Contains(lines, line) {
			t.Errorf("%s: listed but not exported: %s", file, line)
		}
	}
	if !t.Failed() && string(data) != got {
		t.Errorf("%s is not in its one order; run go test ./internal/apicheck -update", file)
	}
}

func TestListingTellsEveryKindOfName(t *testing.T) {
	const source = `package p
		import "io"
		const C = 3
		var V io.Reader
		func F(n int) error { return nil }
		type S struct { A int "tag"; b int; io.Reader }
		func (s S) M() {}
		func (s *S) P() {}
		func (s *S) private() {}
		type I interface { M(); io.Reader; hidden() }
		type N []string
		type G[T any] struct { T T }
		type A = N
		type hidden int`
	want := `const C untyped int = 3
func F(n int) error
type A = N
type G[T any] struct
type G[T any] struct, T T
type I interface
type I interface, M()
type I interface, Read(p []byte) (n int, err error)
type I interface, unexported methods
type N []string
type S struct
type S struct, A int "tag"
type S struct, embeds Reader io.Reader
type S struct, unexported fields
type S, method (*S) P()
type S, method (S) M()
type S, method (S) Read(p []byte) (n int, err error)
var V io.Reader
`
	if got := listing(check(t, source)); got != want {
		t.Errorf("listing of a sample: got\n%s\nwant\n%s", got, want)
	}
}

func TestResultsHaveNoNamesOfTheCompiler(t *testing.T) {
	for _, tc := range []struct{ signature, want string }{
		{"(n int)", "(n int)"},
		{"(n int) error", "(n int) error"},
		{"(n int) (#rv1 error)", "(n int) error"},
		{"() (#rv1 func(n int) (a int, err error))", "() func(n int) (a int, err error)"},
		{"(f func(n int) (a, b int)) (#rv1 []byte, #rv2 error)", "(f func(n int) (a, b int)) ([]byte, error)"},
		{"(n int) (m int, err error)", "(n int) (m int, err error)"},
	} {
		if got := unnamed(tc.signature); got != tc.want {
			t.Errorf("unnamed(%q) = %q, want %q", tc.signature, got, tc.want)
		}
	}
}

// check type-checks a package of one file.
func check(t *testing.T, source string) *types.Package {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "p.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	pkg, err := (&types.Config{Importer: importer.ForCompiler(set, "source", nil)}).Check("p", set, []*ast.File{file}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return pkg
}

// publicPackages returns the import paths of the root module that others can import.
func publicPackages(t *testing.T) []string {
	var public []string
	for line := range strings.Lines(goList(t, "-f", "{{if .GoFiles}}{{.Name}} {{.ImportPath}}{{end}}", "./...")) {
		name, importPath, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name != "main" && !strings.Contains(importPath+"/", "/internal/") {
			public = append(public, importPath)
		}
	}
	if !slices.Contains(public, module) {
		t.Fatalf("go list: got public packages %q, want %s among them", public, module)
	}
	return public
}

// exportData returns the files in which the compiler left what each package exports.
func exportData(t *testing.T) map[string]string {
	files := map[string]string{}
	for line := range strings.Lines(goList(t, "-deps", "-export", "-f", "{{.ImportPath}} {{.Export}}", "./...")) {
		importPath, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		files[importPath] = file
	}
	return files
}

func goList(t *testing.T, args ...string) string {
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %q: %v\n%s", args, err, &stderr)
	}
	return string(out)
}

func load(t *testing.T, exports map[string]string, importPath string) *types.Package {
	lookup := func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }
	pkg, err := importer.ForCompiler(token.NewFileSet(), "gc", lookup).Import(importPath)
	if err != nil {
		t.Fatalf("import %s: %v", importPath, err)
	}
	return pkg
}

func listingFiles(t *testing.T) []string {
	files, err := filepath.Glob(filepath.Join(listings, "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// listing tells what a package exports, one line a name, sorted.
func listing(pkg *types.Package) string {
	l := lister{pkg: pkg}
	for _, name := range pkg.Scope().Names() {
		if obj := pkg.Scope().Lookup(name); obj.Exported() {
			l.object(obj)
		}
	}
	slices.Sort(l.lines)
	return strings.Join(slices.Compact(l.lines), "\n") + "\n"
}

type lister struct {
	pkg   *types.Package
	lines []string
}

func (l *lister) add(format string, args ...any) {
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

func (l *lister) qualify(other *types.Package) string {
	if other == l.pkg {
		return ""
	}
	return other.Path()
}

func (l *lister) typ(t types.Type) string { return types.TypeString(t, l.qualify) }

func (l *lister) object(obj types.Object) {
	switch obj := obj.(type) {
	case *types.Const:
		l.add("const %s %s = %s", obj.Name(), l.typ(obj.Type()), obj.Val().ExactString())
	case *types.Var:
		l.add("var %s %s", obj.Name(), l.typ(obj.Type()))
	case *types.Func:
		l.add("func %s%s", obj.Name(), l.signature(obj))
	case *types.TypeName:
		l.typeName(obj)
	}
}

func (l *lister) signature(f *types.Func) string {
	return unnamed(strings.TrimPrefix(l.typ(f.Type()), "func"))
}

// unnamed takes away the names that the compiler gives to the results of a function which it can inline: whether it can
// is no part of the API.
func unnamed(signature string) string {
	before, results, found := strings.Cut(signature, " (#rv1 ")
	if found && !strings.Contains(results, "#rv2 ") {
		return before + " " + strings.TrimSuffix(results, ")")
	}
	return givenName.ReplaceAllString(signature, "")
}

var givenName = regexp.MustCompile(`#rv\d+ `)

func (l *lister) typeName(obj *types.TypeName) {
	if alias, ok := obj.Type().(*types.Alias); ok {
		l.add("type %s = %s", obj.Name(), l.typ(alias.Rhs()))
		return
	}
	head := "type " + l.typ(obj.Type())
	switch under := obj.Type().Underlying().(type) {
	case *types.Struct:
		l.fields(head+" struct", under)
	case *types.Interface:
		l.interfaceMethods(head+" interface", under)
		return
	default:
		l.add("%s %s", head, l.typ(under))
	}
	l.methods(obj)
}

func (l *lister) fields(head string, s *types.Struct) {
	l.add("%s", head)
	for i := range s.NumFields() {
		f := s.Field(i)
		switch {
		case !f.Exported():
			l.add("%s, unexported fields", head)
		case f.Embedded():
			l.add("%s, embeds %s %s%s", head, f.Name(), l.typ(f.Type()), tag(s.Tag(i)))
		default:
			l.add("%s, %s %s%s", head, f.Name(), l.typ(f.Type()), tag(s.Tag(i)))
		}
	}
}

func tag(text string) string {
	if text == "" {
		return ""
	}
	return fmt.Sprintf(" %q", text)
}

func (l *lister) interfaceMethods(head string, i *types.Interface) {
	l.add("%s", head)
	for n := range i.NumMethods() {
		if m := i.Method(n); m.Exported() {
			l.add("%s, %s%s", head, m.Name(), l.signature(m))
		} else {
			l.add("%s, unexported methods", head)
		}
	}
}

// methods lists what the type and a pointer to it can be called with, promoted methods included.
func (l *lister) methods(obj *types.TypeName) {
	values := types.NewMethodSet(obj.Type())
	pointers := types.NewMethodSet(types.NewPointer(obj.Type()))
	for i := range pointers.Len() {
		m := pointers.At(i).Obj().(*types.Func)
		if !m.Exported() {
			continue
		}
		receiver := "*" + obj.Name()
		if values.Lookup(m.Pkg(), m.Name()) != nil {
			receiver = obj.Name()
		}
		l.add("type %s, method (%s) %s%s", obj.Name(), receiver, m.Name(), l.signature(m))
	}
}
