package playground

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Account is a user of the servers, the same on every node. It is a value.
type Account struct {
	User     string `json:"user"`
	Password string `json:"password"`
}

func (a Account) or(user, password string) Account {
	if a.User == "" {
		a.User = user
	}
	if a.Password == "" {
		a.Password = password
	}
	return a
}

func randomPassword() string { return rand.Text() }

// record is what a folder remembers of its cluster, in playground.json: without
// it nobody could log in again.
type record struct {
	Flavour     string  `json:"flavour"`
	App         Account `json:"app"`
	Operator    Account `json:"operator"`
	Replication Account `json:"replication"`
	Root        Account `json:"root"`
}

func recordPath(dir string) string { return filepath.Join(dir, "playground.json") }

// loadRecord reads the folder's record, or makes it from the options.
func loadRecord(dir string, o Options) (record, error) {
	text, err := os.ReadFile(recordPath(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return newRecord(dir, o)
	}
	if err != nil {
		return record{}, fmt.Errorf("read playground: %w", err)
	}
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		return record{}, fmt.Errorf("read %s: %w", recordPath(dir), err)
	}
	if r.Flavour != o.Flavour.String() {
		return record{}, fmt.Errorf("folder %s holds a %s cluster, not %s", dir, r.Flavour, o.Flavour)
	}
	return r, nil
}

func newRecord(dir string, o Options) (record, error) {
	r := record{
		Flavour: o.Flavour.String(), App: o.App, Operator: o.Operator, Replication: o.Replication,
		Root: Account{User: "root", Password: randomPassword()},
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return record{}, fmt.Errorf("encode playground: %w", err)
	}
	if err := os.WriteFile(recordPath(dir), append(text, '\n'), 0o600); err != nil {
		return record{}, fmt.Errorf("write playground: %w", err)
	}
	return r, nil
}

// bootstrapSQL is run by each node at its first start, before it accepts
// clients, one statement a line. Nothing of it reaches the binary log, so the
// nodes begin with the same accounts and equal, empty GTID sets. root@localhost
// gets a password, because a client on this machine reaches it over TCP.
func (r record) bootstrapSQL(f Flavour) string {
	plugin := "caching_sha2_password"
	if f == MariaDB {
		plugin = "mysql_native_password"
	}
	var b strings.Builder
	b.WriteString("SET SESSION sql_log_bin = 0;\n")
	if f == MariaDB { // its anonymous user would shadow every account of '%'
		b.WriteString("DROP USER IF EXISTS ''@'localhost';\n")
	}
	for _, a := range []Account{r.App, r.Operator, r.Replication} {
		fmt.Fprintf(&b, "CREATE USER %s@'%%' IDENTIFIED %s;\n", quote(a.User), identified(f, plugin, a.Password))
	}
	for _, a := range []Account{r.App, r.Operator} {
		fmt.Fprintf(&b, "GRANT ALL PRIVILEGES ON *.* TO %s@'%%' WITH GRANT OPTION;\n", quote(a.User))
	}
	fmt.Fprintf(&b, "GRANT REPLICATION SLAVE ON *.* TO %s@'%%';\n", quote(r.Replication.User))
	fmt.Fprintf(&b, "ALTER USER 'root'@'localhost' IDENTIFIED %s;\n", identified(f, plugin, r.Root.Password))
	return b.String()
}

func identified(f Flavour, plugin, password string) string {
	if f == MariaDB {
		return fmt.Sprintf("VIA %s USING PASSWORD(%s)", plugin, quote(password))
	}
	return fmt.Sprintf("WITH %s BY %s", plugin, quote(password))
}

// quote makes an SQL string literal, whatever the sql_mode says of backslashes
// as long as there is none.
func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(s) + "'"
}
