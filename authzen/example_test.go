package authzen_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/rolecall-go/rolecall"
	"github.com/rolecall-go/rolecall/authzen"
	"github.com/rolecall-go/rolecall/memstore"
	"github.com/rolecall-go/rolecall/policy"
)

const recordPolicy = `
permission record.read
kind scope record
role reader
  allow record.read
grant user:ada reader at /record:101
`

// A program in another language asks by HTTP.
func ExampleNewHandler() {
	_, snapshot, err := policy.Load("records.rolecall", []byte(recordPolicy))
	if err != nil {
		log.Fatal(err)
	}
	resolver, err := rolecall.Open(context.Background(), memstore.With(snapshot), snapshot.Catalog(), nil)
	if err != nil {
		log.Fatal(err)
	}
	handler, err := authzen.NewHandler(resolver, nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, id := range []string{"101", "102"} {
		body := `{"subject": {"type": "user", "id": "ada"}, "action": {"name": "read"}, "resource": {"type": "record", "id": "` + id + `"}}`
		r := httptest.NewRequest(http.MethodPost, "/access/v1/evaluation", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		fmt.Println(id, w.Code, strings.TrimSpace(w.Body.String()))
	}
	// Output:
	// 101 200 {"decision":true}
	// 102 200 {"decision":false}
}
