package acceptance

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a running `bellwether serve`. Any goroutine may use it.
type process struct {
	proxyAddr, adminAddr string

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
func startProcess(binary, config, proxyAddr, adminAddr string) (*process, error) {
	p := &process{
		proxyAddr: proxyAddr, adminAddr: adminAddr, output: &output{}, ended: make(chan struct{}),
		command: exec.Command(binary, "serve", "--config", config),
	}
	p.command.Stdout, p.command.Stderr = p.output, p.output
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("start bellwether: %w", err)
	}
	go func() { // ends with the process, which stop waits for
		p.failure = p.command.Wait()
		close(p.ended)
	}()
	if err := p.waitReady(40 * time.Second); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

func (p *process) waitReady(patience time.Duration) error {
	deadline := time.After(patience)
	last := "nothing yet"
	for {
		if answer, err := http.Get("http://" + p.adminAddr + "/readyz"); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
			last = answer.Status
		}
		select {
		case <-p.ended:
			return fmt.Errorf("bellwether ended before it was ready: %w\n%s", p.failure, p.output)
		case <-deadline:
			return fmt.Errorf("bellwether not ready after %v (%s)\n%s", patience, last, tail(p.output.String(), 4000))
		case <-time.After(100 * time.Millisecond):
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
	case <-time.After(30 * time.Second):
	}
	_ = p.command.Process.Signal(syscall.SIGQUIT) // for its goroutines
	select {
	case <-p.ended:
	case <-time.After(5 * time.Second):
		_ = p.command.Process.Kill()
		<-p.ended
	}
	return fmt.Errorf("bellwether did not stop in 30 s\n%s", tail(p.output.String(), 8000))
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// freeAddresses finds loopback ports below the ephemeral range.
func freeAddresses(n int) ([]string, error) {
	var found []string
	for port := 21500; port < 32000 && len(found) < n; port += 7 {
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		found = append(found, listener.Addr().String())
		if err := listener.Close(); err != nil {
			return nil, fmt.Errorf("give back port: %w", err)
		}
	}
	if len(found) < n {
		return nil, errors.New("find ports: not enough are free")
	}
	return found, nil
}
