package config

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

const example = "../bellwether.example.yaml"

func parseExample(t *testing.T) (*File, string) {
	t.Helper()
	source, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	f, problems := parse(example, source)
	if len(problems) > 0 {
		t.Fatalf("the example does not decode:\n%v", problems)
	}
	return f, string(source)
}

func TestExampleDecodes(t *testing.T) {
	f, _ := parseExample(t)
	if len(f.Nodes) != 3 || !f.Nodes[0].Master || f.Nodes[2].Weight != 2 {
		t.Errorf("nodes = %+v", f.Nodes)
	}
	if f.Pool.VerifyInterval != Duration(2*time.Second) || f.Proxy.MaxPacket != 64<<20 {
		t.Errorf("pool = %+v, proxy = %+v", f.Pool, f.Proxy)
	}
}

// Every key of the structs has to be explained in the example.
func TestExampleNamesEveryKey(t *testing.T) {
	_, source := parseExample(t)
	var look func(path string, of reflect.Type)
	look = func(path string, of reflect.Type) {
		for _, f := range fieldsOf(of) {
			if !strings.Contains(source, f.name+":") {
				t.Errorf("the example does not name %s", join(path, f.name))
			}
			below := f.typ
			if below.Kind() == reflect.Slice {
				below = below.Elem()
			}
			if below.Kind() == reflect.Struct {
				look(join(path, f.name), below)
			}
		}
	}
	look("", reflect.TypeFor[File]())
}

// What the example calls a default has to be one. Lists, and what the example
// says has no default, are left out.
func TestExampleShowsDefaults(t *testing.T) {
	f, _ := parseExample(t)
	want := defaults()
	f.StateDir, f.Operator, f.Nodes, f.Users = "", Operator{}, nil, nil
	f.NodeTLS.CA, f.Proxy.TLS.Certificate, f.Proxy.TLS.Key, f.Reads.SafeFunctions = "", "", "", nil
	f.Replication.Account, f.Replication.Log.Dir, f.Replication.Log.KeyFile = SlaveAccount{}, "", ""
	f.Failover.Prefer, f.Failover.Never = nil, nil
	f.Admin.Account, f.Admin.Tokens, f.Admin.Origins, f.Admin.Hosts, f.Admin.TLS = AdminAccount{}, nil, nil, nil, AdminTLS{}
	for _, change := range Diff(want, f) {
		t.Errorf("the example differs from the default: %s", change.Text)
	}
}
