// Package bench measures Rolecall on made-up studios of three sizes, and checks every answer against a naive evaluator
// before anything is timed.
//
//	go test .                      # the answers, at the small and the medium size
//	go test -bench . -benchtime 1x # one benchmark a row of the table
//	go run ./cmd/table             # the table in docs/performance.md
package bench
