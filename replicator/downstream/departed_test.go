package downstream

import (
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
)

// What a slave is behind, and what is remembered of one that has left, or has
// come again.
func TestDeparted(t *testing.T) {
	t.Parallel()
	for _, flavour := range flavours {
		t.Run(flavour.String(), func(t *testing.T) {
			log := filled(flavour, 2, 3)
			s := serve(t, testConfig(flavour), log)
			begin := func(have *cluster.GTIDSet) *client {
				c := reads(t, s, flavour, have)
				c.must("SET @slave_uuid='u7'")
				c.asks(flavour, 0, 7, have)
				waitFor(t, "the slave to be sent everything", func() bool {
					slaves := s.Slaves()
					return len(slaves) == 1 && slaves[0].File != "" && slaves[0].BehindBytes == 0
				})
				return c
			}
			c := begin(set(flavour, 2))
			first := s.Slaves()[0]
			c.conn.Close()
			waitFor(t, "the slave to be gone", func() bool { return len(s.Slaves()) == 0 })
			log.add(makeTx(flavour, 7, 1, 10), makeTx(flavour, 8, 1, 10))
			gone := s.Departed()
			if len(gone) != 1 || gone[0].Until.IsZero() || gone[0].BehindBytes <= 0 || gone[0].BehindTransactions != 2 || gone[0].Transactions != 4 || gone[0].Bytes < first.Bytes {
				t.Fatalf("departed: %+v", gone)
			}
			begin(set(flavour, 8))
			if again := s.Slaves()[0]; again.Before < gone[0].Bytes || again.BehindBytes != 0 || again.BehindTransactions != 0 || len(s.Departed()) != 0 {
				t.Errorf("again: %+v, departed %+v", again, s.Departed())
			}
		})
	}
}

// A tool is not remembered.
func TestToolDeparts(t *testing.T) {
	t.Parallel()
	flavour := cluster.FlavourMySQL
	s := serve(t, testConfig(flavour), filled(flavour, 1, 1))
	c := reads(t, s, flavour, nil)
	c.dumpGTID(0, 0, set(flavour, 1))
	waitFor(t, "the tool to read", func() bool { return len(s.Slaves()) == 1 })
	c.conn.Close()
	waitFor(t, "the tool to be gone", func() bool { return len(s.Slaves()) == 0 })
	if gone := s.Departed(); len(gone) != 0 {
		t.Errorf("departed: %+v", gone)
	}
}
