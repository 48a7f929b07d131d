package playground

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
)

// Node is one server and the relay in front of it. Its methods may be called
// concurrently; those that start, stop, pause and resume the server wait for one
// another.
type Node struct {
	// Name is node1, node2 and so on; it never changes.
	Name string

	index      int
	dir        string
	socket     string
	directAddr string
	relay      *Relay
	install    Install
	options    Options
	record     record
	forker     *forker
	logger     *slog.Logger

	changing sync.Mutex // held while the server is started, stopped or paused
	mu       sync.Mutex // guards process
	process  *process   // nil before the first start
}

// Addr is the host:port of the node's relay: what clients, Bellwether and the
// other nodes use.
func (n *Node) Addr() string { return n.relay.Addr() }

// DirectAddr is the host:port of the server itself, past the relay.
func (n *Node) DirectAddr() string { return n.directAddr }

// Dir is the node's folder, in which the server is started.
func (n *Node) Dir() string { return n.dir }

// Socket is the path of the server's Unix socket.
func (n *Node) Socket() string { return n.socket }

// DataDir is the server's data directory.
func (n *Node) DataDir() string { return filepath.Join(n.dir, "data") }

// ServerID is the node's server_id: 1 for node1 and so on.
func (n *Node) ServerID() uint32 { return uint32(n.index + 1) }

// DSN is a data source name of go-sql-driver/mysql through the relay.
func (n *Node) DSN(user, password, db string) string {
	return dsn("tcp", n.Addr(), Account{User: user, Password: password}, db)
}

func dsn(network, addr string, a Account, db string) string {
	c := mysql.NewConfig()
	c.Net, c.Addr, c.User, c.Passwd, c.DBName = network, addr, a.User, a.Password, db
	return c.FormatDSN()
}

// PID is the server's process id, 0 while it does not run.
func (n *Node) PID() int {
	if p := n.current(); p != nil && p.running() {
		return p.pid()
	}
	return 0
}

func (n *Node) current() *process {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.process
}

// Kill ends the server as kill -9 does, also while it is paused, and returns
// when it is gone.
func (n *Node) Kill() error {
	n.changing.Lock()
	defer n.changing.Unlock()
	p := n.current()
	if p == nil || !p.running() {
		return fmt.Errorf("kill %s: %w", n.Name, errNotRunning)
	}
	n.logger.Info("server killed", "pid", p.pid())
	p.kill()
	return nil
}

// StopServer shuts the server down cleanly and returns when it has ended. When
// the context ends first the server is killed, and that is an error.
func (n *Node) StopServer(ctx context.Context) error {
	n.changing.Lock()
	defer n.changing.Unlock()
	p := n.current()
	if p == nil || !p.running() {
		return nil
	}
	if err := p.stop(ctx); err != nil {
		return fmt.Errorf("%s: %w", n.Name, err)
	}
	n.logger.Info("server stopped")
	return nil
}

// StartServer starts the server on its data and waits until it answers. It is
// read-only again, whatever it was before, and resumes its replication. The
// server must not be running.
func (n *Node) StartServer(ctx context.Context) error { return n.startServer(ctx) }

func (n *Node) startServer(ctx context.Context, extra ...string) error {
	n.changing.Lock()
	defer n.changing.Unlock()
	if pid := n.PID(); pid != 0 {
		return fmt.Errorf("start %s: it runs already, process %d", n.Name, pid)
	}
	began := time.Now()
	args := append(n.serverArgs(), extra...)
	p, err := n.forker.start(n.install.Program, args, n.dir, n.logPath(), nil, n.options.Environment...)
	if err != nil {
		return fmt.Errorf("start %s: %w", n.Name, err)
	}
	n.mu.Lock()
	n.process = p
	n.mu.Unlock()
	if err := n.waitReady(ctx, p); err != nil {
		p.kill()
		return fmt.Errorf("start %s: %w; the end of its log:\n%s", n.Name, err, tail(n.logPath()))
	}
	n.logger.Info("server ready", "pid", p.pid(), "addr", n.Addr(), "took", time.Since(began).Round(time.Millisecond))
	return nil
}

// waitReady tries to log in until that succeeds, the process ends or the
// context does.
func (n *Node) waitReady(ctx context.Context, p *process) error {
	db, err := n.control()
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		last := db.PingContext(ctx)
		if last == nil {
			return nil
		}
		select {
		case <-p.exited:
			return fmt.Errorf("the server ended: %w", p.ended())
		case <-ctx.Done():
			return fmt.Errorf("the server did not answer: %w (%w)", context.Cause(ctx), last)
		case <-tick.C:
		}
	}
}

// control is a handle on the server as root through its socket, which no cut
// touches. The caller closes it.
func (n *Node) control() (*sql.DB, error) {
	db, err := sql.Open("mysql", dsn("unix", n.socket, n.record.Root, ""))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", n.Name, err)
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// Cut stops all traffic through the node's relay, both ways, for existing and
// new connections: no byte, no FIN, no reset.
func (n *Node) Cut() { n.logger.Info("network cut"); n.relay.Cut() }

// CutToNode stops only what clients send to the node.
func (n *Node) CutToNode() { n.logger.Info("network cut towards the node"); n.relay.CutToNode() }

// CutFromNode stops only what the node answers.
func (n *Node) CutFromNode() { n.logger.Info("network cut from the node"); n.relay.CutFromNode() }

// CutOne stops all traffic of one connection, both ways; the server's processlist
// knows it by its host.
func (n *Node) CutOne(host string) {
	n.logger.Info("one connection cut", "host", host)
	n.relay.CutOne(host)
}

// Mend ends every cut; what was held goes on.
func (n *Node) Mend() { n.logger.Info("network mended"); n.relay.Mend() }

// ResetConnections breaks every connection through the relay with a TCP reset.
func (n *Node) ResetConnections() { n.relay.Reset() }

// Log is the whole text of the server's error log.
func (n *Node) Log() (string, error) { return n.text("log", n.logPath()) }

// GeneralLog is the whole text of the server's general log; see
// Options.GeneralLog.
func (n *Node) GeneralLog() (string, error) { return n.text("general log", n.generalLogPath()) }

func (n *Node) text(what, path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read %s of %s: %w", what, n.Name, err)
	}
	return string(text), nil
}

func (n *Node) logPath() string        { return filepath.Join(n.dir, "error.log") }
func (n *Node) generalLogPath() string { return filepath.Join(n.dir, "general.log") }

// tail is the end of a file, for a human who asks what went wrong.
func tail(path string) string {
	const most = 4096
	file, err := os.Open(path)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = file.Close() }()
	if info, err := file.Stat(); err == nil && info.Size() > most {
		_, _ = file.Seek(-most, io.SeekEnd) // from the start, then
	}
	text, err := io.ReadAll(file)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
