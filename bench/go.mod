module github.com/rolecall-go/rolecall/bench

go 1.26.0

require github.com/rolecall-go/rolecall v0.0.0

replace github.com/rolecall-go/rolecall => ../
