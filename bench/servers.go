package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/bellwether-db/bellwether/bench/rawmysql"
	"github.com/bellwether-db/bellwether/internal/playground"
)

// openServers starts servers, or takes the one that is given.
func (l *lab) openServers(ctx context.Context, o *options) error {
	if o.server != "" {
		l.login = rawmysql.Config{Addr: o.server, User: o.user, Password: o.password}
		l.operator = account{o.user, o.password}
		return nil
	}
	flavour, err := o.serverFlavour()
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "bench: starting %s with %d slaves\n", flavour, o.slaves)
	l.cluster, err = playground.Start(ctx, playground.Options{
		Flavour: flavour, Slaves: o.slaves, Replicate: o.slaves > 0, Relaxed: true, MaxConnections: o.serverConnections(),
		App:       playground.Account{User: o.user, Password: o.password},
		ExtraArgs: []string{"--table-open-cache=" + strconv.Itoa(o.serverConnections()), "--innodb-buffer-pool-size=256M", "--back-log=1024"},
	})
	if err != nil {
		return err
	}
	l.useCluster()
	return l.cluster.OpenMaster(ctx, l.cluster.Master)
}

// useCluster goes to the servers themselves: the playground's relays would be
// in the way of all.
func (l *lab) useCluster() {
	c := l.cluster
	l.login = rawmysql.Config{Addr: c.Master.DirectAddr(), User: c.Account.User, Password: c.Account.Password}
	l.operator = account{c.Operator.User, c.Operator.Password}
	for _, n := range c.Slaves() {
		l.slaves = append(l.slaves, n.DirectAddr())
	}
}

// serverFlavour: auto is MySQL where it is to be had.
func (o *options) serverFlavour() (playground.Flavour, error) {
	if o.flavour != "auto" {
		return playground.ParseFlavour(o.flavour)
	}
	if _, err := playground.Find(playground.MySQL); err == nil {
		return playground.MySQL, nil
	}
	_, err := playground.Find(playground.MariaDB)
	return playground.MariaDB, err
}

// awaitSlaves waits until every slave has the last of the tables.
func (l *lab) awaitSlaves(ctx context.Context) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for waiting := slices.Clone(l.slaves); len(waiting) > 0; {
		err := l.hasTables(ctx, waiting[0])
		if err == nil {
			waiting = waiting[1:]
			continue
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for slave %s: %w", waiting[0], err)
		case <-tick.C:
		}
	}
	return nil
}

func (l *lab) hasTables(ctx context.Context, addr string) error {
	cfg := l.login
	cfg.Addr = addr
	conn, err := rawmysql.Dial(ctx, &cfg)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(fillTime))
	got, err := conn.Query([]byte("SELECT id FROM big"))
	return checkRows(got, bigRows, err)
}
