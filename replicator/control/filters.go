package control

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/dialect"
)

// filter is a way in which a node leaves something out without a word: where it is told,
// and in which columns.
type filter struct {
	term    dialect.Term // of the requirement
	told    dialect.Term
	columns []string
}

var filters = []filter{
	{binlogFilter, dialect.ShowLogStatus, []string{"Binlog_Do_DB", "Binlog_Ignore_DB"}},
	{slaveFilter, dialect.ShowSlaveStatus, []string{
		"Replicate_Do_DB", "Replicate_Ignore_DB", "Replicate_Do_Table", "Replicate_Ignore_Table", "Replicate_Wild_Do_Table", "Replicate_Wild_Ignore_Table",
		"Replicate_Rewrite_DB",
	}},
}

// unfiltered is the value of a filter that leaves nothing out.
const unfiltered = "NONE"

// logPatience bounds the question for the state of the binary log: on MariaDB that waits
// behind commits which wait for an acknowledgement.
const logPatience = time.Second

// readFilters reads what the node leaves out of its binary log, and of what it applies.
// What it will not say, or not in time, is left unknown.
func (c *Conn) readFilters(ctx context.Context, f *facts) error {
	for _, filter := range filters {
		row, err := c.tells(ctx, filter.told)
		switch {
		case denied(err), errors.Is(err, errUntold):
		case err != nil:
			return fmt.Errorf("read what %s leaves out: %w", c.node.Name, err)
		default:
			f.values[filter.term] = filter.in(row)
		}
	}
	return nil
}

// errUntold: the node was not asked, or has not answered in time.
var errUntold = errors.New("it was not told")

// tells reads one row. The state of the binary log is asked for on a connection of its
// own, which is given up where that takes too long.
func (c *Conn) tells(ctx context.Context, t dialect.Term) (map[string]string, error) {
	if t != dialect.ShowLogStatus {
		return c.row(ctx, c.dialect.Say(t))
	}
	if c.leaveLog {
		return nil, errUntold
	}
	bounded, cancel := context.WithTimeout(ctx, logPatience)
	defer cancel()
	rows, err := cluster.ReadRows(bounded, c.db, c.dialect.Say(t))
	switch {
	case err != nil && bounded.Err() != nil && ctx.Err() == nil:
		return nil, errUntold
	case err != nil || len(rows) == 0:
		return nil, err
	}
	return rows[0], nil
}

// in names what is left out. It is pure.
func (f *filter) in(row map[string]string) string {
	var found []string
	for _, column := range f.columns {
		if value := row[column]; value != "" {
			found = append(found, strings.ToLower(column)+"="+value)
		}
	}
	if found == nil {
		return unfiltered
	}
	return strings.Join(found, ", ")
}
