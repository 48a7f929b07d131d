package playground

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// pausePatience bounds the wait for a server's threads to stop. One that writes
// to a busy disk stops only when the write is done.
const pausePatience = time.Minute

var errRuns = errors.New("it still runs")

// Pause stops the server's process as SIGSTOP does: connections stay open and
// new ones are accepted by the kernel, but nothing answers. It returns when
// every thread has stopped; a server that cannot be stopped is resumed.
func (n *Node) Pause() error {
	n.changing.Lock()
	defer n.changing.Unlock()
	p := n.current()
	if p == nil || !p.running() {
		return fmt.Errorf("pause %s: %w", n.Name, errNotRunning)
	}
	ctx, cancel := context.WithTimeoutCause(context.Background(), pausePatience, errRuns)
	defer cancel()
	if err := p.pause(ctx); err != nil {
		return fmt.Errorf("pause %s: %w", n.Name, err)
	}
	return nil
}

// Resume ends a Pause.
func (n *Node) Resume() error {
	n.changing.Lock()
	defer n.changing.Unlock()
	p := n.current()
	if p == nil || !p.running() {
		return fmt.Errorf("resume %s: %w", n.Name, errNotRunning)
	}
	if err := p.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		return fmt.Errorf("resume %s: %w", n.Name, err)
	}
	return nil
}

// pause sends SIGSTOP and waits until the kernel says that the process, and so
// its last thread, has stopped: the signal itself only asks.
func (p *process) pause(ctx context.Context) error {
	if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return fmt.Errorf("stop process %d: %w", p.pid(), err)
	}
	if err := p.waitStopped(ctx); err != nil {
		_ = p.cmd.Process.Signal(syscall.SIGCONT) // it may have ended
		return fmt.Errorf("stop process %d: %w", p.pid(), err)
	}
	return nil
}

func (p *process) waitStopped(ctx context.Context) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		if stopped, err := p.stopped(); stopped || err != nil {
			return err
		}
		select {
		case <-p.exited:
			return p.ended()
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// stopped asks whether all threads of the child are stopped. It takes nothing
// from the wait for the child's end, which is under way elsewhere.
func (p *process) stopped() (bool, error) {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_PID, p.pid(), &info, unix.WSTOPPED|unix.WNOHANG|unix.WNOWAIT, nil)
	if err != nil && !errors.Is(err, unix.EINTR) {
		return false, fmt.Errorf("ask for the state of process %d: %w", p.pid(), err)
	}
	return info.Signo != 0, nil
}
