package main

import (
	"os"
	"runtime/debug"
)

// tuneRuntime collects garbage at half the runtime's usual growth, unless
// GOGC says otherwise. Statements allocate nothing, so collections are rare
// all the same, and what logins leave behind is given back sooner.
func tuneRuntime() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
}
