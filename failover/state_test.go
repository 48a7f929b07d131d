package failover

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func open(t *testing.T, path string) *stateDir {
	t.Helper()
	d, err := openState(path)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestStateIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "state")
	d := open(t, path)
	if s, err := d.load(); err != nil || s.Master != "" {
		t.Errorf("first load %+v, %v", s, err)
	}
	want := State{Format: stateFormat, Generation: 7, Master: "db1", Identity: "id", Fenced: []Fenced{{Node: "db2", Identity: "id2", Generation: 6}},
		Promotion: &Promotion{Kind: "failover", From: "db2", Identity: "id2", End: "0-1-5", Incident: "1"}}
	if err := d.save(want); err != nil {
		t.Fatal(err)
	}
	if err := d.close(); err != nil {
		t.Fatal(err)
	}
	d = open(t, path)
	defer d.close() //nolint:errcheck // end of a test
	if got, err := d.load(); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("loaded %+v, %v", got, err)
	}
}

func TestStateIsLocked(t *testing.T) {
	path := t.TempDir()
	d := open(t, path)
	if _, err := openState(path); !errors.Is(err, ErrLocked) {
		t.Errorf("second process: %v", err)
	}
	if err := d.close(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, path).close(); err != nil {
		t.Error(err)
	}
}

// A damaged file must never look like a first start.
func TestStateThatCannotBeTrusted(t *testing.T) {
	for _, text := range []string{"", "{", "[]", `{"format":3,"master":"a","identity":"b"}`, `{"format":1,"master":"a","identity":"b","fenced":[1]}`, `{"format":1,"master":"a"}`, `{"format":1,"identity":"b"}`, "{}"} {
		path := t.TempDir()
		d := open(t, path)
		if err := os.WriteFile(filepath.Join(path, stateName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if s, err := d.load(); !errors.Is(err, ErrState) {
			t.Errorf("%q: %+v, %v", text, s, err)
		}
		if err := d.close(); err != nil {
			t.Error(err)
		}
	}
}

func TestStateOfFormat1(t *testing.T) {
	s, err := parseState([]byte(`{"format":1,"generation":4,"master":"db1","identity":"id1","fenced":["db2"]}`))
	want := State{Format: stateFormat, Generation: 4, Master: "db1", Identity: "id1", Fenced: []Fenced{{Node: "db2"}}}
	if err != nil || !reflect.DeepEqual(s, want) {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err = parseState([]byte(`{"format":1,"generation":4,"master":"db1","identity":"id1","fenced":null}`)); err != nil || s.Fenced != nil || s.Master != "db1" {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestStateDistrusts(t *testing.T) {
	s := State{Fenced: []Fenced{{Node: "db1", Identity: "id1"}}}
	for _, c := range []struct {
		name, identity string
		want           bool
	}{{"db1", "id1", true}, {"db1", "", true}, {"db4", "id1", true}, {"db1", "new", true}, {"db2", "id2", false}, {"db2", "", false}} {
		if got := s.Distrusts(c.name, c.identity); got != c.want {
			t.Errorf("%s %s: %t", c.name, c.identity, got)
		}
	}
}

// A crash between writing and renaming leaves the old state.
func TestStateSurvivesATornWrite(t *testing.T) {
	path := t.TempDir()
	d := open(t, path)
	defer d.close() //nolint:errcheck // end of a test
	if err := d.save(State{Generation: 1, Master: "db1", Identity: "id"}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path, stateName+".new"), []byte("{tor"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := d.load(); err != nil || s.Generation != 1 {
		t.Errorf("loaded %+v, %v", s, err)
	}
	if err := d.save(State{Generation: 2, Master: "db1", Identity: "id"}); err != nil {
		t.Fatal(err)
	}
	if s, err := d.load(); err != nil || s.Generation != 2 {
		t.Errorf("loaded %+v, %v", s, err)
	}
}

func TestConfigValidate(t *testing.T) {
	good := Default()
	good.StateDir = "/var/lib/bellwether"
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*Config){
		"none": func(c *Config) { c.StateDir = "" }, "relative": func(c *Config) { c.StateDir = "state" }, "interval": func(c *Config) { c.Interval = 0 },
	} {
		bad := good
		if spoil(&bad); bad.Validate() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
