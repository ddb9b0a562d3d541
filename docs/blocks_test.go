package docs

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// What the blocks of Go in a page take for granted: packages, and variables.
const (
	imports = `import ("context"; "database/sql"; "encoding/json"; "errors"; "expvar"; "fmt"; "io"; "iter"; "log/slog"; "net/http"; "os"; "slices"; "strings"; "testing"; "time"
		"github.com/rolecall-go/rolecall"; "github.com/rolecall-go/rolecall/admin"; "github.com/rolecall-go/rolecall/decisionlog"; "github.com/rolecall-go/rolecall/httpauthz"
		"github.com/rolecall-go/rolecall/policy"; "github.com/rolecall-go/rolecall/review"; "github.com/rolecall-go/rolecall/sqlfilter"; "github.com/rolecall-go/rolecall/sqlsource"; "github.com/rolecall-go/rolecall/storetest")
	`
	variables = `ctx context.Context; now, nextFriday time.Time; db *sql.DB; file *os.File; t *testing.T
		snapshot *rolecall.Snapshot; resolver *rolecall.Resolver; store rolecall.PastStore; catalog *rolecall.Catalog; view *rolecall.View
		change rolecall.Change; request rolecall.Request; decision rolecall.Decision; statement rolecall.Statement; desired iter.Seq[rolecall.Statement]; usage *review.Usage
		ada, cleo, animation, layout rolecall.Subject; alpha, shot rolecall.Scope; TaskUpdate, ProjectView, VersionView, ShotView rolecall.Permission
	`
)

// pages are those with such blocks, each with what it takes for granted beside.
var pages = map[string]string{
	"administration.md": "",
	"decisions.md":      "",
	"filters.md":        "",
	"http.md": `identify func(*http.Request) (httpauthz.Identity, error); show, list, about, remove http.Handler; mux *httpauthz.Mux; guard *httpauthz.Guard; ShotDelete rolecall.Permission
		w http.ResponseWriter; r *http.Request; shots []string; placeOf func(string) rolecall.Target`,
	"least-privilege.md": `report *review.UseReport`,
	"lint.md":            "",
	"questions.md":       `version interface { Scope() rolecall.Scope }; connections []struct { Subject rolecall.Subject; Send func(any) }; event any`,
	"review.md":          `march *rolecall.Snapshot`,
	"stores.md":          `mux *http.ServeMux; roles []rolecall.Statement; mystore interface { Open(context.Context, string) (rolecall.Store, error) }`,
}

// elsewhere marks blocks of what other modules have: sqlfilter/sqltest runs the same on databases, and sqlstore.
var elsewhere = []string{"pgxpool.", "f.DB.", "store.Update("}

// Every block of Go in these pages compiles, but for what it leaves out.
func TestBlocksOfGoCompile(t *testing.T) {
	load := packages(t)
	for page, more := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(string(text), "```go\n")[1:]
		if len(parts) == 0 {
			t.Errorf("%s has no block of Go, want some", page)
		}
		for n, part := range parts {
			block, _, _ := strings.Cut(part, "```")
			if slices.ContainsFunc(elsewhere, func(mark string) bool { return strings.Contains(block, mark) }) {
				continue
			}
			for _, fault := range faults(load, block, variables+more) {
				t.Errorf("%s, block %d: %s\n%s", page, n+1, fault, block)
			}
		}
	}
}

// faults compiles the block as the body of a function. A block may leave things out, return nothing, and leave unused what
// the reader goes on with.
func faults(load types.Importer, block, variables string) (list []string) {
	source := "package p\n" + imports + "var (" + variables + ")\nfunc f() error {\n" + strings.ReplaceAll(block, "…", "") + "\n}"
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "", source, 0)
	if err != nil {
		return []string{err.Error()}
	}
	check := types.Config{Importer: load, Error: func(err error) {
		text := err.(types.Error).Msg
		for _, fine := range []string{"declared and not used", "imported and not used", "missing return", "not enough return values"} {
			if strings.Contains(text, fine) {
				return
			}
		}
		list = append(list, text)
	}}
	check.Check("p", files, []*ast.File{file}, nil)
	return list
}

// packages returns an importer of what the module has and uses.
func packages(t *testing.T) types.Importer {
	out, err := exec.Command("go", "list", "-deps", "-export", "-f", "{{.ImportPath}} {{.Export}}", "../...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	exports := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		exports[path] = file
	}
	return importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("there is no %s", path)
		}
		return os.Open(exports[path])
	})
}
