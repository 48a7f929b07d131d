package wire

import (
	"math/bits"
	"strconv"
	"strings"
)

// Capability is the set of protocol features that a client and a server agree
// on in the handshake (group__group__cs__capabilities__flags). Zero means that
// nothing is known.
type Capability uint32

// The capability flags of MySQL. MariaDB uses the same values, except that it
// reads ClientLongPassword's bit as CLIENT_MYSQL: a server that leaves it unset
// announces MariaDB's extended capabilities.
const (
	ClientLongPassword              Capability = 1 << 0
	ClientFoundRows                 Capability = 1 << 1
	ClientLongFlag                  Capability = 1 << 2
	ClientConnectWithDB             Capability = 1 << 3
	ClientNoSchema                  Capability = 1 << 4
	ClientCompress                  Capability = 1 << 5
	ClientODBC                      Capability = 1 << 6
	ClientLocalFiles                Capability = 1 << 7
	ClientIgnoreSpace               Capability = 1 << 8
	ClientProtocol41                Capability = 1 << 9
	ClientInteractive               Capability = 1 << 10
	ClientSSL                       Capability = 1 << 11
	ClientIgnoreSigpipe             Capability = 1 << 12
	ClientTransactions              Capability = 1 << 13
	ClientReserved                  Capability = 1 << 14
	ClientSecureConnection          Capability = 1 << 15
	ClientMultiStatements           Capability = 1 << 16
	ClientMultiResults              Capability = 1 << 17
	ClientPSMultiResults            Capability = 1 << 18
	ClientPluginAuth                Capability = 1 << 19
	ClientConnectAttrs              Capability = 1 << 20
	ClientPluginAuthLenencData      Capability = 1 << 21
	ClientCanHandleExpiredPasswords Capability = 1 << 22
	ClientSessionTrack              Capability = 1 << 23
	ClientDeprecateEOF              Capability = 1 << 24
	ClientOptionalResultsetMetadata Capability = 1 << 25
	ClientZstdCompressionAlgorithm  Capability = 1 << 26
	ClientQueryAttributes           Capability = 1 << 27
	ClientMultiFactorAuthentication Capability = 1 << 28
	ClientCapabilityExtension       Capability = 1 << 29
	ClientSSLVerifyServerCert       Capability = 1 << 30
	ClientRememberOptions           Capability = 1 << 31
	clientRequired                             = ClientProtocol41 | ClientSecureConnection | ClientPluginAuth
	clientHandshake                            = clientRequired | ClientPluginAuthLenencData | ClientConnectAttrs
)

// Offered is what a greeting may offer to clients. Left out, because nothing
// here handles it yet: compression, query attributes, optional metadata,
// multi-factor authentication, sandboxed sessions of expired passwords, and
// MariaDB's extended capabilities (ClientLongPassword's bit is therefore set).
// ClientNoSchema, with which MariaDB refuses database.table, nobody asks for.
const Offered = ClientLongPassword | ClientFoundRows | ClientLongFlag | ClientConnectWithDB |
	ClientODBC | ClientLocalFiles | ClientIgnoreSpace | ClientProtocol41 |
	ClientInteractive | ClientSSL | ClientTransactions | ClientReserved | ClientSecureConnection |
	ClientMultiStatements | ClientMultiResults | ClientPSMultiResults | ClientPluginAuth |
	ClientConnectAttrs | ClientPluginAuthLenencData | ClientSessionTrack | ClientDeprecateEOF

// Semantic are the capabilities that change what a client's statements do or
// answer: a connection to a node serves a client only if both have the same of
// these. The rest concern the form of packets or the login.
const Semantic = ClientFoundRows | ClientODBC | ClientIgnoreSpace | ClientInteractive

var capabilityNames = [32]string{
	"LONG_PASSWORD", "FOUND_ROWS", "LONG_FLAG", "CONNECT_WITH_DB", "NO_SCHEMA", "COMPRESS", "ODBC",
	"LOCAL_FILES", "IGNORE_SPACE", "PROTOCOL_41", "INTERACTIVE", "SSL", "IGNORE_SIGPIPE", "TRANSACTIONS",
	"RESERVED", "SECURE_CONNECTION", "MULTI_STATEMENTS", "MULTI_RESULTS", "PS_MULTI_RESULTS", "PLUGIN_AUTH",
	"CONNECT_ATTRS", "PLUGIN_AUTH_LENENC_DATA", "CAN_HANDLE_EXPIRED_PASSWORDS", "SESSION_TRACK",
	"DEPRECATE_EOF", "OPTIONAL_RESULTSET_METADATA", "ZSTD_COMPRESSION_ALGORITHM", "QUERY_ATTRIBUTES",
	"MULTI_FACTOR_AUTHENTICATION", "CAPABILITY_EXTENSION", "SSL_VERIFY_SERVER_CERT", "REMEMBER_OPTIONS",
}

