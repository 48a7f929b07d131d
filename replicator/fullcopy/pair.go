package fullcopy

import (
	"context"
	"errors"
	"fmt"

	"github.com/bellwether-db/bellwether/replicator/fullcopy/schema"
)

// pair are the connections that lead on both nodes.
type pair struct {
	copy           *Copy
	source, target *schema.Conn
}

func (c *Copy) pair(ctx context.Context) (*pair, error) {
	source, err := schema.Connect(ctx, c.config.Source, c.config.Nodes)
	if err != nil {
		return nil, err
	}
	target, err := schema.Connect(ctx, c.config.Target, c.config.Nodes)
	if err != nil {
		return nil, errors.Join(err, source.Close())
	}
	return &pair{copy: c, source: source, target: target}, nil
}

func (p *pair) close() {
	_ = p.source.Close() // nothing is lost with them
	_ = p.target.Close()
}

// check refuses what cannot come out right, before anything is changed.
func (p *pair) check(ctx context.Context) error {
	if p.source.Identity == p.target.Identity {
		return fmt.Errorf("%s and %s are the same server: %w", p.source.Node.Name, p.target.Node.Name, ErrUnfit)
	}
	s, t := p.source.Dialect, p.target.Dialect
	if s.MariaDB() != t.MariaDB() || newer(s.Version(), t.Version()) {
		return fmt.Errorf("%s is %v and %s is %v, a copy must be of the same kind and not older: %w", p.source.Node.Name, s, p.target.Node.Name, t, ErrUnfit)
	}
	unfinished, err := Unfinished(ctx, p.source)
	if err != nil {
		return err
	}
	if unfinished {
		return fmt.Errorf("%s is itself an unfinished copy: %w", p.source.Node.Name, ErrUnfit)
	}
	if err := p.checkLogs(ctx); err != nil {
		return err
	}
	for _, name := range []string{"lower_case_table_names", "innodb_page_size"} {
		text := "SELECT @@GLOBAL." + name
		a, err := p.source.Value(ctx, text)
		if err != nil {
			return err
		}
		b, err := p.target.Value(ctx, text)
		if err != nil {
			return err
		}
		if a != b {
			return fmt.Errorf("%s is %s on %s and %s on %s: %w", name, a, p.source.Node.Name, b, p.target.Node.Name, ErrUnfit)
		}
	}
	return nil
}

// newer compares release series, such as 8.4 and 9.7.
func newer(a, b [3]int) bool { return a[0] != b[0] && a[0] > b[0] || a[0] == b[0] && a[1] > b[1] }

// checkLogs insists on GTIDs, without which a copy has no position.
func (p *pair) checkLogs(ctx context.Context) error {
	text := "SELECT @@GLOBAL.gtid_mode"
	if p.source.Dialect.MariaDB() {
		text = "SELECT IF(@@GLOBAL.log_bin, 'ON', 'OFF')"
	}
	for _, conn := range []*schema.Conn{p.source, p.target} {
		value, err := conn.Value(ctx, text)
		if err != nil {
			return err
		}
		if value != "ON" {
			return fmt.Errorf("%s: it must be ON on %s: %w", text, conn.Node.Name, ErrUnfit)
		}
	}
	return nil
}
