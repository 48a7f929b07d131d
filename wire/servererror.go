package wire

import (
	"encoding/binary"
	"fmt"
)

// Error codes of the servers that the proxy makes or tells apart itself
// (mysqlclient and server error reference).
const (
	CodeTooManyConnections  uint16 = 1040 // ER_CON_COUNT_ERROR
	CodeHandshakeError      uint16 = 1043 // ER_HANDSHAKE_ERROR
	CodeDatabaseDenied      uint16 = 1044 // ER_DBACCESS_DENIED_ERROR
	CodeAccessDenied        uint16 = 1045 // ER_ACCESS_DENIED_ERROR
	CodeUnknownCommand      uint16 = 1047 // ER_UNKNOWN_COM_ERROR
	CodeUnknownDatabase     uint16 = 1049 // ER_BAD_DB_ERROR
	CodeServerShutdown      uint16 = 1053 // ER_SERVER_SHUTDOWN
	CodeParse               uint16 = 1064 // ER_PARSE_ERROR
	CodeUnknown             uint16 = 1105 // ER_UNKNOWN_ERROR
	CodeHostBlocked         uint16 = 1129 // ER_HOST_IS_BLOCKED
	CodeHostNotPrivileged   uint16 = 1130 // ER_HOST_NOT_PRIVILEGED
	CodePacketTooLarge      uint16 = 1153 // ER_NET_PACKET_TOO_LARGE
	CodeUserConnections     uint16 = 1203 // ER_TOO_MANY_USER_CONNECTIONS
	CodeUnknownStatement    uint16 = 1243 // ER_UNKNOWN_STMT_HANDLER
	CodeAccountLocked       uint16 = 3118 // ER_ACCOUNT_HAS_BEEN_LOCKED
	CodeSecureTransportOnly uint16 = 3159 // ER_SECURE_TRANSPORT_REQUIRED
)

// ServerError is an ERR packet (page_protocol_basic_err_packet): what a server
// says, or what the proxy says in the same words. It owns its strings.
type ServerError struct {
	Code    uint16
	State   string // SQLSTATE of five characters; empty where the packet had none
	Message string
}

// Error formats the error as the mysql command line does.
func (e *ServerError) Error() string {
	if e.State == "" {
		return fmt.Sprintf("server error %d: %s", e.Code, e.Message)
	}
	return fmt.Sprintf("server error %d (%s): %s", e.Code, e.State, e.Message)
}

// ParseError reads an ERR packet, with or without SQLSTATE: before the handshake
// is done servers may leave it out.
func ParseError(payload []byte) (*ServerError, error) {
	r := reader{rest: payload}
	header, code := r.uint8(), r.uint16()
	if r.bad || header != HeaderError {
		return nil, ErrMalformed
	}
	e := &ServerError{Code: code}
	if len(r.rest) >= 6 && r.rest[0] == '#' {
		e.State = string(r.rest[1:6])
		r.bytes(6)
	}
	e.Message = string(r.rest)
	return e, nil
}

// AppendError appends the payload of an ERR packet. A State that is not five
// bytes long becomes the general HY000.
func AppendError(dst []byte, e *ServerError) []byte {
	state := e.State
	if len(state) != 5 {
		state = "HY000"
	}
	dst = binary.LittleEndian.AppendUint16(append(dst, HeaderError), e.Code)
	dst = append(append(dst, '#'), state...)
	return append(dst, e.Message...)
}
