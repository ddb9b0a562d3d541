// Command shots is an HTTP service whose routes Rolecall guards and whose list page SQLite filters.
//
//	go run ./shots
//	curl -H 'User: ada' localhost:8080/shots
//	curl -H 'User: ada' -X PUT -d 'title=Rain' localhost:8080/projects/alpha/shots/010
package main

import (
	"context"
	"database/sql"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"

	_ "modernc.org/sqlite"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/httpauthz"
	"github.com/rolecall-go/rolecall/memstore"
	"github.com/rolecall-go/rolecall/policy"
	"github.com/rolecall-go/rolecall/sqlfilter"
)

// The permissions that the program asks about. studio.rolecall declares them with their titles.
var (
	ShotView   = rolecall.NewPermission("shot.view")
	ShotRename = rolecall.NewPermission("shot.rename")
)

//go:embed studio.rolecall
var studio string

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "the address to listen on")
	flag.Parse()
	ctx := context.Background()
	db, err := openDatabase(ctx)
	if err != nil {
		log.Fatal(err)
	}
	resolver, err := openPolicy(ctx)
	if err != nil {
		log.Fatal(err)
	}
	mux := routes(db, resolver)
	if err := mux.WriteRoutes(os.Stdout); err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on", *listen)
	log.Fatal(http.ListenAndServe(*listen, mux))
}

// openPolicy keeps the policy in memory. Another store lets it change while the program runs.
func openPolicy(ctx context.Context) (*rolecall.Resolver, error) {
	_, snapshot, err := policy.Load("studio.rolecall", []byte(studio))
	if err != nil {
		return nil, err
	}
	return rolecall.Open(ctx, memstore.With(snapshot), snapshot.Catalog(), nil)
}

func openDatabase(ctx context.Context) (*sql.DB, error) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // each connection would have a memory of its own
	_, err = db.ExecContext(ctx, `
		CREATE TABLE shot (project TEXT, id TEXT, title TEXT, artist TEXT, PRIMARY KEY (project, id));
		INSERT INTO shot VALUES
			('alpha', '010', 'Harbour', 'ada'), ('alpha', '020', 'Storm', 'bob'), ('alpha', '030', 'Calm', 'ada'),
			('beta', '010', 'Forest', 'ada'), ('beta', '020', 'Clearing', ''), ('secret', '010', 'Ending', 'ada');`)
	return db, err
}

// identify believes a header. A real one verifies a token or a session.
func identify(r *http.Request) (httpauthz.Identity, error) {
	name := r.Header.Get("User")
	if name == "" {
		return httpauthz.Identity{}, nil
	}
	return httpauthz.Identity{Subject: rolecall.User(name)}, nil
}

func routes(db *sql.DB, resolver *rolecall.Resolver) *httpauthz.Mux {
	s := service{db}
	guard := httpauthz.New(resolver, identify, nil)
	shot := httpauthz.Path("project", "shot").WithFacts(s.facts)
	mux := httpauthz.NewMux()
	mux.Handle("GET /shots", guard.Identify(http.HandlerFunc(s.list)))
	mux.Handle("GET /projects/{project}/shots/{shot}", guard.Enforce(httpauthz.Requirement{
		Permission: ShotView, At: shot, Hide: true,
	})(http.HandlerFunc(s.show)))
	mux.Handle("PUT /projects/{project}/shots/{shot}", guard.Enforce(httpauthz.Requirement{
		Permission: ShotRename, At: shot, HideUnless: ShotView,
	})(http.HandlerFunc(s.rename)))
	return mux
}

type service struct{ db *sql.DB }

// A Shot is a row.
type Shot struct{ Project, ID, Title, Artist string }

// facts answers assigned for one shot. A shot that does not exist is told as such.
func (s service) facts(r *http.Request, who rolecall.Subject, _ rolecall.Scope) (rolecall.Facts, error) {
	shot, err := s.load(r)
	if err != nil {
		return nil, err
	}
	if who == rolecall.User(shot.Artist) {
		return rolecall.Given{"assigned"}, nil
	}
	return rolecall.Given{}, nil
}

func (s service) load(r *http.Request) (Shot, error) {
	shot := Shot{Project: r.PathValue("project"), ID: r.PathValue("shot")}
	err := s.db.QueryRowContext(r.Context(), "SELECT title, artist FROM shot WHERE project = ? AND id = ?", shot.Project, shot.ID).
		Scan(&shot.Title, &shot.Artist)
	if errors.Is(err, sql.ErrNoRows) {
		err = httpauthz.ErrNotFound
	}
	return shot, err
}

// list is one query: the database returns the rows that the subject may see, in its own order, up to its own limit.
func (s service) list(w http.ResponseWriter, r *http.Request) {
	a, _ := httpauthz.From(r.Context())
	shots, err := s.visible(r.Context(), a)
	if err != nil {
		refuse(w, r, err)
		return
	}
	answer(w, shots)
}

func (s service) visible(ctx context.Context, a *httpauthz.Access) ([]Shot, error) {
	set, err := a.Scopes(ctx, "shot", ShotView)
	if err != nil {
		return nil, err
	}
	where, err := sqlfilter.Where(set, &sqlfilter.Table{
		Dialect:    sqlfilter.SQLite,
		Path:       []sqlfilter.Level{{Kind: "project", ID: "project"}, {Kind: "shot", ID: "id"}},
		Conditions: map[rolecall.Condition]sqlfilter.Expr{"assigned": {SQL: "artist = ?", Args: []any{a.Subject().ID()}}},
	})
	if err != nil {
		return nil, err
	}
	rows, err := s.db.QueryContext(ctx,
		"SELECT project, id, title, artist FROM shot WHERE "+where.SQL+" ORDER BY project, id LIMIT 50", where.Args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	shots := []Shot{}
	for rows.Next() {
		var one Shot
		if err := rows.Scan(&one.Project, &one.ID, &one.Title, &one.Artist); err != nil {
			return nil, err
		}
		shots = append(shots, one)
	}
	return shots, rows.Err()
}

func (s service) show(w http.ResponseWriter, r *http.Request) {
	shot, err := s.load(r)
	if err != nil {
		refuse(w, r, err)
		return
	}
	answer(w, shot)
}

// rename acts on the values of the path, which are those that were checked.
func (s service) rename(w http.ResponseWriter, r *http.Request) {
	_, err := s.db.ExecContext(r.Context(), "UPDATE shot SET title = ? WHERE project = ? AND id = ?",
		r.PostFormValue("title"), r.PathValue("project"), r.PathValue("shot"))
	if err != nil {
		refuse(w, r, err)
		return
	}
	s.show(w, r)
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		log.Print(err)
	}
}

// refuse answers as the guard would: what is not there 404, all else 503.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	a, _ := httpauthz.From(r.Context())
	a.Refuse(w, r, err)
}
