package acceptance

import (
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestKilledWithinReplicate: Bellwether is killed while it changes a slave alone,
// and started again. The mark was on disk before; the slave is closed again; of the
// statement, which the server may still carry out, all took place or nothing; and
// no verification takes the mark away before that is decided.
func TestKilledWithinReplicate(t *testing.T) {
	onFed(t, func(f *fed) {
		f.must(f.proxy.stop())
		h := f.openByHand()
		f.start()
		f.run("CREATE DATABASE shop", "CREATE TABLE shop.t (k INT PRIMARY KEY, v INT)", "INSERT INTO shop.t VALUES (1, 1), (2, 1), (3, 1)")
		h.waitRows("SELECT COUNT(*) FROM shop.t", "3")
		before := h.executed()

		release := h.lock("SELECT v FROM shop.t WHERE k = 3 LOCK IN SHARE MODE")
		ended := h.send("/replicate/update", `{"dbname":"shop","table":"t","set":{"v":2},"where":"TRUE"}`)
		h.waitRows("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE COMMAND = 'Execute' AND INFO LIKE 'UPDATE `shop`.`t`%'", "1")
		f.must(f.proxy.command.Process.Kill())
		<-f.proxy.ended
		if said := <-ended; !strings.Contains(said, "EOF") && !strings.Contains(said, "reset") {
			f.Errorf("the call was answered: %s", said)
		}
		f.start()
		if marks, err := os.ReadFile(filepath.Join(filepath.Dir(f.config), "state", "touched.json")); err != nil || !strings.Contains(string(marks), "update shop.t") {
			f.Errorf("the mark: %s, %v", marks, err)
		}
		h.wantMark(true)
		if said := h.verify(); !strings.Contains(said, `"state":"done"`) {
			f.Errorf("the verification: %s", said)
		}
		release()
		h.waitRows("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE COMMAND = 'Execute' AND INFO LIKE 'UPDATE `shop`.`t`%'", "0")
		values := h.query("SELECT GROUP_CONCAT(v ORDER BY k) FROM shop.t")
		if values != "1,1,1" && values != "2,2,2" {
			f.Errorf("half of it took place: %s", values)
		}
		h.wantMark(values != "1,1,1")
		closed := "SELECT @@GLOBAL.super_read_only"
		if f.mariadb() {
			closed = "SELECT @@GLOBAL.read_only + 0"
		}
		h.waitRows(closed, "1")
		if after := h.executed(); after != before {
			f.Errorf("it has left transactions: %s before, %s after", before, after)
		}
	})
}

// byHand is a slave with a REST address of its own.
type byHand struct {
	*fed
	rest string
	db   *sql.DB // the slave itself
}

// openByHand gives the last slave an address, and lets everybody on this machine
// call it.
func (f *fed) openByHand() *byHand {
	f.Helper()
	h := &byHand{fed: f, rest: freeAddr(f.T), db: f.on(f.servers.Slaves()[1], 4)}
	text, err := os.ReadFile(f.config)
	f.must(err)
	name := "name: " + f.servers.Slaves()[1].Name + ", "
	changed := strings.Replace(string(text), name, name+fmt.Sprintf("rest: %q, ", h.rest), 1)
	changed = strings.Replace(changed, `admin: {listen: "127.0.0.1:0"`, fmt.Sprintf(`admin: {listen: "127.0.0.1:0", open_loopback: true, account: {user: %q, password: %q}`,
		f.servers.Account.User, f.servers.Account.Password), 1)
	f.must(os.WriteFile(f.config, []byte(changed), 0o600))
	return h
}

// executed is what the slave has executed, the master's transactions aside.
func (h *byHand) executed() string {
	h.Helper()
	if h.mariadb() {
		return h.query("SELECT @@GLOBAL.gtid_binlog_state")
	}
	uuid, err := h.servers.Master.Query(h.Context(), "SELECT @@server_uuid")
	h.must(err)
	return h.query("SELECT GTID_SUBTRACT(@@GLOBAL.gtid_executed, CONCAT('" + uuid + "', ':1-1000000000'))")
}

func (h *byHand) query(statement string) (value string) {
	h.Helper()
	h.must(h.db.QueryRowContext(h.Context(), statement).Scan(&value))
	return value
}

func (h *byHand) waitRows(statement, want string) {
	h.Helper()
	h.must(eventually(func() error {
		var got string
		if err := h.db.QueryRowContext(h.Context(), statement).Scan(&got); err != nil || got != want {
			return fmt.Errorf("%s: %s, want %s: %w", statement, got, want, errors.Join(err))
		}
		return nil
	}))
}

// lock holds what a statement locks on the slave until it is released.
func (h *byHand) lock(statement string) (release func()) {
	h.Helper()
	tx, err := h.db.BeginTx(h.Context(), nil)
	h.must(err)
	var v int
	h.must(tx.QueryRowContext(h.Context(), statement).Scan(&v))
	return func() { _ = tx.Rollback() }
}

// send calls the slave's address, and tells later what came of it.
func (h *byHand) send(path, body string) <-chan string {
	ended := make(chan string, 1)
	go func() {
		status, answer, err := post("http://"+h.rest+path, body)
		ended <- fmt.Sprint(status, answer, err)
	}()
	return ended
}

func post(url, body string) (status int, answer string, err error) {
	response, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

// verify has the slave compared with the master, and returns the end of it.
func (h *byHand) verify() (said string) {
	h.Helper()
	name := h.servers.Slaves()[1].Name
	h.must(eventually(func() error { // until the slave is known to be up
		status, answer, err := post("http://"+h.proxy.adminAddr+"/v1/operations", `{"kind":"verify","node":"`+name+`"}`)
		if err != nil || status != http.StatusAccepted {
			return fmt.Errorf("%d %s: %w", status, answer, errors.Join(err))
		}
		return nil
	}))
	h.must(eventually(func() (err error) {
		if said, err = h.proxy.get("/v1/operations"); err == nil && strings.Contains(said, `"state":"running"`) {
			err = errors.New(said)
		}
		return err
	}))
	return said
}

// wantMark looks whether the slave is marked as touched by hand.
func (h *byHand) wantMark(want bool) {
	h.Helper()
	node, err := h.proxy.get("/v1/nodes/" + h.servers.Slaves()[1].Name)
	h.must(err)
	if marked := !strings.Contains(node, `"touched":""`); marked != want {
		h.Errorf("marked as touched by hand: %t, want %t: %s", marked, want, node)
	}
}
