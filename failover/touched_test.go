package failover

import (
	"strings"
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
)

// A node that was chosen, and then changed by hand, is not recorded as the master.
func TestTouchedSinceItWasChosen(t *testing.T) {
	store := cluster.NewStore(&cluster.Topology{})
	registry := cluster.NewRegistry(store)
	if _, err := registry.Apply(cluster.Config{Nodes: []cluster.NodeConfig{{Name: "db1", Addr: "db1:3306"}, {Name: "db2", Addr: "db2:3306"}}}); err != nil {
		t.Fatal(err)
	}
	become := func(now, next string) error {
		_, err := store.Advance(store.Load().Generation, func(d *cluster.RoleDraft) error {
			s := State{Master: next}
			if err := untouched(d, &State{Master: now}, &s); err != nil {
				return err
			}
			return assign(d, s, false)
		})
		return err
	}
	if err := become("", "db1"); err != nil {
		t.Fatal(err)
	}
	if _, err := registry.Touch("db2", "insert into shop.orders"); err != nil {
		t.Fatal(err)
	}
	if err := become("db1", "db2"); err == nil || !strings.Contains(err.Error(), "insert into shop.orders") || store.Load().MasterNode().Name != "db1" {
		t.Errorf("%v, %s is the master", err, store.Load().MasterNode().Name)
	}
	if clear, err := registry.Examine("db2")(); !clear || err != nil {
		t.Fatal(clear, err)
	}
	if err := become("db1", "db2"); err != nil {
		t.Errorf("it was verified: %v", err)
	}
	if err := become("db2", "db2"); err != nil {
		t.Errorf("the master stays: %v", err)
	}
}
