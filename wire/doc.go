// Package wire speaks the MySQL client/server protocol on a socket: framing,
// the handshake and authentication on both sides, TLS, and the packets that a
// proxy must read or make itself. It does not know what a statement means.
//
// # Who owns the bytes
//
// A decoder borrows: the byte slices in what it returns point into the payload
// it was given and live as long as that. An encoder appends to the slice it is
// given and returns it, as append does. Only what [Accept], [AcceptChangeUser]
// and [Dial] return is owned by the caller.
//
// # The handshake
//
// [Accept] greets a client and learns who it is without telling it the verdict:
// the caller logs in on a node with what was learned, and only then calls
// [Login.Succeed] or [Login.Fail]. What is learned is a [Secret]: the password
// (full authentication over TLS, a Unix socket or RSA), or just its SHA256 (the
// fast path of caching_sha2_password, when a verifier is known), or just its
// SHA1 (mysql_native_password). [Dial] takes a Secret and uses what is in it;
// where a node wants more than is there it returns [ErrNeedPassword], the client
// is asked through [Login.AskPassword], and the node is tried again.
//
// # Not here yet
//
// Compression, query attributes, optional metadata, multi-factor
// authentication and MariaDB's extended capabilities are not in [Offered] and so
// never come up.
//
// Sources: the MySQL source documentation (page_protocol_*) and MariaDB's
// clientserver-protocol pages; each type names its own.
package wire
