package control

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/bellwether-db/bellwether/replicator/dialect"
)

// ErrNotPrepared is returned by EnableSemiSync on a node where commits would
// not wait as they must. It is wrapped with what is missing.
var ErrNotPrepared = errors.New("not prepared for semi-synchronous replication")

// SemiSync is the master's side of semi-synchronous replication. It is a value.
type SemiSync struct {
	Enabled bool   // it was switched on
	Active  bool   // and has not fallen back to asynchronous
	Clients int    // that acknowledge
	Waiting int    // sessions that wait for an acknowledgement
	Unacked uint64 // commits since the start that went on without one
}

// SemiSync reads the master's side; the zero value where there is no plugin.
func (c *Conn) SemiSync(ctx context.Context) (s SemiSync, err error) {
	rows, err := c.rows(ctx, "SHOW GLOBAL VARIABLES LIKE 'rpl%semi%sync%enabled'")
	if err != nil {
		return s, fmt.Errorf("read semi-sync of %s: %w", c.node.Name, err)
	}
	more, err := c.rows(ctx, "SHOW GLOBAL STATUS LIKE 'rpl%semi%sync%'")
	if err != nil {
		return s, fmt.Errorf("read semi-sync of %s: %w", c.node.Name, err)
	}
	return parseSemiSync(c.dialect, append(rows, more...)), nil
}

// parseSemiSync is pure; it knows both names of MySQL's plugins.
func parseSemiSync(d *dialect.Dialect, rows []map[string]string) (s SemiSync) {
	values := map[string]string{}
	for _, r := range rows {
		values[strings.ToLower(r["Variable_name"])] = r["Value"]
	}
	if old := d.WithOldSemiSync(); values[old.Say(dialect.SemiSyncSource)] != "" {
		d = old
	}
	number := func(t dialect.Term) uint64 {
		n, _ := strconv.ParseUint(values[strings.ToLower(d.Say(t))], 10, 64) // 0 where it is not told
		return n
	}
	return SemiSync{
		Enabled: isOn(values[d.Say(dialect.SemiSyncSource)]),
		Active:  isOn(values[strings.ToLower(d.Say(dialect.SemiSyncActive))]),
		Clients: int(number(dialect.SemiSyncClients)),
		Waiting: int(number(dialect.SemiSyncWaiting)),
		Unacked: number(dialect.SemiSyncUnacked),
	}
}

// EnableSemiSync makes the node's commits wait until they are acknowledged.
// Call it once Bellwether's upstream is attached and before the node takes
// writes: without one they wait for ever. The server forgets it at a restart.
// It changes nothing where it is on, and refuses with ErrNotPrepared where the
// node would not wait as it must.
func (c *Conn) EnableSemiSync(ctx context.Context) error {
	f, err := c.readSemiSync(ctx)
	if err != nil {
		return err
	}
	if lacks := lacksForSemiSync(f); len(lacks) > 0 {
		return fmt.Errorf("enable semi-sync on %s: %w: %s", c.node.Name, ErrNotPrepared, strings.Join(lacks, ", "))
	}
	return c.switchSemiSync(ctx, "ON")
}

// Waits says whether the node's commits would wait as they must once
// EnableSemiSync is called; if not, Prepare may mend that.
func (c *Conn) Waits(ctx context.Context) (bool, error) {
	f, err := c.readSemiSync(ctx)
	return err == nil && len(lacksForSemiSync(f)) == 0, err
}

// readSemiSync reads of the table of requirements what lacksForSemiSync looks at,
// at a fraction of the time: writes wait for this at a failover. Where a plugin
// is not active its variables are not there.
func (c *Conn) readSemiSync(ctx context.Context) (*facts, error) {
	rows, err := c.rows(ctx, "SHOW GLOBAL VARIABLES LIKE 'rpl%semi%sync%'")
	if err != nil {
		return nil, fmt.Errorf("read semi-sync of %s: %w", c.node.Name, err)
	}
	settings := make(map[string]setting, len(rows))
	for _, r := range rows {
		settings[strings.ToLower(r["Variable_name"])] = setting{value: r["Value"]}
	}
	if old := c.dialect.WithOldSemiSync(); settings[old.Say(dialect.SemiSyncSource)].value != "" {
		c.dialect = old
	}
	f := &facts{
		dialect: c.dialect, wanted: within(requirements, c.ackTimeout),
		values: map[dialect.Term]string{}, fleeting: map[dialect.Term]bool{},
	}
	f.take(settings)
	if c.dialect.Has(dialect.SourcePlugin) {
		f.values[dialect.SourcePlugin] = ""
		if settings[c.dialect.Say(dialect.SemiSyncSource)].value != "" {
			f.values[dialect.SourcePlugin] = "ACTIVE"
		}
	}
	return f, nil
}

// lacksForSemiSync names what stands in the way. It is pure.
func lacksForSemiSync(f *facts) (lacks []string) {
	for _, m := range missingOf(f, f.wanted) {
		switch m.term {
		case dialect.SourcePlugin, dialect.SemiSyncWaitPoint, dialect.SemiSyncTimeout, dialect.SemiSyncWaitAlone, dialect.SemiSyncWaitCount:
			if !m.fleeting {
				lacks = append(lacks, fmt.Sprintf("%s is %s", m.called(f.dialect), orElse(m.have, "not there")))
			}
		}
	}
	return lacks
}

// DisableSemiSync lets the node's commits go on at once, those that wait now
// included. A node without the plugin is left as it is.
func (c *Conn) DisableSemiSync(ctx context.Context) error {
	return c.switchSemiSync(ctx, "OFF")
}

func (c *Conn) switchSemiSync(ctx context.Context, value string) error {
	rows, err := c.rows(ctx, "SHOW GLOBAL VARIABLES LIKE 'rpl%semi%sync%enabled'")
	if err != nil {
		return fmt.Errorf("read semi-sync of %s: %w", c.node.Name, err)
	}
	names := []string{c.dialect.Say(dialect.SemiSyncSource), c.dialect.WithOldSemiSync().Say(dialect.SemiSyncSource)}
	for _, r := range rows {
		if (r["Variable_name"] == names[0] || r["Variable_name"] == names[1]) && r["Value"] != value {
			return c.exec(ctx, fmt.Sprintf("SET GLOBAL %s = %s", r["Variable_name"], value))
		}
	}
	return nil
}
