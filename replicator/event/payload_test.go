package event_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/bellwether-db/bellwether/replicator/event"
)

// payloadOf is a TRANSACTION_PAYLOAD without a checksum: its fields, and then the
// events, compressed or not.
func payloadOf(t testing.TB, compress bool, events []byte) event.Event {
	t.Helper()
	body := append([]byte{2, 3, 0xfc, 255, 0, 3, 3, 0xfc, byte(len(events)), byte(len(events) >> 8), 0}, events...)
	if compress {
		w, err := zstd.NewWriter(nil)
		if err != nil {
			t.Fatal(err)
		}
		body = w.EncodeAll(events, []byte{2, 1, 0, 3, 3, 0xfc, byte(len(events)), byte(len(events) >> 8), 0})
	}
	return header(event.TransactionPayload, body)
}

func header(kind event.Type, body []byte) event.Event {
	e := make([]byte, event.HeaderSize, event.HeaderSize+len(body))
	e[4] = byte(kind)
	binary.LittleEndian.PutUint32(e[9:], uint32(cap(e)))
	return append(e, body...)
}

func TestUnpack(t *testing.T) {
	begin := header(event.Query, append([]byte{57, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, "BEGIN"...))
	events := append(bytes.Clone(begin), header(event.TableMap, bytes.Repeat([]byte("rows"), 9000))...)
	var u event.Unpacker
	for _, compress := range []bool{true, false, true} {
		e := payloadOf(t, compress, events)
		if thread, err := u.Thread(e, false); thread != 256+57 || err != nil {
			t.Errorf("compressed %t: thread %d, %v", compress, thread, err)
		}
		if got, err := u.All(e, false, len(events)); !bytes.Equal(got, events) || err != nil {
			t.Errorf("%d bytes of %d, %v", len(got), len(events), err)
		}
		if _, err := u.All(e, false, len(events)-1); !errors.Is(err, event.ErrTooLong) {
			t.Errorf("more than was asked for: %v", err)
		}
		for cut := range min(40, len(e)-event.HeaderSize) {
			if _, err := u.Thread(e[:event.HeaderSize+cut], false); err != nil && !errors.Is(err, event.ErrMalformed) {
				t.Errorf("cut at %d: %v", cut, err)
			}
		}
	}
	if _, err := u.Thread(payloadOf(t, true, header(event.TableMap, nil)), false); !errors.Is(err, event.ErrMalformed) {
		t.Errorf("no query first: %v", err)
	}
}

// FuzzUnpack gives any bytes to the reader of compressed transactions.
func FuzzUnpack(f *testing.F) {
	f.Add([]byte(payloadOf(f, true, header(event.Query, make([]byte, 14)))))
	for _, e := range split(f, binlog(f, "mysql.binlog")) {
		if e.Type() == event.TransactionPayload {
			f.Add([]byte(e))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) < event.HeaderSize {
			return
		}
		var u event.Unpacker
		for _, checksum := range []bool{false, true} {
			_, err := u.Thread(event.Event(raw), checksum)
			promised(t, err, event.ErrMalformed)
			out, err := u.All(event.Event(raw), checksum, 1<<16)
			promised(t, err, event.ErrMalformed, event.ErrTooLong)
			if len(out) > 1<<16 {
				t.Fatalf("%d bytes", len(out))
			}
		}
	})
}
