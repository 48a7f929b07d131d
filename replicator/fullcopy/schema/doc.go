// Package schema reads what there is on a server, exactly enough to make it
// again on another one and to compare it: databases, tables with their columns
// and keys, sequences, views, routines, triggers, events.
//
// It also knows how each type of column is read and loaded without loss, how
// a table is cut into ranges of its primary key, and how the rows of a range
// are digested on the server. That part is pure.
//
// It changes nothing on a server except what Definition.Make is asked to make.
//
// Sources: MySQL's manual, "INFORMATION_SCHEMA Tables", "SHOW Statements",
// "LOAD DATA Statement"; MariaDB's knowledge base, the same pages, and
// "System-Versioned Tables"; and what MySQL 9.7 and MariaDB 10.11 do.
package schema
