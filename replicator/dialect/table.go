package dialect

import "github.com/bellwether-db/bellwether/cluster"

// The versions at which words changed.
var (
	mysql57   = Version{5, 7, 0}
	mysql80   = Version{8, 0, 0}
	mysql8022 = Version{8, 0, 22} // REPLICA in statements and columns
	mysql8023 = Version{8, 0, 23} // CHANGE REPLICATION SOURCE
	mysql8026 = Version{8, 0, 26} // replica and source in variables and plugins
	mysql82   = Version{8, 2, 0}  // BINARY LOG STATUS, RESET BINARY LOGS
	mysql90   = Version{9, 0, 0}
	maria103  = Version{10, 3, 0}
	maria120  = Version{12, 0, 1}
)

// wording is what a term is called from a version on; "" once it is gone.
type wording struct {
	since Version
	text  string
}

// wordings are ordered by version.
type wordings []wording

// at returns the words of a version.
func (w wordings) at(v Version) (text string) {
	for _, wording := range w {
		if !v.less(wording.since) {
			text = wording.text
		}
	}
	return text
}

// entry is a row of the table.
type entry struct {
	name    string
	mysql   wordings
	mariadb wordings
}

func (e *entry) in(f cluster.Flavour) wordings {
	if f == cluster.FlavourMariaDB {
		return e.mariadb
	}
	return e.mysql
}

// The three ways in which words changed.

// always are the same words in every version.
func always(text string) wordings { return wordings{{Version{}, text}} }

// then are words that changed once.
func then(before string, since Version, text string) wordings {
	return wordings{{Version{}, before}, {since, text}}
}

// from are words that a version brought.
func from(since Version, text string) wordings { return wordings{{since, text}} }