// Has reports whether every flag of want is set.
func (c Capability) Has(want Capability) bool { return c&want == want }

// String names the flags, without their CLIENT_ prefix, joined by bars.
func (c Capability) String() string {
	if c == 0 {
		return "0"
	}
	var b strings.Builder
	for rest := uint32(c); rest != 0; rest &= rest - 1 {
		if b.Len() > 0 {
			b.WriteByte('|')
		}
		b.WriteString(capabilityNames[bits.TrailingZeros32(rest)])
	}
	return b.String()
}

// The server status flags that OK and EOF packets carry (SERVER_STATUS_flags_enum).
const (
	StatusInTransaction       uint16 = 1 << 0
	StatusAutocommit          uint16 = 1 << 1
	StatusMoreResults         uint16 = 1 << 3
	StatusNoGoodIndexUsed     uint16 = 1 << 4
	StatusNoIndexUsed         uint16 = 1 << 5
	StatusCursorExists        uint16 = 1 << 6
	StatusLastRowSent         uint16 = 1 << 7
	StatusDatabaseDropped     uint16 = 1 << 8
	StatusNoBackslashEscapes  uint16 = 1 << 9
	StatusMetadataChanged     uint16 = 1 << 10
	StatusQueryWasSlow        uint16 = 1 << 11
	StatusOutParameters       uint16 = 1 << 12
	StatusInReadOnly          uint16 = 1 << 13 // in a read-only transaction
	StatusSessionStateChanged uint16 = 1 << 14
	StatusANSIQuotes          uint16 = 1 << 15 // MariaDB only
)

// Command is the first byte of a command packet (enum_server_command). Its zero
// value is COM_SLEEP, which no client may send.
type Command byte

// The commands of the protocol.
const (
	ComSleep            Command = 0x00
	ComQuit             Command = 0x01
	ComInitDB           Command = 0x02
	ComQuery            Command = 0x03
	ComFieldList        Command = 0x04
	ComCreateDB         Command = 0x05
	ComDropDB           Command = 0x06
	ComRefresh          Command = 0x07
	ComShutdown         Command = 0x08
	ComStatistics       Command = 0x09
	ComProcessInfo      Command = 0x0a
	ComConnect          Command = 0x0b
	ComProcessKill      Command = 0x0c
	ComDebug            Command = 0x0d
	ComPing             Command = 0x0e
	ComTime             Command = 0x0f
	ComDelayedInsert    Command = 0x10
	ComChangeUser       Command = 0x11
	ComBinlogDump       Command = 0x12
	ComTableDump        Command = 0x13
	ComConnectOut       Command = 0x14
	ComRegisterSlave    Command = 0x15
	ComStmtPrepare      Command = 0x16
	ComStmtExecute      Command = 0x17
	ComStmtSendLongData Command = 0x18
	ComStmtClose        Command = 0x19
	ComStmtReset        Command = 0x1a
	ComSetOption        Command = 0x1b
	ComStmtFetch        Command = 0x1c
	ComDaemon           Command = 0x1d
	ComBinlogDumpGTID   Command = 0x1e
	ComResetConnection  Command = 0x1f
	ComClone            Command = 0x20
	ComSubscribeGroup   Command = 0x21
)

var commandNames = [...]string{
	"sleep", "quit", "init-db", "query", "field-list", "create-db", "drop-db", "refresh", "shutdown",
	"statistics", "process-info", "connect", "process-kill", "debug", "ping", "time", "delayed-insert",
	"change-user", "binlog-dump", "table-dump", "connect-out", "register-slave", "stmt-prepare",
	"stmt-execute", "stmt-send-long-data", "stmt-close", "stmt-reset", "set-option", "stmt-fetch",
	"daemon", "binlog-dump-gtid", "reset-connection", "clone", "subscribe-group-replication-stream",
}

// String names the command in kebab-case, without its COM_ prefix.
func (c Command) String() string {
	if int(c) < len(commandNames) {
		return commandNames[c]
	}
	return "command-" + strconv.Itoa(int(c))
}

// The values of COM_SET_OPTION's argument (enum_mysql_set_option).
const (
	OptionMultiStatementsOn  uint16 = 0
	OptionMultiStatementsOff uint16 = 1
)
