// Package rawmysql is a lean MySQL client for load: it logs in, sends a
// statement, and drains the answer without looking at its values. After the
// login it allocates nothing, so that the time and the memory that the
// benchmark sees are those of the servers and the proxies, not of the client.
//
// It speaks protocol 4.1 with CLIENT_DEPRECATE_EOF over plain TCP, to MySQL
// and to MariaDB: mysql_native_password, and caching_sha2_password by its fast
// path and by RSA. It is no client for an application: it keeps no row.
package rawmysql
