// Package errant keeps what only one server has: its transactions as raw events,
// in files that mysqlbinlog and mariadb-binlog read, and as SQL for people.
//
// It reads the server's binary log from behind what others have, as a slave
// would, and acknowledges nothing. In the same way it keeps what only the stored
// log has, where a master is promoted without it.
package errant
