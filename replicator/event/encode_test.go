package event_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
)

func stampOf(e event.Event) event.Stamp {
	return event.Stamp{ServerID: e.ServerID(), LogPos: e.LogPos(), Timestamp: e.Timestamp(), Flags: e.Flags(), Checksum: true}
}

// What servers wrote is encoded again from what it says, byte for byte.
func TestEncodersAgainstServers(t *testing.T) {
	for _, name := range []string{"mysql.binlog", "mariadb.binlog"} {
		for _, e := range split(t, binlog(t, name)) {
			var again event.Event
			switch e.Type() {
			case event.Rotate:
				again = event.AppendRotate(nil, string(e[event.HeaderSize+8:len(e)-4]), 4, stampOf(e))
			case event.PreviousGTIDs, event.MariaGTIDList:
				again = encodeSet(t, e)
			default:
				continue
			}
			if !bytes.Equal(again, e) {
				t.Errorf("%s: %s\n%x, want\n%x", name, e.Type(), []byte(again), []byte(e))
			}
		}
	}
}

func encodeSet(t *testing.T, e event.Event) event.Event {
	set, err := event.ParseSet(e, true)
	if err != nil {
		t.Fatal(err)
	}
	if e.Type() == event.PreviousGTIDs {
		return event.AppendPreviousGTIDs(nil, set, stampOf(e))
	}
	return event.AppendGTIDList(nil, set, stampOf(e))
}

func TestSetsRoundTrip(t *testing.T) {
	for text, flavour := range map[string]cluster.Flavour{
		"3e11fa47-71ca-11e1-9e33-c80aa9429562:1-3:tag:9": cluster.FlavourMySQL, "0-1-5,7-2-9": cluster.FlavourMariaDB,
	} {
		set, err := cluster.ParseGTIDSet(flavour, text)
		if err != nil {
			t.Fatal(err)
		}
		for _, checksum := range []bool{false, true} {
			h := event.Stamp{ServerID: 7, LogPos: 99, Timestamp: 5, Checksum: checksum}
			e := event.Event(event.AppendGTIDList([]byte("before"), set, h)[6:])
			if flavour == cluster.FlavourMySQL {
				e = event.AppendPreviousGTIDs(nil, set, h)
			}
			if _, err := event.Check(e); err != nil || e.ChecksumOK() != checksum || e.ServerID() != 7 || e.LogPos() != 99 {
				t.Errorf("%x: %v, checksum %v", []byte(e), err, e.ChecksumOK())
			}
			if got, err := event.ParseSet(e, checksum); err != nil || got.String() != text {
				t.Errorf("%s came back as %s, %v", text, got, err)
			}
		}
	}
}

func TestHeartbeat(t *testing.T) {
	const file = "binlog.000001"
	body := func(e []byte) string { return hex.EncodeToString(e[event.HeaderSize:]) }
	name := hex.EncodeToString([]byte(file))
	v1 := event.Event(event.AppendHeartbeat(nil, false, file, 1<<40, event.Stamp{}))
	if v1.Type() != event.Heartbeat || v1.LogPos() != 1<<32-1 || body(v1) != name {
		t.Errorf("%x", []byte(v1))
	}
	for pos, want := range map[uint64]string{
		4: "0104", 300: "03fc2c01", 1 << 20: "04fd000010", 1 << 40: "09fe0000000000010000",
	} {
		v2 := event.Event(event.AppendHeartbeat(nil, true, file, pos, event.Stamp{}))
		if v2.Type() != event.HeartbeatV2 || v2.LogPos() != 0 || body(v2) != "010d"+name+"02"+want+"00" {
			t.Errorf("%d: %s", pos, body(v2))
		}
	}
}

func TestFormat(t *testing.T) {
	for name, maria := range map[string]bool{"mysql.binlog": false, "mariadb.binlog": true} {
		e := split(t, binlog(t, name))[0]
		f, err := event.ParseFormat(e)
		if err != nil || !f.Checksum || f.MariaDB != maria || f.Version == "" {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
		started := event.Event(slices.Clone(e))
		binary.LittleEndian.PutUint32(started[event.HeaderSize+52:], 77)
		if f, err := event.ParseFormat(started); err != nil || f.Created != 77 || started.ChecksumOK() {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
		if calm := event.WithoutCreated(started); !calm.ChecksumOK() || !bytes.Equal(calm, event.WithoutCreated(e)) {
			t.Errorf("%s: %x", name, []byte(calm))
		}
		for cut := range len(e) - 1 {
			if f, err := event.ParseFormat(e[:cut]); err == nil && cut < event.HeaderSize+57 {
				t.Errorf("%s cut at %d: %+v", name, cut, f)
			}
		}
	}
}

func TestChecksum(t *testing.T) {
	for _, name := range []string{"mysql.binlog", "mariadb.binlog"} {
		for _, e := range split(t, binlog(t, name)) {
			for _, at := range []int{4, len(e) / 2, len(e) - 1} {
				e[at] ^= 0x10
				if e.ChecksumOK() {
					t.Errorf("%s: %s with a bit turned at %d has a right checksum", name, e.Type(), at)
				}
				e[at] ^= 0x10
			}
		}
	}
}
