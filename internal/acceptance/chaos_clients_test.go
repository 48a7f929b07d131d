package acceptance

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/go-sql-driver/mysql"
)

// caller is one client: one session at a time, which is thrown away after an
// error. A third of them send text, a third prepare each statement anew, and a
// third keep theirs prepared. It belongs to one goroutine.
type caller struct {
	*crowd
	kind    string
	n       int
	style   int
	db      *sql.DB
	session *sql.Conn
	kept    map[string]*sql.Stmt
	random  *rand.Rand
}

// The ways in which callers send.
const (
	sendsText = iota
	preparesEach
	preparesOnce
	sendStyles
)

// answerPatience is what a client waits for an answer: what is longer counts as
// none. It is more than proxy.hold_timeout.
const answerPatience = 40 * time.Second

func newCaller(l *crowd, kind string, n int) *caller {
	c := mysql.NewConfig()
	c.Net, c.Addr, c.User, c.Passwd = "tcp", l.proxyAddr, l.servers.Account.User, l.servers.Account.Password
	c.InterpolateParams, c.Logger = n%sendStyles == sendsText, &mysql.NopLogger{}
	connector, err := mysql.NewConnector(c)
	l.must(err)
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(1)
	return &caller{crowd: l, kind: kind, n: n, style: n % sendStyles, db: db, random: rand.New(rand.NewPCG(uint64(n), uint64(len(kind))))}
}

// work takes turn after turn until ctx ends. A turn that has begun is finished.
func (c *caller) work(ctx context.Context, turn func(*caller, int) error) {
	defer c.db.Close()
	defer c.leave()
	for number := 1; ctx.Err() == nil; number++ {
		err := c.arrive()
		if err == nil {
			err = turn(c, number)
		}
		if err != nil {
			c.leave()
			c.note(err)
			rest(ctx, 20*time.Millisecond)
		}
		rest(ctx, time.Duration(c.random.IntN(60))*time.Millisecond)
	}
}

// arrive makes a session where there is none.
func (c *caller) arrive() (err error) {
	if c.session != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), answerPatience)
	defer cancel()
	if c.session, err = c.db.Conn(ctx); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	c.kept = map[string]*sql.Stmt{}
	if c.kind == "register" {
		_, err = c.session.ExecContext(ctx, "SET bellwether_consistency = global")
	}
	return err
}

// leave throws the session away.
func (c *caller) leave() {
	if c.session == nil {
		return
	}
	_ = c.session.Raw(func(any) error { return driver.ErrBadConn }) // so that it is not used again
	_ = c.session.Close()
	c.session = nil
}

// note keeps an error.
func (c *caller) note(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mishaps = append(c.mishaps, mishap{at: c.now(), client: fmt.Sprintf("%s %d", c.kind, c.n), class: classOf(err), text: err.Error()})
}

// classOf is what kind of error it is: a number of the protocol, or how the
// connection broke.
func classOf(err error) string {
	var told *mysql.MySQLError
	var network net.Error
	switch {
	case errors.As(err, &told):
		return fmt.Sprint(told.Number)
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded):
		return "no answer"
	case strings.HasPrefix(err.Error(), "connect: "):
		return "no connection"
	case errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) || errors.As(err, &network):
		return "broken connection"
	}
	return "other"
}

// say remembers something that must not be.
func (c *caller) say(where *[]string, format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*where = append(*where, fmt.Sprintf("%.3f s, %s client %d: ", c.now().Seconds(), c.kind, c.n)+fmt.Sprintf(format, args...))
}

// timed bounds one statement, and remembers the longest.
func (c *caller) timed(do func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), answerPatience)
	defer cancel()
	begun := time.Now()
	err := do(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.longest = max(c.longest, time.Since(begun))
	return err
}

// exec runs a statement and wants it to change so many rows.
func (c *caller) exec(rows int64, query string, args ...any) (id int64, err error) {
	err = c.timed(func(ctx context.Context) error {
		var result sql.Result
		if c.style == preparesOnce && len(args) > 0 { // BEGIN is not to be prepared
			var statement *sql.Stmt
			if statement, err = c.statement(ctx, query); err != nil {
				return err
			}
			result, err = statement.ExecContext(ctx, args...)
		} else {
			result, err = c.session.ExecContext(ctx, query, args...)
		}
		if err != nil {
			return err
		}
		id, _ = result.LastInsertId()
		if changed, _ := result.RowsAffected(); changed != rows {
			c.say(&c.wrong, "%s changed %d rows, want %d", query, changed, rows)
		}
		return nil
	})
	return id, err
}

// one asks for one number.
func (c *caller) one(query string, args ...any) (value int64, err error) {
	err = c.timed(func(ctx context.Context) error {
		if c.style != preparesOnce {
			return c.session.QueryRowContext(ctx, query, args...).Scan(&value)
		}
		statement, err := c.statement(ctx, query)
		if err != nil {
			return err
		}
		return statement.QueryRowContext(ctx, args...).Scan(&value)
	})
	return value, err
}

// statement is prepared once a session.
func (c *caller) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	if found := c.kept[query]; found != nil {
		return found, nil
	}
	made, err := c.session.PrepareContext(ctx, query)
	if err == nil {
		c.kept[query] = made
	}
	return made, err
}

// insert writes a row of its own.
func (c *caller) insert(number int) error {
	id, err := c.exec(1, "INSERT INTO chaos.singles (run, client, number) VALUES (?, ?, ?)", c.crowd.number, c.n, number)
	if err != nil {
		return err
	}
	c.ack()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.singles[chaosKey{c.n, number}] = id
	return nil
}

// register writes or reads one of a few registers that all clients share.
func (c *caller) register(int) error {
	call := registerCall{key: c.random.IntN(linearKeys), write: c.n%2 == 0}
	if call.write {
		c.mu.Lock()
		c.value++
		call.value = c.value
		c.mu.Unlock()
	}
	from := c.now()
	got, err := c.touch(call)
	to := c.now()
	if err != nil {
		if !call.write || neverRan(err) {
			return err
		}
		to = time.Hour // it may take effect at any time, or never
	}
	c.mu.Lock()
	c.history = append(c.history, porcupine.Operation{ClientId: c.n, Input: call, Call: int64(from), Output: got, Return: int64(to)})
	c.mu.Unlock()
	if call.write && err == nil {
		c.ack()
	}
	return err
}

// neverRan says of an error that the statement did not take effect.
func neverRan(err error) bool {
	switch classOf(err) {
	case "1290", "1205", "no connection":
		return true
	}
	return false
}

func (c *caller) touch(call registerCall) (int, error) {
	if call.write {
		_, err := c.exec(1, "UPDATE chaos.registers SET v = ? WHERE id = ?", call.value, call.key)
		return 0, err
	}
	got, err := c.one("SELECT v FROM chaos.registers WHERE id = ?", call.key)
	return int(got), err
}
