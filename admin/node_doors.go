package admin

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
)

// door is the address of one node. It is a value once it is open.
type door struct {
	key      string
	listener net.Listener
	server   *http.Server
}

// doorKey is what an address is known by while it is open, so that a reload may
// give it to another node without closing it. One of port 0 is its node's.
func doorKey(n NodeAddress) string {
	if strings.HasSuffix(n.Listen, ":0") {
		return n.Name + "@" + n.Listen
	}
	return n.Listen
}

// doors are the addresses of the nodes that are open. Any number of goroutines
// may use them; the zero value has none.
type doors struct {
	mu      sync.Mutex
	open    map[string]*door
	serving bool // Run has begun
	closed  bool // and ended
	serves  sync.WaitGroup
}

// Prepare takes the nodes' addresses of another configuration that are not open
// yet, so that a mistake is known before anything changes. Exactly one of the two
// is called then: take has Configure find them, drop gives them back.
func (s *Server) Prepare(next Config) (take, drop func(), err error) {
	d := &s.doors
	d.mu.Lock()
	defer d.mu.Unlock()
	var fresh []*door
	drop = func() {
		for _, one := range fresh {
			_ = one.listener.Close() // nobody was told of it
		}
	}
	for _, n := range next.Nodes {
		key := doorKey(n)
		if d.open[key] != nil {
			continue
		}
		listener, err := net.Listen("tcp", n.Listen)
		if err != nil {
			drop()
			return nil, nil, fmt.Errorf("listen for rest of node %s: %w", n.Name, err)
		}
		fresh = append(fresh, s.newDoor(key, listener))
	}
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		for _, one := range fresh {
			s.openDoor(one)
		}
	}, drop, nil
}

// listenForNodes takes the nodes' addresses at the start.
func (s *Server) listenForNodes() error {
	take, _, err := s.Prepare(*s.settings())
	if err == nil {
		take()
	}
	return err
}

func (s *Server) newDoor(key string, listener net.Listener) *door {
	one := &door{key: key, listener: lenient{Listener: listener, tls: func() *tls.Config { return s.settings().TLS }}}
	one.server = s.httpServer(s.nodeHandler(func() string { return s.nodeAt(key) }))
	return one
}

// openDoor has a door served, once Run does. The lock is held.
func (s *Server) openDoor(one *door) {
	d := &s.doors
	if d.closed {
		_ = one.listener.Close() // everything ends
		return
	}
	if d.open == nil {
		d.open = map[string]*door{}
	}
	d.open[one.key] = one
	if d.serving {
		s.serveDoor(one)
	}
}

// serveDoor serves a door until it is closed; who calls waits for doors.serves.
func (s *Server) serveDoor(one *door) {
	s.doors.serves.Go(func() {
		if err := one.server.Serve(one.listener); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			s.parts.Logger.Error("a node's address is not served any more", "address", one.listener.Addr(), "error", err)
		}
	})
}

// serveDoors serves the nodes' addresses from now on.
func (s *Server) serveDoors() {
	d := &s.doors
	d.mu.Lock()
	defer d.mu.Unlock()
	d.serving = true
	for _, one := range d.open {
		s.serveDoor(one)
	}
}

// keepDoors closes the addresses that no node has any more, and lets their
// requests end for a bounded time.
func (s *Server) keepDoors(nodes []NodeAddress) {
	wanted := map[string]bool{}
	for _, n := range nodes {
		wanted[doorKey(n)] = true
	}
	d := &s.doors
	d.mu.Lock()
	defer d.mu.Unlock()
	for key, one := range d.open {
		if wanted[key] {
			continue
		}
		delete(d.open, key)
		_ = one.listener.Close() // at once: another process may want it
		d.serves.Go(func() { stopHTTP(one.server) })
	}
}

// closeDoors closes all of them for good, and waits until what they served ended.
func (s *Server) closeDoors() {
	d := &s.doors
	d.mu.Lock()
	d.closed = true
	for _, one := range d.open {
		_ = one.listener.Close() // it is served no more, or never was
		d.serves.Go(func() { stopHTTP(one.server) })
	}
	d.open = nil
	d.mu.Unlock()
	d.serves.Wait()
}

// stopHTTP lets open requests finish for a bounded time.
func stopHTTP(server *http.Server) {
	bound, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if errors.Is(server.Shutdown(bound), context.DeadlineExceeded) {
		_ = server.Close() // those that are left have had their time
	}
}

// nodeAt is the node whose address a door is now, "" for none any more.
func (s *Server) nodeAt(key string) string {
	for _, n := range s.settings().Nodes {
		if doorKey(n) == key {
			return n.Name
		}
	}
	return ""
}

// NodeAddr returns the address that answers for a node, as host:port; "" where it
// has none. Any goroutine may call it.
func (s *Server) NodeAddr(name string) string {
	d := &s.doors
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, n := range s.settings().Nodes {
		if one := d.open[doorKey(n)]; n.Name == name && one != nil {
			return one.listener.Addr().String()
		}
	}
	return ""
}
