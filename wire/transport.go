package wire

import (
	"io"
	"net"
	"syscall"
)

// socketIO reads a plain socket without holding a buffer while it waits, and
// writes a request in the same step in which it begins to wait for the answer.
// All fields belong to the goroutine that uses the connection.
type socketIO struct {
	// Bound once, so that neither reading nor writing allocates.
	readable, writable func(fd uintptr) bool
	pending            []byte // to be written
	n                  int
	err                error
}

// rawSocket returns access to the descriptor of a plain TCP or unix socket,
// nil for everything else.
func rawSocket(nc net.Conn) syscall.RawConn {
	var raw syscall.RawConn
	switch s := nc.(type) {
	case *net.TCPConn:
		raw, _ = s.SyscallConn()
	case *net.UnixConn:
		raw, _ = s.SyscallConn()
	}
	return raw
}

func (s *socketIO) init(c *Conn) { s.readable, s.writable = c.onReadable, c.onWritable }

// write sends b whole. On a socket it spares the scheduler's bookkeeping for
// calls that may block; an idle process would pay for that with its monitor
// thread, which such a call wakes.
func (c *Conn) write(b []byte) error {
	if c.raw == nil {
		_, err := c.nc.Write(b)
		return err
	}
	c.io.pending, c.io.err = b, nil
	err := c.raw.Write(c.io.writable)
	c.io.pending = nil
	if err != nil {
		return err
	}
	return c.io.err
}

// onWritable writes what is pending; false waits until there is room.
func (c *Conn) onWritable(fd uintptr) bool {
	for len(c.io.pending) > 0 {
		n, errno := socketWrite(fd, c.io.pending)
		c.io.pending = c.io.pending[n:]
		if errno == syscall.EAGAIN {
			return false
		}
		if errno != 0 {
			c.io.err = errno
			return true
		}
	}
	return true
}

// readMore reads at least one byte behind in[w], waiting for it.
func (c *Conn) readMore() error {
	if c.raw == nil {
		return c.readTransport()
	}
	c.io.n, c.io.err = 0, nil
	if err := c.raw.Read(c.io.readable); err != nil {
		return err
	}
	c.w += c.io.n
	return c.io.err
}

// readTransport is readMore for TLS and anything else that is not a socket.
func (c *Conn) readTransport() error {
	if c.in == nil {
		n, err := c.nc.Read(c.head[:])
		if n > 0 {
			c.in = takeBuffer(smallBuffer)
			c.r, c.w = 0, copy(c.in, c.head[:n])
			return nil
		}
		return eof(err)
	}
	n, err := c.nc.Read(c.in[c.w:])
	if n > 0 {
		c.w += n
		return nil
	}
	return eof(err)
}

func eof(err error) error {
	if err == nil {
		return io.ErrNoProgress
	}
	return err
}

// onReadable is called by the runtime's poller with the descriptor: first at
// once, then each time that there is something to read. It returns false to
// wait (again).
func (c *Conn) onReadable(fd uintptr) bool {
	if len(c.io.pending) > 0 {
		n, errno := socketWrite(fd, c.io.pending)
		c.io.pending = c.io.pending[n:]
		if errno != 0 && errno != syscall.EAGAIN {
			c.io.err = errno
			return true
		}
		// A short write is finished by the caller in the ordinary way.
		if len(c.io.pending) > 0 {
			return true
		}
		// There can be no answer yet, but the peer may have hung up before the
		// poller was rearmed. It tells each thing once, so that who only waits
		// for the answer waits for ever: the read below finds the end.
	}
	if c.in == nil {
		c.in = takeBuffer(smallBuffer)
		c.r, c.w = 0, 0
	}
	n, errno := socketRead(fd, c.in[c.w:])
	switch {
	case errno == syscall.EAGAIN:
		if c.w == 0 {
			giveBuffer(c.in)
			c.in = nil
		}
		return false
	case errno != 0:
		c.io.err = errno
	case n == 0:
		c.io.err = io.EOF
	default:
		c.io.n = n
	}
	return true
}

// Exchange sends what is buffered and then request (framed already), and
// waits until the first bytes of the answer are in the buffer. It must be
// called only when the peer owes nothing from before.
//
// sent reports whether any byte of the request may have reached the peer, so
// that the caller knows whether the request is safe to repeat.
func (c *Conn) Exchange(request []byte) (sent bool, err error) {
	if c.raw == nil || c.w != c.r || len(request) == 0 && len(c.out) == 0 {
		if err := c.Send(request); err != nil {
			return true, err
		}
		return true, c.fill(1)
	}
	if len(c.out) > 0 {
		if err := c.WriteRaw(request); err != nil {
			return true, err
		}
		if request = c.out; len(request) == 0 {
			return true, c.fill(1) // too long to be buffered: it has left
		}
	}
	c.r, c.w = 0, 0
	c.io.pending, c.io.n, c.io.err = request, 0, nil
	err = c.raw.Read(c.io.readable)
	rest := c.io.pending
	c.io.pending = nil
	switch {
	case err != nil:
	case c.io.err != nil:
		err = c.io.err
	case len(rest) > 0:
		if err = c.write(rest); err == nil {
			err = c.fill(1)
		}
	default:
		c.w += c.io.n
	}
	if c.out != nil {
		c.out = c.out[:0]
	}
	return len(rest) < len(request), err
}

// socketBelow returns the socket under a TLS connection, and under whatever
// lies between.
func socketBelow(nc net.Conn) net.Conn {
	for {
		t, ok := nc.(interface{ NetConn() net.Conn })
		if !ok {
			return nc
		}
		nc = t.NetConn()
	}
}
