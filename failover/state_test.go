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
	want := State{Format: stateFormat, Generation: 7, Master: "db1", Identity: "id", Fenced: []string{"db2"}}
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
	for _, text := range []string{"", "{", "[]", `{"format":2,"master":"a","identity":"b"}`, `{"format":1,"master":"a"}`, `{"format":1,"identity":"b"}`, "{}"} {
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
