# What is measured; everything else is plain go commands, see CONTRIBUTING.md.

.PHONY: bench bench-peers

# The table of docs/performance.md. SIZES=SM leaves out the largest studio, which takes most of ten minutes.
SIZES ?= SML
bench:
	cd bench && GOWORK=off go run ./cmd/table -sizes $(SIZES)

# Other engines on the same studios. They have a module of their own, outside go.work.
PEER_SIZES ?= SM
bench-peers:
	cd bench/peers && GOWORK=off go list -m github.com/casbin/casbin/v3 github.com/cedar-policy/cedar-go github.com/open-policy-agent/opa
	cd bench/peers && GOWORK=off go test -run 'TestAnswers|TestTable' -table -sizes $(PEER_SIZES) -v .
