// Table prints what Rolecall costs, row by row, beside the bar that each row has to reach.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/rolecall-go/rolecall/bench"
)

func main() {
	sizes := flag.String("sizes", "SML", "the sizes to measure")
	rounds := flag.Int("rounds", 11, "rounds of each measurement; the medians are printed")
	seed := flag.Uint64("seed", 1, "of the studios")
	flag.Parse()
	t := bench.Table{Out: os.Stdout, Sizes: bench.Sizes(*sizes), Rounds: *rounds, Seed: *seed}
	if err := t.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
