package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// options are the flags, checked.
type options struct {
	server     string
	user       string
	password   string
	flavour    string
	slaves     int
	routes     []route
	workloads  []*workload
	clients    []int
	rounds     int
	round      time.Duration
	idle       int
	pool       int
	bellwether string
	out        string
	quick      bool
}

// route is one way to the server.
type route struct {
	kind routeKind
	// threads is HAProxy's nbthread or a Go program's GOMAXPROCS; 0 leaves the
	// program's own default.
	threads int
}

// routeKind is a kind of way to the server. The zero value is unknown.
type routeKind uint8

const (
	routeUnknown routeKind = iota
	routeStraight
	routeHAProxy
	routeRelay
	routeBellwether
)

// String is the kind's word in -through.
func (k routeKind) String() string {
	return [...]string{"unknown", "straight", "haproxy", "relay", "bellwether"}[k]
}

// String is what parseRoute reads, such as "haproxy:1".
func (r route) String() string {
	if r.threads == 0 {
		return r.kind.String()
	}
	return fmt.Sprintf("%s:%d", r.kind, r.threads)
}

func parseRoute(s string) (route, error) {
	word, threads, counted := strings.Cut(s, ":")
	r := route{}
	for k := routeStraight; k <= routeBellwether; k++ {
		if word == k.String() {
			r.kind = k
		}
	}
	if counted {
		n, err := strconv.Atoi(threads)
		if err != nil || n < 1 || r.kind == routeStraight {
			return r, fmt.Errorf("parse route %q: want KIND or KIND:THREADS", s)
		}
		r.threads = n
	}
	if r.kind == routeUnknown {
		return r, fmt.Errorf("parse route %q: want straight, haproxy, relay or bellwether", s)
	}
	return r, nil
}

// flags are the options as given.
type flags struct {
	options
	through, workloadNames, clientCounts string
	withRelay                            bool
}

func (f *flags) define(fs *flag.FlagSet) {
	fs.StringVar(&f.server, "server", "", "measure on this running server (host:port, -user may create a database) instead of starting one")
	fs.StringVar(&f.user, "user", "app", "account on the server")
	fs.StringVar(&f.password, "password", "app", "its password")
	fs.StringVar(&f.flavour, "servers", "auto", "which server to start: mysql, mariadb, or auto")
	fs.IntVar(&f.slaves, "slaves", 0, "slaves that Bellwether may read from; 0 is fair towards HAProxy")
	fs.StringVar(&f.through, "through", "straight,haproxy,haproxy:1,bellwether,bellwether:1", "ways to the server; KIND:N is N threads (nbthread, GOMAXPROCS)")
	fs.BoolVar(&f.withRelay, "with-relay", false, "also through a bare Go relay, with each GOMAXPROCS of Bellwether")
	fs.StringVar(&f.workloadNames, "workloads", "", "of "+strings.Join(workloadNames(), ",")+" (all)")
	fs.StringVar(&f.clientCounts, "clients", "1,16,256", "clients at a time")
	fs.IntVar(&f.rounds, "rounds", 0, "rounds of each cell (7; 5 with -quick)")
	fs.DurationVar(&f.round, "round", 0, "length of a round (400ms; 200ms with -quick)")
	fs.IntVar(&f.idle, "idle", 1000, "idle clients for the memory each costs; 0 leaves it out")
	fs.IntVar(&f.pool, "pool", 512, "Bellwether's pool.max_per_node; below the clients, statements wait for a connection")
	fs.StringVar(&f.bellwether, "bellwether", "", "the bellwether binary (built from ./cmd/bellwether)")
	fs.StringVar(&f.out, "out", "bench/results", "folder for the JSON and the plot")
	fs.BoolVar(&f.quick, "quick", false, "about a minute: shorter rounds, and all but point selects at 16 clients only")
}

// parseOptions reads the command line. flag.ErrHelp means that help was asked
// for and given.
func parseOptions(args []string) (*options, error) {
	var f flags
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.SetOutput(os.Stderr)
	f.define(fs)
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if fs.NArg() > 0 {
		return nil, fmt.Errorf("argument %q: there are only flags", fs.Arg(0))
	}
	f.defaults()
	if err := f.lists(); err != nil {
		return nil, err
	}
	return &f.options, f.options.check()
}

func (f *flags) defaults() {
	rounds, round := 7, 400*time.Millisecond
	if f.quick {
		rounds, round = 5, 200*time.Millisecond
	}
	if f.rounds == 0 {
		f.rounds = rounds
	}
	if f.round == 0 {
		f.round = round
	}
}

func (f *flags) lists() (err error) {
	for s := range strings.SplitSeq(f.through, ",") {
		r, err := parseRoute(s)
		if err != nil {
			return err
		}
		f.addRoute(r)
	}
	for s := range strings.SplitSeq(f.clientCounts, ",") {
		n, err := strconv.Atoi(s)
		if err != nil {
			return fmt.Errorf("parse clients: %w", err)
		}
		f.clients = append(f.clients, n)
	}
	f.workloads, err = chooseWorkloads(f.workloadNames)
	return err
}

func (f *flags) addRoute(r route) {
	f.routes = append(f.routes, r)
	if f.withRelay && r.kind == routeBellwether {
		f.routes = append(f.routes, route{routeRelay, r.threads})
	}
}

// The bounds keep a mistyped flag from taking the machine down.
const (
	maxClients = 2000
	maxIdle    = 8000
	maxRounds  = 1000
	maxRound   = time.Minute
)

func (o *options) check() error {
	for _, n := range o.clients {
		if n < 1 || n > maxClients {
			return fmt.Errorf("%d clients: want 1 to %d", n, maxClients)
		}
	}
	switch {
	case o.rounds < 1 || o.rounds > maxRounds:
		return fmt.Errorf("%d rounds: want 1 to %d", o.rounds, maxRounds)
	case o.round <= 0 || o.round > maxRound:
		return fmt.Errorf("rounds of %v: want up to %v", o.round, maxRound)
	case o.idle < 0 || o.idle > maxIdle:
		return fmt.Errorf("%d idle clients: want 0 to %d", o.idle, maxIdle)
	case o.server != "" && o.slaves > 0:
		return fmt.Errorf("-slaves is for servers that the benchmark starts itself")
	}
	return nil
}

// spareConnections are for probes, the idle pool of a proxy that has just
// ended, and people who look on.
const spareConnections = 300

// proxyClients is how many clients one proxy must take.
func (o *options) proxyClients() int {
	return max(slices.Max(o.clients), o.idle) + spareConnections
}

// serverConnections is how many connections the server must take: those of
// the clients on all ways at a time, and what Bellwether's pools keep.
func (o *options) serverConnections() int {
	pooled := 0
	for _, r := range o.routes {
		if r.kind == routeBellwether {
			pooled += o.pool
		}
	}
	return max(slices.Max(o.clients)*len(o.routes), o.idle) + pooled + spareConnections
}

func (o *options) goes(kind routeKind) bool {
	return slices.ContainsFunc(o.routes, func(r route) bool { return r.kind == kind })
}
