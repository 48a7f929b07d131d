package playground

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

var (
	errNotRunning = errors.New("the server does not run")
	errNoStatus   = errors.New("exit status 0")
)

// forker starts children so that they die with this process. The kernel ties a
// parent-death signal to the thread that forked, and the Go runtime ends idle
// threads, so all forking is done on one thread that lives as long as the
// forker. Its methods may be called concurrently.
type forker struct {
	jobs chan func()
	wait sync.WaitGroup
}

func newForker() *forker { return &forker{jobs: make(chan func())} }

// open starts the thread; close ends it, once every child has been waited for
// (earlier, it would kill them).
func (f *forker) open() {
	f.wait.Go(func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for job := range f.jobs {
			job()
		}
	})
}

func (f *forker) close() {
	close(f.jobs)
	f.wait.Wait()
}

// process is a child and its end. Its methods may be called concurrently.
type process struct {
	cmd    *exec.Cmd
	exited chan struct{}
	err    error // how it ended; valid once exited is closed
}

// start forks a program whose output goes to the end of the file log, with more
// in its environment where that is given. The child leads a process group of its
// own, so that a Ctrl-C reaches this process alone, which then stops the child in
// its own way.
func (f *forker) start(program string, args []string, dir, log string, stdin *os.File, environment ...string) (*process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log of %s: %w", program, err)
	}
	defer func() { _ = out.Close() }() // the child has its own descriptor
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, out
	if len(environment) > 0 {
		cmd.Env = append(os.Environ(), environment...)
	}
	if stdin != nil {
		cmd.Stdin = stdin
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	f.jobs <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	return f.watch(cmd), nil
}

func (f *forker) watch(cmd *exec.Cmd) *process {
	p := &process{cmd: cmd, exited: make(chan struct{})}
	f.wait.Go(func() {
		p.err = cmd.Wait()
		close(p.exited)
	})
	return p
}

// run starts a program and waits for its success; it is killed when the
// context ends.
func (f *forker) run(ctx context.Context, program string, args []string, dir, log string, stdin *os.File) error {
	p, err := f.start(program, args, dir, log, stdin)
	if err != nil {
		return err
	}
	if err := p.waitExit(ctx); err != nil {
		p.kill()
		return fmt.Errorf("run %s: %w", program, err)
	}
	if p.err != nil {
		return fmt.Errorf("run %s: %w\n%s", program, p.err, tail(log))
	}
	return nil
}

// ended says how the process ended, once it has.
func (p *process) ended() error {
	if p.err == nil {
		return errNoStatus
	}
	return p.err
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

func (p *process) waitExit(ctx context.Context) error {
	select {
	case <-p.exited:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// kill ends the process at once, also when it is paused, and waits until it is
// gone. That it had ended already is no error.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.exited
}

// stop asks the process to shut down and waits; when the context ends first,
// it is killed.
func (p *process) stop(ctx context.Context) error {
	if !p.running() {
		return nil
	}
	// A paused process does not act on SIGTERM until it is resumed.
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	_ = p.cmd.Process.Signal(syscall.SIGCONT)
	if err := p.waitExit(ctx); err != nil {
		p.kill()
		return fmt.Errorf("stop process %d: killed, it did not shut down: %w", p.pid(), err)
	}
	return nil
}
