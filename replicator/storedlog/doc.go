// Package storedlog keeps the master's binary log on disk: raw events, whole
// transactions, durable before anybody sees them.
package storedlog
