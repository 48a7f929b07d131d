package config

import (
	"errors"
	"strings"
	"testing"
)

const listed = `state_dir: s # here
operator: {user: o, password: p}
nodes:
  # the first
  - {name: a, address: "h:1",
     master: true} # tail
  - name: b
    # its place
    address: 'h:2'

    drain: true
# the end
log: {level: info}
`

func TestEditNodes(t *testing.T) {
	add := func(source string) ([]byte, error) {
		return WithNode("x.yaml", []byte(source), []Key{{"name", "c"}, {"address", `"h:3"`}, {"weight", "2"}})
	}
	weight := func(name string) func(string) ([]byte, error) {
		return func(source string) ([]byte, error) { return WithWeight("x.yaml", []byte(source), name, 7) }
	}
	remove := func(name string) func(string) ([]byte, error) {
		return func(source string) ([]byte, error) { return WithoutNode("x.yaml", []byte(source), name) }
	}
	for _, c := range []struct {
		name      string
		change    func(string) ([]byte, error)
		old, text string
	}{
		{"add", add, "    drain: true\n", "    drain: true\n  - {name: c, address: \"h:3\", weight: 2}\n"},
		{"weigh in braces", weight("a"), `{name: a`, `{weight: 7, name: a`},
		{"weigh", weight("b"), "    drain: true\n", "    weight: 7\n    drain: true\n"},
		{"remove", remove("b"), "  - name: b\n    # its place\n    address: 'h:2'\n\n    drain: true\n", ""},
		{"remove in braces", remove("a"), "  - {name: a, address: \"h:1\",\n     master: true} # tail\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, err := c.change(listed)
			if want := strings.Replace(listed, c.old, c.text, 1); err != nil || string(text) != want {
				t.Errorf("%v\n%s\nwant\n%s", err, text, want)
			}
		})
	}
	heavy := strings.Replace(listed, "drain: true", "weight: 3 # much", 1)
	if text, err := weight("b")(heavy); err != nil || string(text) != strings.Replace(heavy, "weight: 3", "weight: 7", 1) {
		t.Errorf("%v\n%s", err, text)
	}
	atEnd := listed[:strings.Index(listed, "\n# the end")]
	if text, err := add(atEnd); err != nil || string(text) != atEnd+"\n  - {name: c, address: \"h:3\", weight: 2}\n" {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestEditNodesRefuses(t *testing.T) {
	if _, err := WithWeight("x.yaml", []byte(listed), "none", 1); !errors.Is(err, ErrNoSuchNode) {
		t.Error(err)
	}
	var problems Problems
	if _, err := WithNode("x.yaml", []byte(listed), []Key{{"name", "b"}, {"address", "h:9"}}); !errors.As(err, &problems) {
		t.Error(err)
	}
	if _, err := WithWeight("x.yaml", []byte(listed), "a", 5000); !errors.As(err, &problems) {
		t.Error(err)
	}
	flow := "state_dir: s\noperator: {user: o, password: p}\nnodes: [{name: a, address: \"h:1\"}]\n"
	if _, err := WithNode("x.yaml", []byte(flow), []Key{{"name", "b"}, {"address", "h:9"}}); !errors.Is(err, errNodesByHand) {
		t.Error(err)
	}
}
