package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/bench/rawmysql"
	"github.com/bellwether-db/bellwether/internal/playground"
)

const (
	relayCommand = "relay"
	// startTime is how long a proxy may take until a client can log in.
	startTime = 20 * time.Second
)

// target is one way to the server, ready to be measured.
type target struct {
	name  string
	route route
	login rawmysql.Config
	proxy *child // nil: straight
}

// openTargets starts what stands between on each route. After an error nothing
// of it runs.
func (l *lab) openTargets(ctx context.Context, routes []route) ([]*target, error) {
	var targets []*target
	for _, r := range routes {
		t, err := l.openTarget(ctx, r)
		if err != nil {
			closeTargets(targets)
			return nil, err
		}
		targets = append(targets, t)
	}
	return targets, nil
}

func closeTargets(targets []*target) {
	for _, t := range targets {
		t.close()
	}
}

func (t *target) close() {
	if t.proxy != nil {
		t.proxy.stop()
	}
}

func (l *lab) openTarget(ctx context.Context, r route) (*target, error) {
	t := &target{name: r.String(), route: r, login: l.login}
	if r.kind == routeStraight {
		return t, nil
	}
	free, err := freeAddresses(2)
	if err != nil {
		return nil, err
	}
	t.login.Addr = free[0]
	argv, env, err := l.command(r, free[0], free[1])
	if err != nil {
		return nil, err
	}
	if t.proxy, err = l.nursery.start(t.name, env, argv...); err != nil {
		return nil, err
	}
	if err := t.proxy.await(ctx, startTime, t.try); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

// command is how the route's proxy is started on listen, and on admin where it
// has such an address.
func (l *lab) command(r route, listen, admin string) (argv, env []string, err error) {
	if r.threads > 0 && r.kind != routeHAProxy {
		env = []string{fmt.Sprintf("GOMAXPROCS=%d", r.threads)}
	}
	switch r.kind {
	case routeHAProxy:
		argv, err = l.haproxy(r, listen)
	case routeBellwether:
		argv, err = l.bellwether(r, listen, admin)
	default:
		argv, err = l.relay(listen)
	}
	return argv, env, err
}

// try logs in and asks for a row.
func (t *target) try(ctx context.Context) error {
	conn, err := rawmysql.Dial(ctx, &t.login)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(startTime))
	_, err = conn.Query([]byte(pointSQL + "1"))
	return err
}

func (l *lab) relay(listen string) ([]string, error) {
	self, err := os.Executable()
	return []string{self, relayCommand, listen, l.login.Addr}, err
}

// haproxy writes a configuration that is HAProxy's default but for what TCP
// mode needs.
func (l *lab) haproxy(r route, listen string) ([]string, error) {
	program, err := findHAProxy()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(l.dir, strings.ReplaceAll(r.String(), ":", "-")+".cfg")
	return []string{program, "-f", file}, os.WriteFile(file, []byte(haproxyConfig(r, listen, l.login.Addr, l.connections)), 0o600)
}

func haproxyConfig(r route, listen, server string, connections int) string {
	threads := ""
	if r.threads > 0 {
		threads = fmt.Sprintf("\n  nbthread %d", r.threads)
	}
	return fmt.Sprintf(`global
  maxconn %d%s
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen mysql
  bind %s
  server master %s
`, connections, threads, listen, server)
}

// findHAProxy looks where scripts/servers.sh puts it, then on PATH.
func findHAProxy() (string, error) {
	cache, err := playground.CacheDir()
	if err != nil {
		return "", err
	}
	if path, err := exec.LookPath(filepath.Join(cache, "bin", "haproxy")); err == nil {
		return path, nil
	}
	if path, err := exec.LookPath("haproxy"); err == nil {
		return path, nil
	}
	return "", fmt.Errorf("find haproxy: run scripts/servers.sh haproxy, or apt install haproxy, or leave it out of -through")
}

// freeAddresses are n loopback addresses that nobody listens on, below the
// ports that the kernel gives to outgoing connections.
func freeAddresses(n int) (free []string, err error) {
	for port := firstPort; port < 32768 && len(free) < n; port++ {
		addr := fmt.Sprintf("127.0.0.1:%d", port)
		if ln, err := net.Listen("tcp", addr); err == nil {
			free = append(free, addr)
			_ = ln.Close()
		}
	}
	if len(free) < n {
		return nil, fmt.Errorf("no %d free ports from %d to 32767", n, firstPort)
	}
	return free, nil
}

const firstPort = 24100
