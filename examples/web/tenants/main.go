// Command tenants is a service of many tenants. What a tenant has lies in the scope of the tenant, so that nobody
// reaches into another one; each is managed by its own administrators; support staff act as somebody, and both are kept.
//
//	go run ./tenants
//	curl -H 'User: ann' localhost:8080/t/acme/documents/plan
//	curl -H 'User: ann' -X PUT localhost:8080/t/acme/members/carl/editor
//	curl -H 'User: sue' -H 'Act-As: bea' localhost:8080/t/acme/documents/plan
package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/admin"
	"github.com/rolecall-go/rolecall/httpauthz"
	"github.com/rolecall-go/rolecall/memstore"
	"github.com/rolecall-go/rolecall/policy"
)

// The permissions that the program asks about.
var (
	DocumentView = rolecall.NewPermission("document.view")
	SupportAct   = rolecall.NewPermission("support.act")
)

//go:embed policy.rolecall
var text string

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "the address to listen on")
	flag.Parse()
	_, snapshot, err := policy.Load("policy.rolecall", []byte(text))
	if err != nil {
		log.Fatal(err)
	}
	resolver, err := rolecall.Open(context.Background(), memstore.With(snapshot), snapshot.Catalog(), nil)
	if err != nil {
		log.Fatal(err)
	}
	mux := routes(resolver)
	if err := mux.WriteRoutes(os.Stdout); err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on", *listen)
	log.Fatal(http.ListenAndServe(*listen, mux))
}

// identify believes two headers. A real one verifies a session, which says who is behind it and as whom it acts.
func identify(r *http.Request) (httpauthz.Identity, error) {
	user, as := r.Header.Get("User"), r.Header.Get("Act-As")
	switch {
	case user == "":
		return httpauthz.Identity{}, nil
	case as == "":
		return httpauthz.Identity{Subject: rolecall.User(user)}, nil
	}
	return httpauthz.Identity{
		Subject: rolecall.User(as),
		Actor:   rolecall.User(user),
		Narrow:  rolecall.ToPatterns("*.view"), // whoever acts as somebody looks, and changes nothing
	}, nil
}

// routes hides everything of a tenant from those who have nothing to do with it.
func routes(resolver *rolecall.Resolver) *httpauthz.Mux {
	guard := httpauthz.New(resolver, identify, &httpauthz.Options{Impersonate: SupportAct})
	document := httpauthz.Path("tenant", "document")
	mux := httpauthz.NewMux()
	mux.Handle("GET /t/{tenant}/documents/{document}", guard.Enforce(httpauthz.Requirement{
		Permission: DocumentView, At: document, Hide: true,
	})(http.HandlerFunc(show)))
	members := httpauthz.Requirement{Permission: rolecall.GrantCreate, At: httpauthz.Path("tenant"), HideUnless: DocumentView}
	mux.Handle("PUT /t/{tenant}/members/{user}/{role}", guard.Enforce(members)(addMember(resolver)))
	return mux
}

func show(w http.ResponseWriter, r *http.Request) {
	a, _ := httpauthz.From(r.Context())
	if a.Actor().IsZero() {
		fmt.Fprintf(w, "%s reads %s\n", a.Subject(), a.Scope())
		return
	}
	fmt.Fprintf(w, "%s reads %s as %s\n", a.Actor(), a.Scope(), a.Subject())
}

// addMember changes the policy in the name of the caller: the rules of administration judge whether they may give that
// role there, so that nobody gives more than they have.
func addMember(resolver *rolecall.Resolver) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, _ := httpauthz.From(r.Context())
		_, err := resolver.Edit(r.Context(), a.Meta("added by an administrator"), rolecall.Put(rolecall.Grant{
			Subject: rolecall.User(r.PathValue("user")), Role: rolecall.RoleName(r.PathValue("role")), Scope: a.Scope(),
		}))
		if err != nil {
			log.Print(err) // it names roles and places: the caller gets the status alone
			status := admin.HTTPStatus(err)
			http.Error(w, http.StatusText(status), status)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
}
