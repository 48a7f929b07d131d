// Command bench measures Bellwether from outside, over the MySQL port, beside
// the straight connection, HAProxy in TCP mode and a bare Go relay. See
// README.md for the method. It runs on Linux.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/bellwether-db/bellwether/bench/relay"
)

func main() {
	// Children die with the thread that started them (see child.go): all are
	// started here, on a thread that lives as long as the process.
	runtime.LockOSThread()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 3 && args[0] == relayCommand {
		return runRelay(ctx, args[1], args[2])
	}
	o, err := parseOptions(args)
	if err != nil {
		return err
	}
	return measure(ctx, o)
}

// runRelay is what a child of this program does to be the bare relay.
func runRelay(ctx context.Context, listen, target string) error {
	ln, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	return relay.Serve(ctx, ln, target)
}

// measure is the whole benchmark. Whatever it starts has ended when it returns.
func measure(ctx context.Context, o *options) (err error) {
	lab, err := openLab(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lab.close()) }()
	report := newReport(o, lab)
	if report.Idle, err = measureIdle(ctx, o, lab); err != nil {
		return err
	}
	if report.Cells, err = measureCells(ctx, o, lab); err != nil {
		return err
	}
	return report.publish(os.Stdout, o.out)
}
