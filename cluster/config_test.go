package cluster

import (
	"strings"
	"testing"
	"time"
)

func TestHeartbeatInterval(t *testing.T) {
	c := Default()
	c.Operator, c.Nodes = Account{User: "op"}, []NodeConfig{{Name: "a", Addr: "a:1"}}
	for interval, good := range map[time.Duration]bool{0: true, time.Millisecond: false, -1: false, 50 * time.Millisecond: true} {
		c.HeartbeatInterval = interval
		if err := c.Validate(); (err == nil) != good || err != nil && !strings.Contains(err.Error(), "heartbeat") {
			t.Errorf("%v: %v", interval, err)
		}
	}
}
