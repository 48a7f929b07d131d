package backend

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/wire"
)

// Setup makes a connection report what a session must know: the GTIDs of its
// writes, its schema and its variables. It runs on a new connection and again
// after each reset, which takes it back.
//
// MySQL 9 adds a statement_id to every answer where all variables are tracked,
// so there the ones that can be carried are named; the router pins a session
// that sets another one. MariaDB tells the GTID as the variable last_gtid.
func Setup(mariadb bool) string {
	if mariadb {
		return "SET SESSION session_track_schema=1, session_track_state_change=1, session_track_system_variables='*'"
	}
	return "SET SESSION session_track_gtids='OWN_GTID', session_track_schema=1, session_track_state_change=1, " +
		"session_track_system_variables='" + strings.Join(CarriedOnMySQL[:], ",") + "'"
}

// CarriedOnMySQL are the session variables that another connection can be
// given, as MySQL names them; those that a version does not know it ignores.
var CarriedOnMySQL = [...]string{
	"auto_increment_increment", "auto_increment_offset", "autocommit", "big_tables", "block_encryption_mode",
	"bulk_insert_buffer_size", "character_set_client", "character_set_connection", "character_set_results",
	"collation_connection", "completion_type", "cte_max_recursion_depth", "default_collation_for_utf8mb4",
	"default_storage_engine", "default_tmp_storage_engine", "default_week_format", "div_precision_increment",
	"end_markers_in_json", "eq_range_index_dive_limit", "explain_format", "explicit_defaults_for_timestamp",
	"foreign_key_checks", "generated_random_password_length", "group_concat_max_len", "information_schema_stats_expiry",
	"innodb_lock_wait_timeout", "innodb_strict_mode", "innodb_table_locks", "interactive_timeout", "join_buffer_size",
	"keep_files_on_create", "lc_messages", "lc_time_names", "lock_wait_timeout", "long_query_time",
	"low_priority_updates", "max_error_count", "max_execution_time", "max_heap_table_size", "max_join_size",
	"max_length_for_sort_data", "max_points_in_geometry", "max_seeks_for_key", "max_sort_length",
	"max_sp_recursion_depth", "min_examined_row_limit", "net_read_timeout", "net_retry_count", "net_write_timeout",
	"old_alter_table", "optimizer_prune_level", "optimizer_search_depth", "optimizer_switch",
	"print_identified_with_as_hex", "query_alloc_block_size", "query_prealloc_size", "range_alloc_block_size",
	"range_optimizer_max_mem_size", "read_buffer_size", "read_rnd_buffer_size", "regexp_stack_limit",
	"regexp_time_limit", "select_into_buffer_size", "select_into_disk_sync", "session_track_gtids",
	"session_track_schema", "session_track_state_change", "session_track_system_variables",
	"session_track_transaction_info", "set_operations_buffer_size", "show_create_table_verbosity",
	"sort_buffer_size", "sql_auto_is_null", "sql_big_selects", "sql_buffer_result", "sql_generate_invisible_primary_key",
	"sql_mode", "sql_notes", "sql_quote_show_create", "sql_require_primary_key", "sql_safe_updates",
	"sql_select_limit", "sql_warnings", "time_zone", "tmp_table_size", "transaction_isolation",
	"transaction_read_only", "unique_checks", "updatable_views_with_limit", "use_secondary_engine",
	"wait_timeout", "windowing_use_high_precision", "xa_detach_on_prepare",
}

// dial makes a connection on leave of try or admit, which have counted it.
func (n *node) dial(ctx context.Context, w *Want) (*Conn, error) {
	c, err := n.connectMeanwhile(ctx, w)
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.dials, w)
	if err == nil {
		if err = n.moved(w); err != nil {
			c.close()
		}
	}
	if err != nil {
		n.total--
		n.admit()
		return nil, err
	}
	p := n.pool(w.key())
	c.pool = p
	p.conns = append(p.conns, c)
	c.owner = w.Owner
	c.hold.Store(w.Owner.hold(holdLeased))
	return c, nil
}

