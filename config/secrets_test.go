package config

import (
	"errors"
	"strings"
	"testing"
)

func TestHiddenSecrets(t *testing.T) {
	const source = `operator:
  user: o
  # password: olden
  password: "a\"b" # why
users:
  - {name: x, password: 'it''s'}
  - name: y
    hash: 0xAB
admin: {tokens: [{name: shop, role: read, hash: c0ffee}], account: {user: u, password_file: f}}
`
	hidden, err := Redact([]byte(source))
	want := strings.NewReplacer("olden", Hidden, `"a\"b"`, `"***"`, "'it''s'", `"***"`, "0xAB", `"***"`, "c0ffee", `"***"`).Replace(source)
	if err != nil || string(hidden) != want {
		t.Fatalf("%v\n%s\nwant\n%s", err, hidden, want)
	}
	back, err := Restore("x.yaml", hidden, []byte(source))
	if err != nil || string(back) != strings.Replace(source, "olden", Hidden, 1) {
		t.Errorf("%v\n%s", err, back)
	}
	moved := strings.Replace(string(hidden), "name: y", "name: z", 1)
	var problems Problems
	if _, err := Restore("x.yaml", []byte(moved), []byte(source)); !errors.As(err, &problems) || problems[0].Line != 8 {
		t.Errorf("%v", err)
	}
	if _, err := Redact([]byte("operator:\n  password: |\n    two\n    lines\n")); !errors.Is(err, errSecrets) {
		t.Errorf("%v", err)
	}
}