// table is everything that servers say in different words. Words without a
// version hold from MySQL 5.7 or MariaDB 10.3 on.
var table = [termCount]entry{
	StartSlave:      {"start slave", then("START SLAVE", mysql8022, "START REPLICA"), always("START SLAVE")},
	StopSlave:       {"stop slave", then("STOP SLAVE", mysql8022, "STOP REPLICA"), always("STOP SLAVE")},
	StartReceiver:   {"start receiver", then("START SLAVE IO_THREAD", mysql8022, "START REPLICA IO_THREAD"), always("START SLAVE IO_THREAD")},
	StopReceiver:    {"stop receiver", then("STOP SLAVE IO_THREAD", mysql8022, "STOP REPLICA IO_THREAD"), always("STOP SLAVE IO_THREAD")},
	StartApplier:    {"start applier", then("START SLAVE SQL_THREAD", mysql8022, "START REPLICA SQL_THREAD"), always("START SLAVE SQL_THREAD")},
	StopApplier:     {"stop applier", then("STOP SLAVE SQL_THREAD", mysql8022, "STOP REPLICA SQL_THREAD"), always("STOP SLAVE SQL_THREAD")},
	ResetSlaveAll:   {"reset slave all", then("RESET SLAVE ALL", mysql8022, "RESET REPLICA ALL"), always("RESET SLAVE ALL")},
	ShowSlaveStatus: {"show slave status", then("SHOW SLAVE STATUS", mysql8022, "SHOW REPLICA STATUS"), always("SHOW ALL SLAVES STATUS")},
	ShowSlaves:      {"show slaves", then("SHOW SLAVE HOSTS", mysql8022, "SHOW REPLICAS"), always("SHOW SLAVE HOSTS")},
	ShowLogStatus:   {"show log status", then("SHOW MASTER STATUS", mysql82, "SHOW BINARY LOG STATUS"), always("SHOW MASTER STATUS")},
	ResetLogs:       {"reset logs", then("RESET MASTER", mysql82, "RESET BINARY LOGS AND GTIDS"), always("RESET MASTER")},
	ChangeSource:    {"change source", then("CHANGE MASTER TO", mysql8023, "CHANGE REPLICATION SOURCE TO"), always("CHANGE MASTER TO")},
	SetLasting:      {"set lasting", then("SET GLOBAL", mysql80, "SET PERSIST"), always("SET GLOBAL")},
	SetAtStart:      {"set at start", from(mysql80, "SET PERSIST_ONLY"), nil},
	WorkerErrors: {"worker errors", then(
		"SELECT LAST_ERROR_NUMBER AS number, LAST_ERROR_MESSAGE AS text, LAST_SEEN_TRANSACTION AS gtid FROM performance_schema.replication_applier_status_by_worker WHERE CHANNEL_NAME = '' AND LAST_ERROR_NUMBER <> 0 ORDER BY LAST_ERROR_TIMESTAMP",
		mysql80,
		"SELECT LAST_ERROR_NUMBER AS number, LAST_ERROR_MESSAGE AS text, APPLYING_TRANSACTION AS gtid FROM performance_schema.replication_applier_status_by_worker WHERE CHANNEL_NAME = '' AND LAST_ERROR_NUMBER <> 0 ORDER BY LAST_ERROR_TIMESTAMP",
	), nil},

	OptionHost:         {"option host", then("MASTER_HOST", mysql8023, "SOURCE_HOST"), always("MASTER_HOST")},
	OptionPort:         {"option port", then("MASTER_PORT", mysql8023, "SOURCE_PORT"), always("MASTER_PORT")},
	OptionUser:         {"option user", then("MASTER_USER", mysql8023, "SOURCE_USER"), always("MASTER_USER")},
	OptionPassword:     {"option password", then("MASTER_PASSWORD", mysql8023, "SOURCE_PASSWORD"), always("MASTER_PASSWORD")},
	OptionConnectRetry: {"option connect retry", then("MASTER_CONNECT_RETRY", mysql8023, "SOURCE_CONNECT_RETRY"), always("MASTER_CONNECT_RETRY")},
	OptionRetryCount:   {"option retry count", then("MASTER_RETRY_COUNT", mysql8023, "SOURCE_RETRY_COUNT"), from(maria120, "MASTER_RETRY_COUNT")},
	OptionHeartbeat:    {"option heartbeat", then("MASTER_HEARTBEAT_PERIOD", mysql8023, "SOURCE_HEARTBEAT_PERIOD"), always("MASTER_HEARTBEAT_PERIOD")},
	OptionSSL:          {"option ssl", then("MASTER_SSL", mysql8023, "SOURCE_SSL"), always("MASTER_SSL")},
	OptionSSLCA:        {"option ssl ca", then("MASTER_SSL_CA", mysql8023, "SOURCE_SSL_CA"), always("MASTER_SSL_CA")},
	OptionSSLVerify:    {"option ssl verify", then("MASTER_SSL_VERIFY_SERVER_CERT", mysql8023, "SOURCE_SSL_VERIFY_SERVER_CERT"), always("MASTER_SSL_VERIFY_SERVER_CERT")},
	OptionPublicKey:    {"option public key", wordings{{mysql80, "GET_MASTER_PUBLIC_KEY"}, {mysql8023, "GET_SOURCE_PUBLIC_KEY"}}, nil},
	AutoPosition:       {"auto position", then("MASTER_AUTO_POSITION = 1", mysql8023, "SOURCE_AUTO_POSITION = 1"), always("MASTER_USE_GTID = slave_pos")},

	ColumnChannel:       {"column channel", always("Channel_Name"), always("Connection_name")},
	ColumnHost:          {"column host", then("Master_Host", mysql8022, "Source_Host"), always("Master_Host")},
	ColumnPort:          {"column port", then("Master_Port", mysql8022, "Source_Port"), always("Master_Port")},
	ColumnUser:          {"column user", then("Master_User", mysql8022, "Source_User"), always("Master_User")},
	ColumnSourceID:      {"column source id", then("Master_Server_Id", mysql8022, "Source_Server_Id"), always("Master_Server_Id")},
	ColumnSourceUUID:    {"column source uuid", then("Master_UUID", mysql8022, "Source_UUID"), nil},
	ColumnReceiver:      {"column receiver", then("Slave_IO_Running", mysql8022, "Replica_IO_Running"), always("Slave_IO_Running")},
	ColumnApplier:       {"column applier", then("Slave_SQL_Running", mysql8022, "Replica_SQL_Running"), always("Slave_SQL_Running")},
	ColumnReceiverState: {"column receiver state", then("Slave_IO_State", mysql8022, "Replica_IO_State"), always("Slave_IO_State")},
	ColumnApplierState:  {"column applier state", then("Slave_SQL_Running_State", mysql8022, "Replica_SQL_Running_State"), always("Slave_SQL_Running_State")},
	ColumnLag:           {"column lag", then("Seconds_Behind_Master", mysql8022, "Seconds_Behind_Source"), always("Seconds_Behind_Master")},
	ColumnConnectRetry:  {"column connect retry", always("Connect_Retry"), always("Connect_Retry")},
	ColumnRetryCount:    {"column retry count", then("Master_Retry_Count", mysql8022, "Source_Retry_Count"), from(maria120, "Master_Retry_Count")},
	ColumnHeartbeat:     {"column heartbeat", nil, always("Slave_heartbeat_period")},
	ColumnPosition:      {"column position", always("Auto_Position"), always("Using_Gtid")},
	ColumnRetrieved:     {"column retrieved", always("Retrieved_Gtid_Set"), always("Gtid_IO_Pos")},
	ColumnExecuted:      {"column executed", always("Executed_Gtid_Set"), always("Gtid_Slave_Pos")},
	ColumnSSL:           {"column ssl", then("Master_SSL_Allowed", mysql8022, "Source_SSL_Allowed"), always("Master_SSL_Allowed")},
	ColumnSSLCA:         {"column ssl ca", then("Master_SSL_CA_File", mysql8022, "Source_SSL_CA_File"), always("Master_SSL_CA_File")},
	ColumnSSLVerify:     {"column ssl verify", then("Master_SSL_Verify_Server_Cert", mysql8022, "Source_SSL_Verify_Server_Cert"), always("Master_SSL_Verify_Server_Cert")},
	ColumnLogFile:       {"column log file", then("Relay_Master_Log_File", mysql8022, "Relay_Source_Log_File"), always("Relay_Master_Log_File")},
	ColumnLogPos:        {"column log pos", then("Exec_Master_Log_Pos", mysql8022, "Exec_Source_Log_Pos"), always("Exec_Master_Log_Pos")},
	ShowHeartbeat:       {"show heartbeat", always("SELECT HEARTBEAT_INTERVAL AS heartbeat FROM performance_schema.replication_connection_configuration WHERE CHANNEL_NAME = ''"), nil},

	GTIDMode:        {"gtid mode", always("gtid_mode"), nil},
	GTIDConsistency: {"gtid consistency", always("enforce_gtid_consistency"), nil},
	GTIDStrict:      {"gtid strict", nil, always("gtid_strict_mode")},
	LogBin:          {"log bin", always("log_bin"), always("log_bin")},
	LogSlaveUpdates: {"log slave updates", then("log_slave_updates", mysql8026, "log_replica_updates"), always("log_slave_updates")},
	BinlogFormat:    {"binlog format", always("binlog_format"), always("binlog_format")},
	BinlogRowImage:  {"binlog row image", always("binlog_row_image"), always("binlog_row_image")},
	BinlogChecksum:  {"binlog checksum", always("binlog_checksum"), always("binlog_checksum")},
	BinlogAnnotate:  {"binlog annotate", nil, always("binlog_annotate_row_events")},
	SyncBinlog:      {"sync binlog", always("sync_binlog"), always("sync_binlog")},
	FlushLog:        {"flush log", always("innodb_flush_log_at_trx_commit"), always("innodb_flush_log_at_trx_commit")},
	ReadOnly:        {"read only", always("read_only"), always("read_only")},
	SuperReadOnly:   {"super read only", always("super_read_only"), nil},
	// MariaDB fetches anew what it had not applied, by GTID.
	RelayLogRecovery: {"relay log recovery", always("relay_log_recovery"), nil},

	Workers: {"workers", then("slave_parallel_workers", mysql8026, "replica_parallel_workers"), always("slave_parallel_threads")},
	// MySQL 9 has only the wanted way left.
	ParallelMode:       {"parallel mode", wordings{{mysql57, "slave_parallel_type"}, {mysql8026, "replica_parallel_type"}, {mysql90, ""}}, always("slave_parallel_mode")},
	ParallelModeWanted: {"parallel mode wanted", wordings{{mysql57, "LOGICAL_CLOCK"}, {mysql90, ""}}, always("optimistic")},
	PreserveOrder:      {"preserve order", then("slave_preserve_commit_order", mysql8026, "replica_preserve_commit_order"), nil},
	NetTimeout:         {"net timeout", then("slave_net_timeout", mysql8026, "replica_net_timeout"), always("slave_net_timeout")},

	SourcePlugin:      {"source plugin", then("rpl_semi_sync_master", mysql8026, "rpl_semi_sync_source"), nil},
	SourceLibrary:     {"source library", then("semisync_master.so", mysql8026, "semisync_source.so"), nil},
	ReplicaPlugin:     {"replica plugin", then("rpl_semi_sync_slave", mysql8026, "rpl_semi_sync_replica"), nil},
	ReplicaLibrary:    {"replica library", then("semisync_slave.so", mysql8026, "semisync_replica.so"), nil},
	SemiSyncSource:    {"semi-sync source", then("rpl_semi_sync_master_enabled", mysql8026, "rpl_semi_sync_source_enabled"), always("rpl_semi_sync_master_enabled")},
	SemiSyncReplica:   {"semi-sync replica", then("rpl_semi_sync_slave_enabled", mysql8026, "rpl_semi_sync_replica_enabled"), always("rpl_semi_sync_slave_enabled")},
	SemiSyncTimeout:   {"semi-sync timeout", then("rpl_semi_sync_master_timeout", mysql8026, "rpl_semi_sync_source_timeout"), always("rpl_semi_sync_master_timeout")},
	SemiSyncWaitPoint: {"semi-sync wait point", then("rpl_semi_sync_master_wait_point", mysql8026, "rpl_semi_sync_source_wait_point"), always("rpl_semi_sync_master_wait_point")},
	SemiSyncWaitAlone: {"semi-sync wait alone", then("rpl_semi_sync_master_wait_no_slave", mysql8026, "rpl_semi_sync_source_wait_no_replica"), always("rpl_semi_sync_master_wait_no_slave")},
	SemiSyncWaitCount: {"semi-sync wait count", then("rpl_semi_sync_master_wait_for_slave_count", mysql8026, "rpl_semi_sync_source_wait_for_replica_count"), nil},
	SemiSyncActive:    {"semi-sync active", then("Rpl_semi_sync_master_status", mysql8026, "Rpl_semi_sync_source_status"), always("Rpl_semi_sync_master_status")},
	SemiSyncClients:   {"semi-sync clients", then("Rpl_semi_sync_master_clients", mysql8026, "Rpl_semi_sync_source_clients"), always("Rpl_semi_sync_master_clients")},
	SemiSyncWaiting:   {"semi-sync waiting", then("Rpl_semi_sync_master_wait_sessions", mysql8026, "Rpl_semi_sync_source_wait_sessions"), always("Rpl_semi_sync_master_wait_sessions")},
	SemiSyncUnacked:   {"semi-sync unacked", then("Rpl_semi_sync_master_no_tx", mysql8026, "Rpl_semi_sync_source_no_tx"), always("Rpl_semi_sync_master_no_tx")},

	DisableEvent: {"disable event", then("DISABLE ON SLAVE", mysql82, "DISABLE ON REPLICA"), always("DISABLE ON SLAVE")},
}
