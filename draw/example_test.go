package draw_test

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/draw"
)

func ExampleSVG() {
	catalog, err := rolecall.NewCatalog(rolecall.Declarations{
		Permissions: []rolecall.PermissionDecl{{Permission: rolecall.NewPermission("task.view")}},
		ScopeKinds:  []rolecall.ScopeKindDecl{{Kind: "project"}},
	})
	if err != nil {
		panic(err)
	}
	ada, alpha := rolecall.User("ada"), rolecall.In("project", "alpha")
	snapshot, err := rolecall.NewSnapshot(catalog, rolecall.Override{Subject: ada, Effect: rolecall.Allow, Pattern: "task.view", Scope: alpha})
	if err != nil {
		panic(err)
	}
	decision, err := snapshot.At(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)).Decide(rolecall.Request{
		Subject: ada, Permission: rolecall.NewPermission("task.view"), Scope: alpha,
	})
	if err != nil {
		panic(err)
	}
	var svg bytes.Buffer
	if err := draw.SVG(&svg, decision.Explain(nil)); err != nil { // nil: nothing is known of the history
		panic(err)
	}
	fmt.Println(strings.Split(svg.String(), "\n")[1])
	// Output:   <title>Allowed. user:ada task.view at /project:alpha</title>
}
