package outcome

import (
	"errors"

	"github.com/bellwether-db/bellwether/replicator/event"
	"github.com/bellwether-db/bellwether/replicator/rowimage"
)

// MostRows is the largest transaction whose rows are looked at, in bytes.
const MostRows = 4 << 20

// mostUnpacked is how long a compressed one may be, unpacked.
const mostUnpacked = 4 * MostRows

// Changed is what one transaction changed in one table. It is a value.
type Changed struct {
	Schema, Table              string
	Inserted, Updated, Deleted uint64 // rows
	// FirstRow is the first row that was inserted, by column, with the values of
	// rowimage.Row: integers are int64, or uint64 where the column is unsigned and
	// the server logs that. nil where one of them is not certain.
	FirstRow []any
}

// Changes reads what a transaction of the stored log changed, by table in the
// order in which they come first. It is nil where that was not rows alone, or
// where not all of it can be read.
func Changes(events []byte) ([]Changed, error) {
	c := changes{tables: map[uint64]*rowimage.Table{}, checksum: true}
	if err := c.all(events); err != nil || c.opaque {
		return nil, err
	}
	return c.out, nil
}

// changes counts rows.
type changes struct {
	tables map[uint64]*rowimage.Table
	out    []Changed
	opaque bool // there is something that is no rows
	// checksum says that the events have one: not inside of a compressed transaction.
	checksum bool
}

func (c *changes) all(events []byte) error {
	for len(events) > 0 {
		e, err := event.Next(events)
		if err == nil {
			err = c.take(e)
		}
		if err != nil {
			return err
		}
		events = events[len(e):]
	}
	return nil
}

// unpacked takes what a compressed transaction holds; too much is not looked at.
func (c *changes) unpacked(e event.Event) error {
	events, err := new(event.Unpacker).All(e, c.checksum, mostUnpacked)
	if errors.Is(err, event.ErrTooLong) || !c.checksum {
		c.opaque = true
		return nil
	}
	if err != nil {
		return err
	}
	c.checksum = false
	err = c.all(events)
	c.checksum = true
	return err
}

func (c *changes) take(e event.Event) error {
	switch t := e.Type(); {
	case t == event.TableMap:
		table, err := rowimage.ParseTable(e, c.checksum)
		c.tables[table.ID] = &table
		return err
	case rowimage.KindOf(t) != rowimage.KindUnknown:
		return c.rows(e)
	case t == event.Query:
		q, err := event.ParseQuery(e, c.checksum)
		c.opaque = c.opaque || !q.Frame
		return err
	case t == event.TransactionPayload:
		return c.unpacked(e)
	case t == event.PartialUpdateRows, t == event.ExecuteLoadQuery, t == event.MariaQueryCompressed:
		c.opaque = true
	}
	return nil
}

func (c *changes) rows(e event.Event) error {
	table := c.tables[rowimage.TableID(e, c.checksum)]
	if table == nil {
		c.opaque = true
		return nil
	}
	at, kind := c.of(table), rowimage.KindOf(e.Type())
	return table.Each(e, c.checksum, func(r rowimage.Row) error {
		switch kind {
		case rowimage.KindInsert:
			if at.Inserted == 0 {
				at.FirstRow = exact(table, r.After)
			}
			at.Inserted++
		case rowimage.KindUpdate:
			at.Updated++
		default:
			at.Deleted++
		}
		return nil
	})
}

// of is what is counted of a table; it is valid until the next call.
func (c *changes) of(t *rowimage.Table) *Changed {
	for i := range c.out {
		if c.out[i].Schema == t.Schema && c.out[i].Table == t.Name {
			return &c.out[i]
		}
	}
	c.out = append(c.out, Changed{Schema: t.Schema, Table: t.Name})
	return &c.out[len(c.out)-1]
}

// exact is a row whose integers are certain: where a server does not log signs, a
// negative one may be a large one.
func exact(t *rowimage.Table, row []any) []any {
	for _, v := range row {
		if n, ok := v.(int64); ok && n < 0 && !t.Signed {
			return nil
		}
	}
	return row
}
