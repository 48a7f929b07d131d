package upstream

import (
	"encoding/hex"
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
)

func set(t testing.TB, f cluster.Flavour, text string) *cluster.GTIDSet {
	t.Helper()
	s, err := cluster.ParseGTIDSet(f, text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mysqlSet(t testing.TB, text string) *cluster.GTIDSet {
	t.Helper()
	return set(t, cluster.FlavourMySQL, text)
}

const uuidA = "00000000-0000-0000-0000-00000000000a"

func TestRequestBytes(t *testing.T) {
	for _, c := range []struct {
		name string
		got  []byte
		want string
	}{
		{"register", appendRegister(nil, 0x01020304), "15" + "04030201" + "000000" + "0000" + "00000000" + "00000000"},
		{"MariaDB", appendDump(nil, 0x01020304), "12" + "04000000" + "0200" + "04030201"},
		{
			"MySQL", appendDumpGTID(nil, 9, mysqlSet(t, uuidA+":1-5")),
			"1e" + "0000" + "09000000" + "00000000" + "0400000000000000" + "30000000" +
				"0100000000000000" + "0000000000000000000000000000000a" + "0100000000000000" + "0100000000000000" + "0600000000000000",
		},
		{
			"MySQL, nothing stored", appendDumpGTID(nil, 9, mysqlSet(t, "")),
			"1e" + "0000" + "09000000" + "00000000" + "0400000000000000" + "08000000" + "0000000000000000",
		},
		{"reply", appendReply(nil, position{"b.1", 0x0102030405}), "0c0000" + "00" + "ef" + "0504030201000000" + "622e31"},
	} {
		if got := hex.EncodeToString(c.got); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// header makes an event of nothing but a header.
func header(kind event.Type, logPos uint32, flags uint16) event.Event {
	e := make(event.Event, event.HeaderSize)
	e[4], e[9] = byte(kind), event.HeaderSize
	e[13], e[14], e[15], e[16] = byte(logPos), byte(logPos>>8), byte(logPos>>16), byte(logPos>>24)
	e[17], e[18] = byte(flags), byte(flags>>8)
	return e
}

func TestPositionGoesPast4GiB(t *testing.T) {
	p := position{"b.1", 4}
	for _, c := range []struct {
		logPos uint32
		flags  uint16
		want   uint64
	}{
		{126, 0, 126},
		{0, 0, 126},                       // artificial, by its position
		{9, event.FlagArtificial, 126},    // by its flag
		{0xfffffff0, 0, 0xfffffff0},       //
		{0x10, 0, 0x1_0000_0010},          // one event over the boundary
		{0x10, 0, 0x1_0000_0010},          // nothing between
		{0xffffffff, 0, 0x1_ffff_ffff},    //
		{0x00000001, 0, 0x2_0000_0001},    //
		{0x80000000, 0x80, 0x2_8000_0000}, // another flag
	} {
		if p = p.after(header(event.XID, c.logPos, c.flags)); p.offset != c.want || p.file != "b.1" {
			t.Errorf("after %#x: %s, want %#x", c.logPos, p, c.want)
		}
	}
}

func TestRotateAndHeartbeatAreRead(t *testing.T) {
	for _, checksum := range []bool{false, true} {
		e := event.AppendRotate(nil, "binlog.000007", 4, event.Stamp{Flags: event.FlagArtificial, Checksum: checksum})
		got, err := parseRotate(e)
		if want := (position{"binlog.000007", 4}); err != nil || got != want {
			t.Errorf("checksum %t: %s, %v", checksum, got, err)
		}
	}
	beat := event.AppendHeartbeat(nil, false, "binlog.000007", 0x01020304, event.Stamp{Checksum: true})
	if got, err := parseHeartbeat(beat); err != nil || got != (position{"binlog.000007", 0x01020304}) {
		t.Errorf("heartbeat: %s, %v", got, err)
	}
	if _, err := parseHeartbeat(header(event.Heartbeat, 4, 0)); err == nil {
		t.Error("a heartbeat without a name passed")
	}
	if _, err := parseRotate(header(event.Rotate, 0, 0)); err == nil {
		t.Error("a rotate event without a name passed")
	}
}
