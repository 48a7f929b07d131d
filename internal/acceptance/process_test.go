package acceptance

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a running `bellwether serve`. Any goroutine may use it.
type process struct {
	proxyAddr, adminAddr string // as it says itself

	command *exec.Cmd
	output  *output
	ended   chan struct{}
	failure error // after ended is closed
}

// output keeps what a process says.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write appends.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

// String returns all of it so far.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// startProcess starts the product and returns when it is ready to serve.
func startProcess(binary, config string) (*process, error) {
	p, err := beginProcess(binary, config)
	if err != nil {
		return nil, err
	}
	if err := p.waitReady(); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

// beginProcess starts the product.
func beginProcess(binary, config string) (*process, error) {
	p := &process{output: &output{}, ended: make(chan struct{}), command: exec.Command(binary, "serve", "--config", config)}
	p.command.Stdout, p.command.Stderr = p.output, p.output
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() { // ends with the process, which stop waits for
		// The kernel kills the child when the thread that forked it ends.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.command.Start()
		started <- err
		if err == nil {
			p.failure = p.command.Wait()
			close(p.ended)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start bellwether: %w", err)
	}
	return p, nil
}

// serving is the line in which bellwether says where it listens.
var serving = regexp.MustCompile(`msg=serving .*clients=(\S+) admin=(\S+)`)

// ready is an error until the process has said where it listens, and its
// readiness check is well.
func (p *process) ready() error {
	said := serving.FindStringSubmatch(p.output.String())
	if said == nil {
		return errors.New("it has not said where it listens")
	}
	p.proxyAddr, p.adminAddr = said[1], said[2]
	_, err := p.get("/readyz")
	return err
}

// metrics are what it counts, in Prometheus's text format.
func (p *process) metrics() (string, error) { return p.get("/metrics") }

func (p *process) get(path string) (string, error) {
	answer, err := http.Get("http://" + p.adminAddr + path)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("get %s: %s: %s", path, answer.Status, body)
	}
	return string(body), err
}

func (p *process) waitReady() error {
	deadline := time.After(patience)
	for {
		last := p.ready()
		if last == nil {
			return nil
		}
		select {
		case <-p.ended:
			return fmt.Errorf("bellwether ended before it was ready: %w\n%s", p.failure, p.output)
		case <-deadline:
			return fmt.Errorf("bellwether not ready after %v: %w\n%s", patience, last, tail(p.output.String(), 4000))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// healthy is an error where the process has raced, panicked or ended.
func (p *process) healthy() error {
	select {
	case <-p.ended:
		return fmt.Errorf("bellwether has ended: %w\n%s", p.failure, tail(p.output.String(), 4000))
	default:
	}
	return p.clean()
}

func (p *process) clean() error {
	text := p.output.String()
	for _, word := range []string{"DATA RACE", "panic"} {
		if at := strings.Index(text, word); at >= 0 {
			return fmt.Errorf("bellwether says %q:\n%s", word, clipped(text[max(0, at-200):], 5000))
		}
	}
	return nil
}

// stop asks the process to end, and makes it after a while.
func (p *process) stop() error {
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		return errors.Join(fmt.Errorf("stop bellwether: %w", err), p.clean())
	}
	select {
	case <-p.ended:
		if p.failure != nil {
			return fmt.Errorf("bellwether ended: %w\n%s", p.failure, tail(p.output.String(), 4000))
		}
		return p.clean()
	case <-time.After(patience):
	}
	_ = p.command.Process.Signal(syscall.SIGQUIT) // for its goroutines
	select {
	case <-p.ended:
	case <-time.After(10 * time.Second):
		_ = p.command.Process.Kill()
		<-p.ended
	}
	return fmt.Errorf("bellwether did not stop in %v\n%s", patience, tail(p.output.String(), 8000))
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }
