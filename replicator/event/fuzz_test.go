package event_test

import (
	"errors"
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
)

// FuzzDecode gives any bytes, as one event and as a stream of them, to every
// decoder: they may refuse them with the errors that they promise, no more.
func FuzzDecode(f *testing.F) {
	for _, name := range []string{"mysql.binlog", "mariadb.binlog"} {
		raw := binlog(f, name)
		f.Add(raw[4:])
		for _, e := range split(f, raw) {
			f.Add([]byte(e))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		stream(t, raw)
		e, err := event.Check(raw)
		if err != nil {
			promised(t, err, event.ErrMalformed)
			return
		}
		e.ChecksumOK()
		_ = e.Type().String()
		_, err = event.ParseFormat(e)
		promised(t, err, event.ErrMalformed)
		event.WithoutCreated(e)
		for _, checksum := range []bool{false, true} {
			set, err := event.ParseSet(e, checksum)
			promised(t, err, event.ErrMalformed, cluster.ErrGTIDSyntax)
			if err == nil && set == nil {
				t.Fatal("a set was read that is unknown")
			}
		}
	})
}

// stream follows the events of raw and checks what every sound stream keeps.
func stream(t *testing.T, raw []byte) {
	tracker := event.NewTracker(event.Format{Checksum: len(raw)%2 == 0})
	var open cluster.GTID
	for len(raw) > 0 {
		e, err := event.Next(raw)
		if err != nil {
			promised(t, err, event.ErrMalformed)
			return
		}
		raw = raw[len(e):]
		m, err := tracker.Next(e)
		if err != nil {
			promised(t, err, event.ErrMalformed, event.ErrStream)
			return
		}
		switch m.Part {
		case event.Begin:
			open = m.GTID
		case event.Inside, event.End:
			if m.GTID != open {
				t.Fatalf("%s in %s", m.GTID, open)
			}
		case event.PartUnknown:
			t.Fatal("an event of no part")
		}
		if m.Part != event.Control && (m.GTID.IsZero() || tracker.Inside() == (m.Part == event.End)) {
			t.Fatalf("%v, inside %v", m, tracker.Inside())
		}
	}
}

func promised(t *testing.T, err error, want ...error) {
	t.Helper()
	for _, w := range want {
		if err == nil || errors.Is(err, w) {
			return
		}
	}
	t.Fatalf("an error that was not promised: %v", err)
}
