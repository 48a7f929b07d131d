package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// stopTime is how long a child may take to end before it is killed.
const stopTime = 5 * time.Second

// nursery starts child processes and stops them all. Only one goroutine may
// use it, and its thread must live as long as the children: the kernel kills
// a child (so that none survives a crash of this program) when the thread that
// forked it ends.
type nursery struct {
	dir      string // for the logs
	wait     sync.WaitGroup
	children []*child
}

// child is a running process.
type child struct {
	name   string
	cmd    *exec.Cmd
	log    string        // file with what it printed
	exited chan struct{} // closed when it has ended
}

// start runs argv with env added to this program's environment. The child has
// a process group of its own, so that a Ctrl-C reaches this program alone.
func (n *nursery) start(name string, env []string, argv ...string) (*child, error) {
	log := filepath.Join(n.dir, strings.ReplaceAll(name, ":", "-")+".log")
	out, err := os.Create(log)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	defer func() { _ = out.Close() }() // the child has its own
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	c := &child{name: name, cmd: cmd, log: log, exited: make(chan struct{})}
	n.children = append(n.children, c)
	n.wait.Go(func() {
		_ = cmd.Wait() // how it ended shows in its log
		close(c.exited)
	})
	return c, nil
}

// close stops all children.
func (n *nursery) close() {
	for _, c := range n.children {
		c.stop()
	}
	n.wait.Wait()
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// stop asks the child to end, then makes it. It may be called again.
func (c *child) stop() {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.exited:
	case <-time.After(stopTime):
		_ = c.cmd.Process.Kill()
		<-c.exited
	}
}

// await repeats try until it succeeds, the child ends, or the time is up.
func (c *child) await(ctx context.Context, limit time.Duration, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-c.exited:
			return fmt.Errorf("%s ended: %s", c.name, c.tail())
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w; its log: %s", c.name, err, c.tail())
		case <-tick.C:
		}
	}
}

// tail is the end of the child's log.
func (c *child) tail() string {
	const most = 2000
	text, err := os.ReadFile(c.log)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(text[max(0, len(text)-most):]))
}
