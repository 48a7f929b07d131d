// Package rowimage reads the rows that a binary log holds: which table a
// TABLE_MAP event names and what its columns are like, and the values of each row
// that was written, updated or deleted. It is for people who want to see a
// transaction, and for telling how a statement ended; nothing is replicated by
// it.
//
// Sources: MySQL's libs/mysql/binlog/event/rows_event.h, sql/log_event.cc
// (log_event_print_value), strings/decimal.cc and sql-common/json_binary.h;
// MariaDB's knowledge base, "Table_map_event", "Rows_event", "Compressed binlog
// events".
package rowimage
