package playground

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// Relay is a TCP relay with a network that can be cut: it listens on one
// loopback address and forwards to another, byte for byte, and counts nothing.
// Its methods may be called concurrently.
//
// While a direction is cut, its bytes stop without a FIN or a reset, from the
// instant that the cut returns, and new connections are accepted (the kernel
// does that) but nothing answers; mended, everything held goes on, as after a
// real cut shorter than TCP's patience. Where nobody listens at the target,
// a client's connection is reset.
type Relay struct {
	listener *net.TCPListener
	target   string
	toNode   *gate
	fromNode *gate

	mu    sync.Mutex
	conns map[*net.TCPConn]struct{}
	pairs map[string]pair // by the relay's own address towards the node
}

// pair is the two sides of one connection.
type pair struct{ client, node *net.TCPConn }

// NewRelay listens on an address ("127.0.0.1:0" for any port). Run forwards.
func NewRelay(listen, target string) (*Relay, error) {
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, fmt.Errorf("listen for relay: %w", err)
	}
	return &Relay{
		listener: listener.(*net.TCPListener),
		target:   target,
		toNode:   newGate(),
		fromNode: newGate(),
		conns:    map[*net.TCPConn]struct{}{},
		pairs:    map[string]pair{},
	}, nil
}

// Addr is the host:port that clients use.
func (r *Relay) Addr() string { return r.listener.Addr().String() }

// Run forwards until the context ends, then closes the listener and all
// connections and returns nil; any other end is an error.
func (r *Relay) Run(ctx context.Context) error {
	var pairs sync.WaitGroup
	defer pairs.Wait()
	defer r.Reset()
	defer r.close()
	defer context.AfterFunc(ctx, r.close)()
	for {
		conn, err := r.listener.AcceptTCP()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("accept on relay %s: %w", r.Addr(), err)
		}
		r.keep(conn)
		pairs.Go(func() { r.serve(ctx, conn) })
	}
}

func (r *Relay) close() {
	_ = r.listener.Close() // a second close fails, rightly
	r.toNode.close()
	r.fromNode.close()
	r.Reset()
}

// Cut stops the traffic of all connections, both ways.
func (r *Relay) Cut() { r.CutToNode(); r.CutFromNode() }

// CutToNode stops what clients send; answers still arrive.
func (r *Relay) CutToNode() { r.toNode.block() }

// CutFromNode stops what the node sends; it still hears its clients.
func (r *Relay) CutFromNode() { r.fromNode.block() }

// CutOne stops the traffic of one connection, both ways. from is what the node
// takes for the client's address: host:port.
func (r *Relay) CutOne(from string) {
	r.mu.Lock()
	pair := r.pairs[from]
	r.mu.Unlock()
	if pair.node != nil { // else it has gone
		r.toNode.blockOne(pair.node)
		r.fromNode.blockOne(pair.client)
	}
}

// Mend ends every cut.
func (r *Relay) Mend() { r.toNode.unblock(); r.fromNode.unblock() }

// Reset breaks all connections at once, with a reset on both sides, as a
// firewall that rejects them would.
func (r *Relay) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for conn := range r.conns {
		reset(conn)
	}
}

func (r *Relay) keep(conn *net.TCPConn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns[conn] = struct{}{}
}

func (r *Relay) drop(conn *net.TCPConn) {
	reset(conn)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, conn)
}

// reset closes a connection without a goodbye; on one that both sides have
// shut down already it only frees the socket.
func reset(conn *net.TCPConn) {
	_ = conn.SetLinger(0)
	_ = conn.Close()
}

func (r *Relay) serve(ctx context.Context, client *net.TCPConn) {
	defer r.drop(client)
	if !r.toNode.pass() || !r.fromNode.pass() {
		return
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", r.target)
	if err != nil {
		r.fromNode.pass()
		return // the client sees the reset
	}
	node := conn.(*net.TCPConn)
	r.keep(node)
	defer r.drop(node)
	if ctx.Err() != nil {
		return // closed between the dial and keep
	}
	defer r.couple(client, node)()
	r.pump(client, node)
}

// couple remembers what belongs together, until what it returns is called.
func (r *Relay) couple(client, node *net.TCPConn) func() {
	from := node.LocalAddr().String()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pairs[from] = pair{client, node}
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.pairs, from)
	}
}

// pump forwards both ways until both are at their end or one breaks. The
// sockets have TCP_NODELAY, Go's default.
func (r *Relay) pump(client, node *net.TCPConn) {
	var back sync.WaitGroup
	back.Go(func() { forward(client, node, r.fromNode, r.toNode) })
	forward(node, client, r.toNode, r.fromNode)
	back.Wait()
}

// chunk is what a direction reads at once, and all that it holds while cut.
const chunk = 16 << 10

// forward copies one direction until its end. A broken connection breaks the
// other, and so ends the other direction; each reset travels through the gate of
// its own direction, as every byte does.
func forward(dst, src *net.TCPConn, ahead, back *gate) {
	if err := copyThrough(dst, src, ahead); errors.Is(err, io.EOF) {
		return
	}
	_ = ahead.through(dst, func() error { reset(dst); return nil }) // a closed relay resets by itself
	_ = back.through(src, func() error { reset(src); return nil })
}

// copyThrough returns the error that ended the copy, io.EOF when src's end has
// been passed on. Every byte passes the gate after it has been read (so io.Copy
// will not do): what is sent after a cut never arrives before the mend.
func copyThrough(dst, src *net.TCPConn, g *gate) error {
	buffer := make([]byte, chunk)
	for {
		n, end := src.Read(buffer)
		if err := g.write(dst, buffer[:n]); err != nil {
			return err
		}
		if errors.Is(end, io.EOF) {
			_ = g.through(dst, dst.CloseWrite) // it has gone already where this fails
		}
		if end != nil {
			return end
		}
	}
}
