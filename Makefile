# What is measured; everything else is plain go commands, see CONTRIBUTING.md.

.PHONY: bench bench-peers

# The table of docs/performance.md. SIZES=SM leaves out the largest studio, which takes most of ten minutes.
SIZES ?= SML
bench:
	cd bench && GOWORK=off go run ./cmd/table -sizes $(SIZES)

# Other engines on the same studios. They have a module of their own, outside go.work, with everything that Kubernetes and
# OpenFGA bring along, so the first build takes minutes. The table itself takes at most a quarter of an hour: an engine
# that does not load a studio in the time or the memory it is given gets a row that says so.
PEER_SIZES ?= SML
bench-peers:
	cd bench/peers && GOWORK=off go list -m github.com/casbin/casbin/v3 github.com/cedar-policy/cedar-go github.com/open-policy-agent/opa github.com/openfga/openfga k8s.io/kubernetes
	cd bench/peers && GOWORK=off GOMEMLIMIT=20GiB go test -run 'TestAnswers|TestTable' -table -sizes $(PEER_SIZES) -timeout 20m -v .
