package playground

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports from 32768 on belong to the kernel's outgoing connections and may be
// taken at any moment, so a server that must get its port again after a
// restart does not live there.
const lowestPort, highestPort = 10000, 32767

func port(addr string) string {
	_, p, _ := net.SplitHostPort(addr) // addr is one that this package made
	return p
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// placeRelay listens for node number i, and says where its server is to
// listen: the relay's port plus one.
func placeRelay(basePort, i int) (*Relay, string, error) {
	if basePort != 0 {
		direct := loopback(basePort + 2*i + 1)
		relay, err := NewRelay(loopback(basePort+2*i), direct)
		return relay, direct, err
	}
	for range 100 {
		p := lowestPort + 2*rand.IntN((highestPort-lowestPort)/2)
		direct := loopback(p + 1)
		if !free(direct) {
			continue
		}
		if relay, err := NewRelay(loopback(p), direct); err == nil {
			return relay, direct, nil
		}
	}
	return nil, "", fmt.Errorf("place %s: %w", nodeName(i), errNoPort)
}

var errNoPort = errors.New("no two free ports in a row after 100 tries")

func free(addr string) bool {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return false
	}
	return listener.Close() == nil
}
