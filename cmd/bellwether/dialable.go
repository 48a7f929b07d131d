package main

import "net"

// dialable is an address of our own as we reach it ourselves: one that listens
// on every interface is reached over loopback.
func dialable(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return addr.String()
	}
	loopback := *tcp
	if loopback.IP = net.IPv6loopback; tcp.IP.To4() != nil {
		loopback.IP = net.IPv4(127, 0, 0, 1)
	}
	return loopback.String()
}
