// Package peers measures what a user might pick instead of Rolecall, on the same studios with the same questions.
//
//	make bench-peers
package peers

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/cedar-policy/cedar-go"
	"github.com/open-policy-agent/opa/v1/ast"
	"k8s.io/apiserver/pkg/authorization/authorizer"

	"github.com/rolecall-go/rolecall/bench"
)

// A Peer is an engine with a studio in it. Check answers one prepared question; a question that the engine fails to
// answer is no yes. Close, where there is one, lets go of what memory alone does not.
type Peer struct {
	Check func(q *Asked) bool
	Close func()
}

// An Engine makes a peer of a studio.
type Engine struct {
	Name string
	Load func(*Studio, *Limit) (Peer, error)
}

// Engines returns all of them, Rolecall first.
func Engines() []Engine {
	return []Engine{
		{"rolecall", Rolecall},
		{"maps of slices", Maps},
		{"kubernetes rbac", Kubernetes},
		{"casbin", Casbin},
		{"casbin, cached", CachedCasbin},
		{"cedar-go", Cedar},
		{"opa rego", OPA},
		{"openfga, sqlite", OpenFGASQLite},
		{"openfga, memory", OpenFGAMemory},
	}
}

// A Limit is how long and how large a load may become, so that one engine does not take the time of all.
type Limit struct {
	Until time.Time
	Bytes uint64
}

// errLimit says that an engine was not loaded whole.
var errLimit = errors.New("not loaded")

// Reached says, after so many of all the parts of a load, whether it is to be given up.
func (l *Limit) Reached(done, all int) error {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	share := 100 * float64(done) / float64(all)
	switch {
	case m.HeapAlloc > l.Bytes:
		return fmt.Errorf("%w: %.0f %% of it take %d MiB", errLimit, share, m.HeapAlloc>>20)
	case time.Now().After(l.Until):
		return fmt.Errorf("%w: %.0f %% of it when its time was over", errLimit, share)
	}
	return nil
}

// Asked is a question in the forms that engines take, made ready beforehand.
type Asked struct {
	*bench.Question
	Who  string   // the subject
	May  string   // the permission
	Path []string // the scopes from Global down to the target

	kubernetes []authorizer.AttributesRecord
	cedar      []cedar.Request
	opa        ast.Value
}

// Prepare puts a question in every form.
func (st *Studio) Prepare(q *bench.Question) *Asked {
	a := &Asked{Question: q, Who: q.Subject.String(), May: q.Permission.String(), Path: []string{"/"}}
	text := q.Scope.String()
	for i := 1; i < len(text); i++ {
		if text[i] == '/' {
			a.Path = append(a.Path, text[:i])
		}
	}
	a.Path = append(a.Path, text)
	a.prepareKubernetes(st)
	a.prepareCedar()
	a.prepareOPA()
	return a
}

// kindAndAction takes a permission apart.
func kindAndAction(permission string) (kind, action string) {
	kind, action, _ = strings.Cut(permission, ".")
	return kind, action
}
