// A program that links the test kit by mistake.
package main

import (
	"fmt"

	"github.com/rolecall-go/rolecall/rolecalltest"
)

var _ = rolecalltest.Matrix{}

func main() { fmt.Println("it runs") }
