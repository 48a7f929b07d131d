package admin

import (
	"context"
	"crypto/tls"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/bellwether-db/bellwether/admin/compose"
)

// The bounds of the calls' connections to the proxy.
const (
	gatewayOpen = 64
	gatewayIdle = 16
	gatewayLast = time.Minute // without use
)

// connector logs in on the proxy as any client does, with the account that the
// configuration names at that moment. It may be used by any number of goroutines.
type connector struct {
	driver.Connector
}

// newGateway returns clients of the proxy, none of which is connected yet.
// Nothing is ever sent again by them: a statement of which any byte was sent
// has its outcome, or has it not known.
func (s *Server) newGateway() (*sql.DB, error) {
	c := mysql.NewConfig()
	c.Net, c.Addr = "tcp", "proxy"
	c.Params = map[string]string{"sql_mode": "'" + compose.SQLMode + "'", "time_zone": "'+00:00'"}
	c.AllowNativePasswords, c.CheckConnLiveness = true, true
	c.DialFunc = func(ctx context.Context, _, _ string) (net.Conn, error) {
		dialer := net.Dialer{Timeout: 5 * time.Second}
		return dialer.DialContext(ctx, "tcp", s.parts.Proxy())
	}
	err := c.Apply(mysql.BeforeConnect(func(_ context.Context, c *mysql.Config) error {
		config := s.settings()
		c.User, c.Passwd = config.Account.User, config.Account.Password
		if config.Encrypt {
			c.TLS = &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true} // it talks to itself
		}
		return nil
	}))
	if err != nil {
		return nil, fmt.Errorf("prepare the data calls' connections: %w", err)
	}
	inner, err := mysql.NewConnector(c)
	if err != nil {
		return nil, fmt.Errorf("prepare the data calls' connections: %w", err)
	}
	db := sql.OpenDB(connector{inner})
	db.SetMaxOpenConns(gatewayOpen)
	db.SetMaxIdleConns(gatewayIdle)
	db.SetConnMaxIdleTime(gatewayLast)
	return db, nil
}

// Connect returns a session whose reads show every write that was acknowledged
// before: who inserts by one call and reads by the next is on two sessions.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if session, ok := conn.(driver.ExecerContext); ok {
		_, err = session.ExecContext(ctx, "SET bellwether_consistency = global", nil)
	}
	if err != nil {
		_ = conn.Close() // the error that counts is the other one
		return nil, err
	}
	return conn, nil
}
