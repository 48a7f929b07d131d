// Package outcome remembers which connection wrote what, so that one whose answer
// was lost can be told how it ended.
//
// An Index is told each event that is appended to the stored log. On MySQL a
// transaction's first query has the id of the connection that wrote it, and so
// has a definition on MariaDB; the rows of a MariaDB have the statement's text,
// in front of which the proxy puts a mark. Of each connection the last
// transaction is kept, and where it stands; what it changed is read from there
// when somebody asks.
//
// It never guesses: thread ids begin anew with the server, connections are
// forgotten where there are too many, a compressed transaction that cannot be read
// may be anybody's. Whatever could be taken for something else is Ambiguous.
package outcome
