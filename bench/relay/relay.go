// Package relay is a bare TCP relay in Go: bytes in, bytes out, and no idea of
// SQL. It shows what of a Go proxy's processor time is the price of moving
// bytes between two sockets with Go's scheduler, before any thought.
package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// bufferSize is that of each direction of each connection.
const bufferSize = 16 << 10

// Serve takes connections from ln and joins each to one of its own to target
// (host:port) until ctx ends; then it closes them all and returns nil. It
// owns ln.
func Serve(ctx context.Context, ln net.Listener, target string) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer ln.Close()
	stop := context.AfterFunc(ctx, func() { ln.Close() })
	defer stop()
	for {
		client, err := ln.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("accept: %w", err)
		}
		wg.Go(func() { join(ctx, client, target) })
	}
}

// join relays both ways until either side ends. Broken connections are the
// business of the two ends, so nothing is reported.
func join(ctx context.Context, client net.Conn, target string) {
	defer client.Close()
	var d net.Dialer
	server, err := d.DialContext(ctx, "tcp", target)
	if err != nil {
		return
	}
	defer server.Close()
	stop := context.AfterFunc(ctx, func() {
		client.Close()
		server.Close()
	})
	defer stop()
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = pump(server, client)
		server.Close()
	})
	_ = pump(client, server)
	client.Close()
	wg.Wait()
}

// pump moves bytes with plain reads and writes. io.Copy would splice, which is
// slower for small messages, and a proxy that looks at packets cannot.
func pump(dst io.Writer, src io.Reader) error {
	buf := make([]byte, bufferSize)
	for {
		n, err := src.Read(buf)
		if n > 0 {
			if _, werr := dst.Write(buf[:n]); werr != nil {
				return werr
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
