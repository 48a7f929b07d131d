package upstream

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// readable says whether a read of nc would have bytes at once. What a TLS
// connection keeps to itself is not seen; that costs a smaller group.
func readable(nc net.Conn) bool {
	if t, ok := nc.(interface{ NetConn() net.Conn }); ok {
		nc = t.NetConn()
	}
	socket, ok := nc.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return false
	}
	ready := false
	err = raw.Control(func(fd uintptr) {
		p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(p, 0)
		ready = err == nil && n == 1 && p[0].Revents&unix.POLLIN != 0
	})
	return err == nil && ready
}
