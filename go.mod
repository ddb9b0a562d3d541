module github.com/rolecall-go/rolecall

go 1.26.0

// Tests only.
require (
	github.com/google/go-cmp v0.7.0
	pgregory.net/rapid v1.3.0
)
