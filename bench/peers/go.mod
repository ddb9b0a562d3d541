module github.com/rolecall-go/rolecall/bench/peers

go 1.26.0

require (
	github.com/rolecall-go/rolecall v0.0.0
	github.com/rolecall-go/rolecall/bench v0.0.0
)

replace (
	github.com/rolecall-go/rolecall => ../..
	github.com/rolecall-go/rolecall/bench => ..
)
