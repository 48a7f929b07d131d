package proxy

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/fakemysql"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/wire"
)

// never is a Journal that stores nothing.
type never struct{ *endOf }

func (never) Await(ctx context.Context, _ *cluster.GTIDSet) error {
	<-ctx.Done()
	return ctx.Err()
}

// A write that the master has committed, and that is not stored within the hold
// timeout, is told as what it is, and the session ends.
func TestWriteThatIsNotStored(t *testing.T) {
	master := &node{name: "node1"}
	master.setAnswer("INSERT INTO t VALUES (1)", fakemysql.SendOK(wire.OK{
		Status: wire.StatusAutocommit, Track: wire.AppendTrackValue(nil, wire.TrackGTIDs, uuid+":7"),
	}))
	h := newStoringHouse(t, never{newEnd(gtids(t, uuid+":1-6"))}, func(c *Config, _ *backend.Config) { c.HoldTimeout = 50 * time.Millisecond }, master.handler())
	c := h.client(t)
	if got := c.query("INSERT INTO t VALUES (1)"); !strings.Contains(got, "50102") || !strings.Contains(got, uuid+":7") {
		t.Errorf("the client is told %q", got)
	}
	if got := c.query("SELECT name FROM t"); got != "gone" {
		t.Errorf("it goes on: %q", got)
	}
}