// connectAside is connect on a stack of its own: a handshake needs a deep one,
// which a session would keep for as long as it idles.
func (n *node) connectAside(ctx context.Context, w *Want) (c *Conn, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err = n.connect(ctx, w)
	}()
	<-done
	return c, err
}

// connect logs in on the node and sets the connection up.
func (n *node) connect(ctx context.Context, w *Want) (*Conn, error) {
	config := n.pools.config.Load()
	ctx, cancel := context.WithTimeout(ctx, config.ConnectTimeout)
	defer cancel()
	conn, hello, err := wire.Dial(ctx, n.dialConfig(config, w))
	if err != nil {
		return nil, n.dialError(w.Account, err)
	}
	c := &Conn{
		Wire: conn, socket: underneath(conn.NetConn()), Thread: hello.ThreadID, Capabilities: hello.Capabilities, Status: hello.Status,
		Epoch: w.epoch, Opened: time.Now(), State: n.pools.stateOf(w.Collation),
		Multi: w.Capabilities.Has(wire.ClientMultiStatements),
	}
	if c.afterReset = emptyState; hello.MariaDB {
		c.afterReset = c.State
	}
	c.used.Store(n.pools.clock.Load())
	stop := context.AfterFunc(ctx, c.Sever)
	_, err = c.Query(Setup(hello.MariaDB))
	if !stop() && err == nil { // too late: it is closed, or about to be
		err = context.Cause(ctx)
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("set up connection to node %s: %w", n.name, err)
	}
	return c, nil
}

// underneath is the socket below TLS.
func underneath(nc net.Conn) net.Conn {
	if t, ok := nc.(*tls.Conn); ok {
		return t.NetConn()
	}
	return nc
}

func (n *node) dialConfig(config *Config, w *Want) *wire.DialConfig {
	return &wire.DialConfig{
		Network: "tcp", Addr: n.addr, User: w.Account.User, Secret: w.Account.Secret(),
		Capabilities: w.Capabilities&(formCapabilities|wire.ClientMultiStatements) | wire.ClientSessionTrack | wire.ClientTransactions |
			wire.ClientLongPassword | wire.ClientProtocol41 | wire.ClientSecureConnection | wire.ClientPluginAuth,
		Collation: w.Collation, TLS: config.TLS, TLSConfig: config.TLSConfig, Timeout: config.ConnectTimeout,
		Attributes: map[string]string{"program_name": "bellwether"},
	}
}

// dialError tells the account and the monitor what a failure means.
func (n *node) dialError(a *Account, err error) error {
	var refused *wire.ServerError
	if errors.As(err, &refused) {
		// A slave may just not know the account yet.
		if revokes(refused.Code) && n.pools.isMaster(n.name) {
			n.pools.Revoke(a, refused)
		}
		return err
	}
	if !errors.Is(err, wire.ErrNeedPassword) && !errors.Is(err, context.Canceled) && !errors.Is(err, errMoved) {
		n.pools.observe(n.name, err)
	}
	return fmt.Errorf("connect to node %s: %w", n.name, err)
}

// revokes reports whether a login error says that the account is not good any more.
func revokes(code uint16) bool {
	switch code {
	case wire.CodeAccessDenied, wire.CodeAccountLocked, wire.CodeHostNotPrivileged, 1698, 1862, 3032, 4151:
		// 1698 access denied without password, 1862 must change password,
		// 3032 offline mode, 4151 account locked (MariaDB)
		return true
	}
	return false
}

var carriedOnMySQL = func() map[string]bool {
	m := map[string]bool{"names": true, "character set": true, "charset": true, "character_set": true}
	for _, name := range CarriedOnMySQL {
		m[name] = true
	}
	return m
}()

// Carried reports whether MySQL tells the value of a session variable, so that
// another connection can be given it.
func Carried(variable string) bool { return carriedOnMySQL[variable] }
