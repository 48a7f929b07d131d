package main

import (
	"context"
	"errors"
	"os"

	"github.com/bellwether-db/bellwether/bench/rawmysql"
	"github.com/bellwether-db/bellwether/internal/playground"
)

// lab is the server under test, its tables, and what is needed to start
// proxies in front of it. Only one goroutine may use it.
type lab struct {
	dir         string // temporary
	login       rawmysql.Config
	slaves      []string // addresses
	operator    account
	connections int // of clients that a proxy must take
	pool        int
	program     string // the bellwether binary
	version     string // of the server
	nursery     nursery
	cluster     *playground.Cluster // nil where the server was given
}

type account struct{ User, Password string }

// openLab starts the server where none is given, fills the tables, and builds
// what is to be measured. After an error nothing is left.
func openLab(ctx context.Context, o *options) (_ *lab, err error) {
	dir, err := os.MkdirTemp("", "bellwether-bench-")
	if err != nil {
		return nil, err
	}
	l := &lab{dir: dir, nursery: nursery{dir: dir}, connections: o.proxyClients(), pool: o.pool, program: o.bellwether}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
		}
	}()
	if l.program == "" && o.goes(routeBellwether) {
		if err := l.buildBellwether(ctx); err != nil {
			return nil, err
		}
	}
	if err := l.openServers(ctx, o); err != nil {
		return nil, err
	}
	return l, l.fillTables(ctx)
}

// close stops everything that the lab has started and removes its folder.
func (l *lab) close() error {
	l.nursery.close()
	var err error
	if l.cluster != nil {
		err = l.cluster.Stop()
	}
	return errors.Join(err, os.RemoveAll(l.dir))
}
