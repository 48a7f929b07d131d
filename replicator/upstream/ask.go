package upstream

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/outcome"
	"github.com/bellwether-db/bellwether/wire"
)

// The questions. What is owned is read before what is executed, so that a
// transaction which is committed in between is seen once at least. All of them are
// answered beside an account statement on a MySQL that waits for our reply, as long
// as the account has SELECT on everything: without it even COM_REGISTER_SLAVE waits
// there for the lock on privileges.
const (
	askOwned   = "SELECT @@GLOBAL.gtid_owned"
	askMySQL   = "SELECT @@GLOBAL.server_uuid, @@GLOBAL.gtid_mode, @@GLOBAL.gtid_executed, @@GLOBAL.gtid_purged"
	askMariaDB = "SELECT @@GLOBAL.gtid_binlog_pos"
	askClock   = "SELECT UNIX_TIMESTAMP()"
	askUptime  = "SHOW GLOBAL STATUS LIKE 'Uptime'"
)

// askSemiSync are the questions that only a server with semi-synchronous
// replication can answer, one for each name of it. SHOW VARIABLES would wait for that
// lock, for some of what it lists, whatever the account may.
var askSemiSync = [...]string{"SELECT @@GLOBAL.rpl_semi_sync_source_enabled", "SELECT @@GLOBAL.rpl_semi_sync_master_enabled"}

// unknownVariable is ER_UNKNOWN_SYSTEM_VARIABLE.
const unknownVariable = 1193

// facts asks the server about itself.
func (s *session) facts() (facts, error) {
	read := s.mysql
	if s.hello.MariaDB {
		read = s.mariaDB
	}
	f, err := read()
	if err != nil {
		return facts{}, err
	}
	if f.uptime, err = s.uptime(); err != nil {
		return facts{}, err
	}
	f.semiSync, err = s.semiSync()
	return f, err
}

// semiSync says whether the server has semi-synchronous replication, on or off.
func (s *session) semiSync() (bool, error) {
	for _, question := range askSemiSync {
		_, err := s.row(question)
		if unknown := (*wire.ServerError)(nil); errors.As(err, &unknown) && unknown.Code == unknownVariable {
			continue
		}
		return err == nil, err
	}
	return false, nil
}

func (s *session) mysql() (facts, error) {
	owned, err := s.row(askOwned)
	if err != nil {
		return facts{}, err
	}
	row, err := s.row(askMySQL)
	if err != nil {
		return facts{}, err
	}
	if len(owned) != 1 || len(row) != 4 {
		return facts{}, fmt.Errorf("ask about GTIDs: %w", wire.ErrMalformed)
	}
	f := facts{flavour: cluster.FlavourMySQL, identity: row[0], gtidMode: row[1]}
	var errs [3]error
	f.owned, errs[0] = parseOwned(owned[0])
	f.executed, errs[1] = cluster.ParseGTIDSet(cluster.FlavourMySQL, row[2])
	f.purged, errs[2] = cluster.ParseGTIDSet(cluster.FlavourMySQL, row[3])
	return f, errors.Join(errs[:]...)
}

func (s *session) mariaDB() (facts, error) {
	identity, err := s.row(cluster.IdentityMariaDB)
	if err != nil {
		return facts{}, err
	}
	row, err := s.row(askMariaDB)
	if err != nil {
		return facts{}, err
	}
	if len(identity) != 1 || len(row) != 1 {
		return facts{}, fmt.Errorf("ask about GTIDs: %w", wire.ErrMalformed)
	}
	f := facts{flavour: cluster.FlavourMariaDB, identity: identity[0]}
	f.executed, err = cluster.ParseGTIDSet(f.flavour, row[0])
	return f, err
}

func (s *session) uptime() (time.Duration, error) {
	row, err := s.row(askUptime)
	if err != nil {
		return 0, err
	}
	seconds, err := strconv.ParseUint(row[len(row)-1], 10, 32)
	if err != nil {
		return 0, fmt.Errorf("read uptime: %w", err)
	}
	return time.Duration(seconds) * time.Second, nil
}

// met says whom the events that come are of.
func (s *session) met(c Config, f facts, stored *cluster.GTIDSet) error {
	if c.Met == nil {
		return nil
	}
	row, err := s.row(askClock)
	if err != nil {
		return err
	}
	clock, err := strconv.ParseInt(row[0], 10, 64)
	if err != nil {
		return fmt.Errorf("read the clock: %w", err)
	}
	c.Met(outcome.Meeting{
		Identity: f.identity, Started: time.Now().Add(-f.uptime), Clock: time.Unix(clock, 0).Add(-f.uptime),
		Backlog: f.executed.Union(f.owned).Subtract(stored),
	})
	return nil
}

// begin makes the session a slave's and asks for everything that have lacks.
// What follows on the connection is the stream.
func (s *session) begin(c Config, have *cluster.GTIDSet) error {
	if err := s.set(c.settings(have)...); err != nil {
		return err
	}
	if err := s.exec("register as slave", appendRegister(nil, c.ServerID)); err != nil {
		return err
	}
	dump := appendDumpGTID
	if have.Flavour() == cluster.FlavourMariaDB {
		dump = func(dst []byte, serverID uint32, _ *cluster.GTIDSet) []byte { return appendDump(dst, serverID) }
	}
	if err := s.send(dump(nil, c.ServerID, have)); err != nil {
		return fmt.Errorf("ask for the binary log: %w", err)
	}
	if s.conn.Buffered() > 0 {
		return fmt.Errorf("ask for the binary log: the master spoke out of turn: %w", wire.ErrMalformed)
	}
	s.conn.Release()
	return nil
}

// settings are the user variables by which a master knows what its slave is
// like. A server ignores those that it does not know, so each has both of its
// names where versions differ.
func (c Config) settings(have *cluster.GTIDSet) []string {
	heartbeat := strconv.FormatInt(c.heartbeat().Nanoseconds(), 10)
	list := []string{
		"@master_heartbeat_period = " + heartbeat, "@source_heartbeat_period = " + heartbeat,
		"@master_binlog_checksum = 'CRC32'", "@source_binlog_checksum = 'CRC32'",
	}
	if c.SemiSync {
		list = append(list, "@rpl_semi_sync_slave = 1", "@rpl_semi_sync_replica = 1")
	}
	if have.Flavour() == cluster.FlavourMariaDB {
		return append(list, "@mariadb_slave_capability = 4", "@slave_connect_state = '"+have.String()+"'",
			"@slave_gtid_strict_mode = 1", "@slave_gtid_ignore_duplicates = 0")
	}
	return append(list, "@slave_uuid = '"+c.UUID+"'", "@replica_uuid = '"+c.UUID+"'")
}
