package cluster

import (
	"database/sql"
	"fmt"

	"github.com/go-sql-driver/mysql"
)

// OpenNode prepares a small pool of operator connections to one address. It
// connects to nothing yet.
//
// Each session is set to what the statements here rely on, whatever the server
// defaults to: with autocommit off, say, every look at the schemas would come
// from one old snapshot.
func OpenNode(addr string, c Config) (*sql.DB, error) {
	d := mysql.NewConfig()
	d.Net, d.Addr, d.User, d.Passwd = "tcp", addr, c.Operator.User, c.Operator.Password
	d.Timeout = c.ProbeTimeout
	d.TLS, d.AllowFallbackToPlaintext = c.TLS, c.TLSOptional
	d.MultiStatements = true // a probe is one round trip
	d.Logger = &mysql.NopLogger{}
	d.Params = map[string]string{"autocommit": "1", "sql_mode": "''", "time_zone": "'+00:00'"}
	d.ConnectionAttributes = "program_name:bellwether"
	connector, err := mysql.NewConnector(d)
	if err != nil {
		return nil, fmt.Errorf("prepare connections to %s: %w", addr, err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(2)
	db.SetMaxIdleConns(2)
	return db, nil
}
