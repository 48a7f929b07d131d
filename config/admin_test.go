package config

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/admin"
)

func TestAdmin(t *testing.T) {
	hash := fmt.Sprintf("%x", sha256.Sum256([]byte("open sesame")))
	f, err := Load(write(t, minimal+`admin:
  listen: 0.0.0.0:8001
  account: {user: rest, password: secret}
  open_loopback: true
  tokens:
    - {name: shop, role: write, hash: `+hash+`}
  origins: ["https://shop.example"]
  hosts: [db.example]
  max_body: 1MB
  timeout: 5s
  rate: 10
`))
	if err != nil {
		t.Fatal(err)
	}
	c := f.AdminConfig()
	if c.Account != (admin.Account{User: "rest", Password: "secret"}) || !c.OpenLoopback || c.BodyLimit != 1<<20 || c.Timeout != 5*time.Second || c.Rate != 10 {
		t.Errorf("%+v", c)
	}
	if len(c.Tokens) != 1 || c.Tokens[0].Role != admin.RoleWrite || c.Tokens[0].Hash != sha256.Sum256([]byte("open sesame")) {
		t.Errorf("%+v", c.Tokens)
	}
	said := strings.Join(f.Warnings(), "\n")
	for _, want := range []string{"everybody on this machine", "in clear"} {
		if !strings.Contains(said, want) {
			t.Errorf("no warning %q in %q", want, said)
		}
	}
}

func TestAdminMistakes(t *testing.T) {
	hash := strings.Repeat("0", 64)
	for text, want := range map[string]string{
		"{tokens: [{name: a, role: king, hash: " + hash + "}]}":                                            "read, write, operate",
		"{tokens: [{name: a, hash: " + hash + "}]}":                                                        "admin.tokens[0].role: is missing",
		"{tokens: [{name: a, role: read, hash: abc}]}":                                                     "sha256sum",
		"{tokens: [{name: a, role: read, hash: " + hash + "}, {name: a, role: read, hash: " + hash + "}]}": "already the name",
		"{account: {password: x}}":                                                                         "admin.account.user: is missing",
		"{origins: [shop.example]}":                                                                        "scheme://host",
		`{origins: ["https://shop.example/"]}`:                                                             "scheme://host",
		`{origins: ["*"]}`:                                                                                 "scheme://host",
		`{hosts: ["db.example:8001"]}`:                                                                     "without a port",
		"{tls: {certificate: a.pem}}":                                                                      "go together",
		"{rate: -1}":                                                                                       "no limit",
		"{timeout: 1ms}":                                                                                   "100ms",
		"{max_body: 10}":                                                                                   "",
	} {
		_, err := Load(write(t, minimal+"admin: "+text+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
