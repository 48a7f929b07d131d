package wire

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/iotest"
	"time"
)

// tlsPair is tcpPair under TLS.
func tlsPair(t *testing.T) (client, server net.Conn) {
	t.Helper()
	client, server = tcpPair(t)
	return tls.Client(client, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}), tls.Server(server, testIdentity().TLS)
}

// TestPacketSizes: packets of every size around a boundary arrive as they were.
func TestPacketSizes(t *testing.T) {
	sizes := []int{0, 1, smallBuffer - HeaderSize - 1, smallBuffer - HeaderSize, smallBuffer, largeBuffer - HeaderSize, largeBuffer,
		MaxPiece - 1, MaxPiece, 2*MaxPiece + 7, 3}
	for name, pair := range map[string]func(*testing.T) (net.Conn, net.Conn){"plain": tcpPair, "tls": tlsPair} {
		t.Run(name, func(t *testing.T) {
			client, server := pair(t)
			_ = client.SetDeadline(time.Now().Add(time.Minute))
			_ = server.SetDeadline(time.Now().Add(time.Minute))
			var wg sync.WaitGroup
			defer wg.Wait()
			defer server.Close() // wakes the writer where the reader has failed
			wg.Go(func() { writeSizes(t, NewConn(client), sizes) })
			c := NewConn(server)
			for _, size := range sizes {
				p, err := c.ReadPacket()
				if err != nil {
					t.Fatalf("%d bytes: %v", size, err)
				}
				if !bytes.Equal(p, pattern(size)) {
					t.Fatalf("%d bytes arrived as %d others", size, len(p))
				}
			}
		})
	}
}

func writeSizes(t *testing.T, c *Conn, sizes []int) {
	for i, size := range sizes {
		if err := c.WritePacket(pattern(size)); err != nil {
			t.Error(err)
		}
		if i%3 == 2 || i == len(sizes)-1 { // several packets in one write too
			if err := c.Flush(); err != nil {
				t.Error(err)
			}
		}
	}
}

// pattern returns size bytes that differ from place to place; not to be changed.
func pattern(size int) []byte { return longPattern()[:size:size] }

var longPattern = sync.OnceValue(func() []byte {
	p := make([]byte, 2*MaxPiece+7)
	for i := range p {
		p[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return p
})

// TestPacketsByteByByte: how the bytes are cut on their way does not matter.
func TestPacketsByteByByte(t *testing.T) {
	all := append(frames(0, []byte("one")), frames(1, nil)...)
	all = append(all, frames(2, pattern(3000))...)
	c := NewConn(&deafConn{says: iotest.OneByteReader(bytes.NewReader(all))})
	for _, want := range [][]byte{[]byte("one"), {}, pattern(3000)} {
		if p, err := c.ReadPacket(); err != nil || !bytes.Equal(p, want) {
			t.Fatalf("%q, %v", p, err)
		}
	}
	if _, err := c.ReadPacket(); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
}

func TestFramingRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		bytes []byte
		want  error
	}{
		"a wrong number": {[]byte{1, 0, 0, 1, 'a'}, ErrSequence},
		"too much":       {[]byte{0, 0, 1, 0, 'a'}, ErrPacketTooLarge},
		"a cut header":   {[]byte{1, 0}, io.ErrUnexpectedEOF},
		"a cut payload":  {[]byte{2, 0, 0, 0, 'a'}, io.ErrUnexpectedEOF},
	} {
		c := NewConn(&deafConn{says: bytes.NewReader(tc.bytes)})
		c.SetMaxPacket(1000)
		_, err := c.ReadPacket()
		if !errors.Is(err, tc.want) && !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			t.Errorf("%s passed", name)
		}
	}
}

// FuzzReadPacket: whatever arrives, reading ends.
func FuzzReadPacket(f *testing.F) {
	f.Add(frames(0, []byte("a"), []byte("b")))
	f.Add([]byte{0xff, 0xff, 0xff, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		c := NewConn(&deafConn{says: bytes.NewReader(data)})
		total := 0
		for {
			p, err := c.ReadPacket()
			if err != nil {
				break
			}
			if total += len(p); total > len(data) {
				t.Fatal("more came out than went in")
			}
		}
		_ = c.TakeBuffered()
		c.Release()
	})
}
