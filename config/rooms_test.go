package config

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// A file that check accepts has to suit the rooms, too.
func TestRoomsAcceptTheDefaults(t *testing.T) {
	f, err := Load(write(t, minimal+"reads: {max_lag: 3s, safe_functions: [Shop.Price, plain]}\nnode_tls: {mode: required}\n"))
	if err != nil {
		t.Fatal(err)
	}
	watch, pools := f.ClusterConfig(), f.BackendConfig()
	if err := watch.Validate(); err != nil {
		t.Error(err)
	}
	if err := pools.Validate(); err != nil {
		t.Error(err)
	}
	if watch.MasterName() != "a" || watch.MaxLag != 3*time.Second || watch.Operator != (cluster.Account{User: "op", Password: "secret"}) {
		t.Errorf("cluster: %+v", watch)
	}
	if watch.TLS == nil || watch.TLSOptional || pools.TLS != wire.TLSRequired {
		t.Errorf("TLS: %+v, optional %t, %v", watch.TLS, watch.TLSOptional, pools.TLS)
	}
	rules := f.Rules()
	for _, name := range []string{"price", "plain"} {
		if _, ok := rules.SafeFunctions[name]; !ok {
			t.Errorf("%s is not among the safe functions %v", name, rules.SafeFunctions)
		}
	}
}

func TestNodeTLSReadsItsAuthority(t *testing.T) {
	_, err := Load(write(t, minimal+"node_tls: {mode: verify, ca: nowhere.pem}\n"))
	if err == nil {
		t.Fatal("a missing file was accepted")
	}
}

// A user may have a wish for its reads and no secret: it logs in by itself.
func TestConsistencyByUser(t *testing.T) {
	f, err := Load(write(t, minimal+"proxy: {consistency: global}\nusers:\n- {name: board, consistency: eventual}\n- {name: old, password: x, consistency: session}\n- {name: plain, password: x}\n"))
	if err != nil {
		t.Fatal(err)
	}
	p := f.ProxyConfig()
	if p.Consistency != router.ConsistencyGlobal || len(p.Users) != 2 {
		t.Errorf("%s, %d users with a secret", p.Consistency, len(p.Users))
	}
	want := map[string]router.Consistency{"board": router.ConsistencyEventual, "old": router.ConsistencySession}
	if !maps.Equal(p.Consistencies, want) {
		t.Errorf("by user: %v", p.Consistencies)
	}
	if _, err := Load(write(t, minimal+"proxy: {consistency: strong}\n")); err == nil || !strings.Contains(err.Error(), "session, global, eventual") {
		t.Errorf("a wrong word: %v", err)
	}
}
