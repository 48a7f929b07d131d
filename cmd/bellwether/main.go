// Command bellwether stands in front of a master and its slaves and gives
// MySQL clients one address.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// secondSignal is how long after the first signal another one counts.
const secondSignal = 500 * time.Millisecond

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks everything to end in order. A while later signals
	// have their default effect again, so that a second one ends the process at
	// once. The while is there because some send one signal twice: to a process
	// and to its group.
	context.AfterFunc(ctx, func() { time.AfterFunc(secondSignal, stop) })
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run executes one command line and returns the exit code: 0, or 1 if the
// command failed, or 2 if it was used in a wrong way.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := rootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return exitCode(root, root.ExecuteContext(ctx))
}
