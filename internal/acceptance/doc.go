// Package acceptance drives the built product from outside, on real servers of
// both flavours: what a client gets through the proxy must be what a server
// gives, and what the issues promise must be seen to happen. It holds tests
// only; it needs the servers that scripts/servers.sh fetches.
package acceptance
