package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// facts are what Inspect reads of one node; what it makes of them is pure.
type facts struct {
	node         NodeConfig
	err          error // nothing else is known then
	server       server
	variables    map[string]string // global ones, by lower-case name
	startsAs     string            // read-only at the next start: ON, OFF, or "" if not known
	channels     []channel
	grants       []string
	anonymous    []string // hosts of accounts without a name
	anonymousOK  bool     // whether they could be read
	skew         time.Duration
	heartbeat    bool // one is configured
	changedAlone bool // see Config
}

// inspectTimeout bounds the look at one node.
const inspectTimeout = 10 * time.Second

// Inspect connects to every node of the configuration as the operator account
// and says what is right, what could be better and what must change.
// Connections is how many connections Bellwether may open to each node, 0 if
// not known.
func Inspect(ctx context.Context, c Config, connections int) Report {
	all := make([]facts, len(c.Nodes))
	var looks sync.WaitGroup
	for i, n := range c.Nodes {
		looks.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, inspectTimeout)
			defer cancel()
			all[i] = collect(ctx, n, c)
		})
	}
	looks.Wait()
	return Report{assess(all, connections)}
}

// collect reads the facts of one node.
func collect(ctx context.Context, n NodeConfig, c Config) facts {
	f := facts{node: n, heartbeat: c.HeartbeatInterval > 0, changedAlone: c.ChangedAlone}
	c.ProbeTimeout = inspectTimeout
	db, err := OpenNode(n.Addr, c)
	if err != nil {
		f.err = err
		return f
	}
	defer db.Close() //nolint:errcheck // nothing was left on its connections
	if f.err = f.collect(ctx, db); f.err != nil && ctx.Err() != nil {
		f.err = errors.Join(ctx.Err(), f.err)
	}
	return f
}

func (f *facts) collect(ctx context.Context, q Querier) (err error) {
	if f.server, err = readServer(ctx, q); err != nil {
		return err
	}
	rows, err := query(ctx, q, "SHOW GLOBAL VARIABLES")
	if err != nil {
		return fmt.Errorf("read variables: %w", err)
	}
	f.variables = make(map[string]string, len(rows))
	for _, r := range rows {
		f.variables[strings.ToLower(r["Variable_name"])] = r["Value"]
	}
	if f.skew, err = readSkew(ctx, q); err != nil {
		return err
	}
	return errors.Join(f.collectGrants(ctx, q), f.collectStart(ctx, q), f.collectReplication(ctx, q), f.collectAnonymous(ctx, q))
}

// readSkew compares clocks, taking the answer's time as the middle of the trip.
func readSkew(ctx context.Context, q Querier) (time.Duration, error) {
	begun := time.Now()
	r, err := queryOne(ctx, q, "SELECT UTC_TIMESTAMP(6) AS now")
	if err != nil {
		return 0, fmt.Errorf("read clock: %w", err)
	}
	middle := begun.Add(time.Since(begun) / 2)
	theirs, err := time.Parse("2006-01-02 15:04:05.999999", r["now"])
	if err != nil {
		return 0, fmt.Errorf("read clock: %w", err)
	}
	return theirs.Sub(middle).Round(time.Millisecond), nil
}

func (f *facts) collectGrants(ctx context.Context, q Querier) error {
	rows, err := query(ctx, q, "SHOW GRANTS")
	if err != nil {
		return fmt.Errorf("read grants: %w", err)
	}
	for _, r := range rows {
		for _, grant := range r {
			f.grants = append(f.grants, grant)
		}
	}
	return nil
}

// The looks at how a server starts. A value that was set since then says
// nothing about the option file, so it is not known.
const (
	startMySQL = `SELECT i.VARIABLE_SOURCE AS origin, p.VARIABLE_VALUE AS persisted FROM performance_schema.variables_info i
 LEFT JOIN performance_schema.persisted_variables p ON p.VARIABLE_NAME = i.VARIABLE_NAME WHERE i.VARIABLE_NAME = 'super_read_only'`
	startMariaDB = `SELECT GLOBAL_VALUE_ORIGIN AS origin FROM information_schema.SYSTEM_VARIABLES WHERE VARIABLE_NAME = 'READ_ONLY'`
)

func (f *facts) collectStart(ctx context.Context, q Querier) error {
	text, variable := startMySQL, "super_read_only"
	if f.server.flavour == FlavourMariaDB {
		text, variable = startMariaDB, "read_only"
	}
	r, err := queryOne(ctx, q, text)
	switch {
	case outcomeOf(err) == OutcomeDenied:
		return nil // the missing privilege is a finding of its own
	case err != nil:
		return fmt.Errorf("read how it starts: %w", err)
	case r["persisted"] != "":
		f.startsAs = r["persisted"]
	case r["origin"] != "DYNAMIC" && r["origin"] != "SQL":
		f.startsAs = f.variables[variable]
	}
	return nil
}

func (f *facts) collectReplication(ctx context.Context, q Querier) error {
	text := "SHOW REPLICA STATUS"
	if f.server.flavour == FlavourMariaDB {
		text = "SHOW ALL SLAVES STATUS"
	}
	rows, err := query(ctx, q, text)
	if err != nil && outcomeOf(err) != OutcomeDenied {
		return fmt.Errorf("read replication: %w", err)
	}
	f.channels = parseChannels(rows)
	return nil
}

func (f *facts) collectAnonymous(ctx context.Context, q Querier) error {
	rows, err := query(ctx, q, "SELECT Host AS host FROM mysql.user WHERE User = ''")
	if err != nil {
		if outcomeOf(err) == OutcomeDenied {
			return nil
		}
		return fmt.Errorf("read accounts: %w", err)
	}
	f.anonymousOK = true
	for _, r := range rows {
		f.anonymous = append(f.anonymous, r["host"])
	}
	return nil
}
