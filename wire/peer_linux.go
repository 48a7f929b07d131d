package wire

import "golang.org/x/sys/unix"

// PeerGone reports whether the peer has closed its side of a socket, bytes
// that it sent before notwithstanding. It may be called from another
// goroutine; on transports that are not sockets it says no.
func (c *Conn) PeerGone() bool {
	return c.poll(unix.POLLRDHUP) != 0
}

// Quiet reports whether the peer owes and sends nothing: the connection is
// open and there is nothing to read. A connection that waits in a pool is
// asked before it is used again.
func (c *Conn) Quiet() bool {
	return c.Buffered() == 0 && c.poll(unix.POLLIN|unix.POLLRDHUP) == 0
}

func (c *Conn) poll(events int16) (got int16) {
	raw := rawSocket(socketBelow(c.nc))
	if raw == nil {
		return 0
	}
	if err := raw.Control(func(fd uintptr) {
		p := []unix.PollFd{{Fd: int32(fd), Events: events}}
		if n, err := unix.Poll(p, 0); err == nil && n > 0 {
			got = p[0].Revents
		}
	}); err != nil {
		return unix.POLLNVAL
	}
	return got
}
