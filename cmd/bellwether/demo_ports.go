package main

import (
	"net"
	"strconv"
)

// demoBasePort is where the servers' ports begin.
const demoBasePort = 3310

// documentPorts are the ports of the nodes' own REST addresses with the default
// base port: the slaves' are those of the document that the calls come from.
var documentPorts = [...]int{8010, 8009, 8002}

// log is the address that slaves replicate from: the port behind the servers'.
func (o demoOptions) log() string {
	port := o.basePort
	if port != 0 {
		port += 2 * (o.slaves + 1)
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

// rest is the address of the calls for one node, by its place.
func (o demoOptions) rest(i int) string {
	port := 0
	switch {
	case o.basePort == demoBasePort && i < len(documentPorts):
		port = documentPorts[i]
	case o.basePort == demoBasePort:
		port = documentPorts[0] + 1 + i - len(documentPorts)
	case o.basePort != 0:
		port = o.basePort + 2*(o.slaves+1) + 1 + i
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}
