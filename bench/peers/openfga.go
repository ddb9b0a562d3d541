package peers

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	openfgav1 "github.com/openfga/api/proto/openfga/v1"
	"github.com/openfga/openfga/pkg/server"
	"github.com/openfga/openfga/pkg/storage"
	"github.com/openfga/openfga/pkg/storage/memory"
	"github.com/openfga/openfga/pkg/storage/migrate"
	"github.com/openfga/openfga/pkg/storage/sqlcommon"
	"github.com/openfga/openfga/pkg/storage/sqlite"
	"github.com/openfga/openfga/pkg/typesystem"
)

// tuplesInWrite is how many tuples are written at a time.
const tuplesInWrite = 1_000

// OpenFGAMemory is an OpenFGA server in this process, with its datastore in memory.
func OpenFGAMemory(st *Studio, limit *Limit) (Peer, error) {
	return openFGA(st, limit, memory.New(memory.WithMaxTuplesPerWrite(tuplesInWrite)))
}

// OpenFGASQLite is the same with a SQLite database in a temporary file.
func OpenFGASQLite(st *Studio, limit *Limit) (Peer, error) {
	folder, err := os.MkdirTemp("", "peers")
	if err != nil {
		return Peer{}, err
	}
	file := "file:" + filepath.Join(folder, "openfga.db")
	p, err := func() (Peer, error) {
		if err := migrate.RunMigrations(migrate.MigrationConfig{Engine: "sqlite", URI: file, Timeout: time.Minute, PingTimeout: time.Minute}); err != nil {
			return Peer{}, err
		}
		ds, err := sqlite.New(file, sqlcommon.NewConfig(sqlcommon.WithMaxTuplesPerWrite(tuplesInWrite)))
		if err != nil {
			return Peer{}, err
		}
		return openFGA(st, limit, ds)
	}()
	closed := p.Close
	p.Close = func() {
		if closed != nil {
			closed()
		}
		_ = os.RemoveAll(folder) // a temporary folder that stays does no harm
	}
	if err != nil {
		p.Close()
	}
	return p, err
}

// openFGA has a relation a role on each scope, given to users, everyone or the members of a group, and a relation a
// permission, which is the union of the roles that allow it. Groups nest by themselves. It is asked once for each scope on
// the path that has grants; no cache is on.
func openFGA(st *Studio, limit *Limit, ds storage.OpenFGADatastore) (Peer, error) {
	ctx := context.Background()
	s, err := server.NewServerWithOpts(server.WithDatastore(ds))
	if err != nil {
		ds.Close()
		return Peer{}, err
	}
	store, err := s.CreateStore(ctx, &openfgav1.CreateStoreRequest{Name: "studio"})
	if err != nil {
		s.Close()
		return Peer{}, err
	}
	model, err := s.WriteAuthorizationModel(ctx, &openfgav1.WriteAuthorizationModelRequest{
		StoreId: store.GetId(), SchemaVersion: typesystem.SchemaVersion1_1, TypeDefinitions: fgaTypes(st),
	})
	if err == nil {
		err = fillOpenFGA(ctx, st, limit, ds, store.GetId())
	}
	if err != nil {
		s.Close()
		return Peer{}, err
	}
	known := map[string]bool{}
	for at := range st.Grants {
		known[at] = true
	}
	return Peer{Close: s.Close, Check: func(q *Asked) bool {
		for _, at := range q.Path {
			if !known[at] {
				continue
			}
			answer, err := s.Check(ctx, &openfgav1.CheckRequest{
				StoreId: store.GetId(), AuthorizationModelId: model.GetAuthorizationModelId(),
				TupleKey: &openfgav1.CheckRequestTupleKey{User: q.Who, Relation: fgaName("may ", q.May), Object: fgaScope(at)},
			})
			if err == nil && answer.GetAllowed() {
				return true
			}
		}
		return false
	}}, nil
}

func fillOpenFGA(ctx context.Context, st *Studio, limit *Limit, ds storage.OpenFGADatastore, store string) error {
	var tuples storage.Writes
	done, all := 0, st.count()
	for l := range st.links {
		t := &openfgav1.TupleKey{User: fgaHolder(l.who), Relation: "member", Object: l.where}
		if l.role != "" {
			t.Relation, t.Object = fgaName("is ", l.role), fgaScope(l.where)
		}
		if tuples = append(tuples, t); len(tuples) < tuplesInWrite {
			continue
		}
		if err := ds.Write(ctx, store, nil, tuples); err != nil {
			return fmt.Errorf("write: %w", err)
		}
		done, tuples = done+len(tuples), nil
		if err := limit.Reached(done, all); err != nil {
			return err
		}
	}
	return ds.Write(ctx, store, nil, tuples)
}

func fgaTypes(st *Studio) []*openfgav1.TypeDefinition {
	anybody := []*openfgav1.RelationReference{
		typesystem.DirectRelationReference("user", ""), typesystem.WildcardRelationReference("user"), typesystem.DirectRelationReference("group", "member"),
	}
	scope := &openfgav1.TypeDefinition{Type: "scope", Relations: map[string]*openfgav1.Userset{}, Metadata: &openfgav1.Metadata{Relations: map[string]*openfgav1.RelationMetadata{}}}
	allowing := map[string][]*openfgav1.Userset{}
	for role, list := range st.Permissions {
		name := fgaName("is ", role)
		scope.Relations[name] = typesystem.This()
		scope.Metadata.Relations[name] = &openfgav1.RelationMetadata{DirectlyRelatedUserTypes: anybody}
		for _, p := range list {
			allowing[p] = append(allowing[p], typesystem.ComputedUserset(name))
		}
	}
	for _, p := range st.Studio.Permissions {
		name := fgaName("may ", p.String())
		scope.Relations[name] = typesystem.Union(allowing[p.String()]...)
		scope.Metadata.Relations[name] = &openfgav1.RelationMetadata{}
	}
	return []*openfgav1.TypeDefinition{
		{Type: "user"},
		{Type: "group", Relations: map[string]*openfgav1.Userset{"member": typesystem.This()}, Metadata: &openfgav1.Metadata{Relations: map[string]*openfgav1.RelationMetadata{
			"member": {DirectlyRelatedUserTypes: []*openfgav1.RelationReference{anybody[0], anybody[2]}},
		}}},
		scope,
	}
}

// The names of things in tuples, in which some characters have a meaning.
func fgaName(prefix, name string) string {
	return strings.NewReplacer(" ", "_", ".", "_", "-", "_").Replace(prefix + name)
}

func fgaScope(at string) string { return "scope:" + strings.ReplaceAll(at, ":", "=") }

func fgaHolder(who string) string {
	switch {
	case who == "everyone":
		return "user:*"
	case strings.HasPrefix(who, "group:"):
		return who + "#member"
	}
	return who
}
