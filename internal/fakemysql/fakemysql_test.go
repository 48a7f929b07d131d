package fakemysql_test

import (
	"database/sql"
	"errors"
	"fmt"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/bellwether-db/bellwether/internal/fakemysql"
	"github.com/bellwether-db/bellwether/wire"
)

func open(t *testing.T, s *fakemysql.Server) *sql.DB {
	t.Helper()
	db, err := sql.Open("mysql", fmt.Sprintf("%s:%s@tcp(%s)/", fakemysql.User, fakemysql.Password, s.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// TestScript: a driver that is not ours understands the server.
func TestScript(t *testing.T) {
	s := fakemysql.Serve(t, fakemysql.Script(
		fakemysql.ExpectQuery("INSERT INTO t VALUES (1)"), fakemysql.SendOK(wire.OK{AffectedRows: 1, InsertID: 42}),
		fakemysql.ExpectQuery("SELECT a, b FROM t"), fakemysql.SendRows([]string{"a", "b"}, []string{"1", "x"}, []string{"2", ""}),
		fakemysql.ExpectQuery("BROKEN"), fakemysql.SendError(1064, "42000", "syntax"),
		fakemysql.ExpectQuery("SELECT HALF"), fakemysql.SendPartialRows([]string{"a"}, []string{"1"}),
	))
	db := open(t, s)
	res, err := db.Exec("INSERT INTO t VALUES (1)")
	if err != nil {
		t.Fatal(err)
	}
	if id, _ := res.LastInsertId(); id != 42 {
		t.Errorf("insert id %d", id)
	}
	if got := read(t, db, "SELECT a, b FROM t"); got != "1x2" {
		t.Errorf("rows %q", got)
	}
	var broken *mysql.MySQLError
	if _, err := db.Exec("BROKEN"); !errors.As(err, &broken) || broken.Number != 1064 {
		t.Errorf("broken: %v", err)
	}
	rows, err := db.Query("SELECT HALF")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
	}
	if rows.Err() == nil {
		t.Error("a result that breaks off ended well")
	}
}

func read(t *testing.T, db *sql.DB, query string) (all string) {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var a, b string
		if err := rows.Scan(&a, &b); err != nil {
			t.Fatal(err)
		}
		all += a + b
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAnswerAndDial(t *testing.T) {
	s := fakemysql.Serve(t, fakemysql.Answer(func(command wire.Command, _ string) fakemysql.Step {
		if command == wire.ComQuery {
			return fakemysql.SendRows([]string{"one"}, []string{"1"})
		}
		return nil
	}))
	c, hello, err := wire.Dial(t.Context(), s.Dial())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if hello.ThreadID != 1 || hello.Version != "9.7.0-fake" {
		t.Errorf("hello %+v", hello)
	}
	if err := errors.Join(c.WritePacket([]byte{byte(wire.ComPing)}), c.Flush()); err != nil {
		t.Fatal(err)
	}
	p, err := c.ReadPacket()
	if err != nil || p[0] != wire.HeaderOK {
		t.Fatalf("ping: %x, %v", p, err)
	}
}

func TestRefuse(t *testing.T) {
	s := fakemysql.New(t, nil)
	s.Refuse = &wire.ServerError{Code: wire.CodeTooManyConnections, State: "08004", Message: "Too many connections"}
	s.Start()
	var refused *wire.ServerError
	if _, _, err := wire.Dial(t.Context(), s.Dial()); !errors.As(err, &refused) || refused.Code != wire.CodeTooManyConnections {
		t.Fatal(err)
	}
}
