package admin

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/bellwether-db/bellwether/admin/compose"
)

// The bounds of the calls' connections to one node.
const (
	readerOpen = 8
	readerIdle = 2
)

// readers are clients of the nodes themselves, by address: a call to a node's own
// address reads from that very node. Any number of goroutines may use them.
type readers struct {
	mu     sync.Mutex
	nodes  map[string]*sql.DB
	closed bool
}

// readingFrom is where a call reads: the proxy's own address, or the node itself.
func (s *Server) readingFrom(c *call) (*sql.DB, *problem) {
	if c.node == "" {
		return s.gateway, nil
	}
	t := s.parts.Topologies.Load()
	i := t.Find(c.node)
	if i < 0 {
		return nil, &problem{Type: kindUnavailable, Title: "no node", Status: http.StatusServiceUnavailable, Detail: "there is no node " + c.node + " any more"}
	}
	db, err := s.readers.of(t.Nodes[i].Addr, s.newReader)
	if err != nil {
		return nil, explained(err, false)
	}
	return db, nil
}

// of returns the clients of an address, made by open at the first time.
func (r *readers) of(addr string, open func(addr string) (*sql.DB, error)) (*sql.DB, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, errors.New("bellwether is shutting down")
	}
	if db := r.nodes[addr]; db != nil {
		return db, nil
	}
	db, err := open(addr)
	if err != nil {
		return nil, err
	}
	if r.nodes == nil {
		r.nodes = map[string]*sql.DB{}
	}
	r.nodes[addr] = db
	return db, nil
}

// forget ends the connections that nobody uses: the account, or the TLS, may be
// another one now.
func (r *readers) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, db := range r.nodes {
		db.SetMaxIdleConns(-1)
		db.SetMaxIdleConns(readerIdle)
	}
}

func (r *readers) close() (err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for _, db := range r.nodes {
		err = errors.Join(err, db.Close())
	}
	return err
}

// newReader returns clients of one node, with the account of the data calls,
// none of which is connected yet.
func (s *Server) newReader(addr string) (*sql.DB, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("read from %s: %w", addr, err)
	}
	c := mysql.NewConfig()
	c.Net, c.Addr, c.Timeout = "tcp", addr, 5*time.Second
	c.Params = map[string]string{"sql_mode": "'" + compose.SQLMode + "'", "time_zone": "'+00:00'"}
	c.AllowNativePasswords, c.CheckConnLiveness = true, true
	c.Logger = &mysql.NopLogger{}
	err = c.Apply(mysql.BeforeConnect(func(_ context.Context, c *mysql.Config) error {
		config := s.settings()
		c.User, c.Passwd = config.Account.User, config.Account.Password
		c.AllowFallbackToPlaintext = config.NodeTLSOptional
		if config.NodeTLS != nil {
			c.TLS = config.NodeTLS.Clone()
			c.TLS.ServerName = host
		}
		return nil
	}))
	if err != nil {
		return nil, fmt.Errorf("prepare connections to %s: %w", addr, err)
	}
	inner, err := mysql.NewConnector(c)
	if err != nil {
		return nil, fmt.Errorf("prepare connections to %s: %w", addr, err)
	}
	db := sql.OpenDB(inner)
	db.SetMaxOpenConns(readerOpen)
	db.SetMaxIdleConns(readerIdle)
	db.SetConnMaxIdleTime(gatewayLast)
	return db, nil
}
