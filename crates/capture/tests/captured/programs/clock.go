// Prints the second of the wall clock, and whether time passes at its usual speed.
package main

import (
	"fmt"
	"time"
)

func main() {
	before := time.Now()
	fmt.Println(before.Unix())
	time.Sleep(100 * time.Millisecond)
	after := time.Now()
	wall := after.Round(0).Sub(before.Round(0))
	fmt.Println(wall > 90*time.Millisecond && wall < 5*time.Second)
}
