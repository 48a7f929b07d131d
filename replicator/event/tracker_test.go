package event_test

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/bellwether-db/bellwether/replicator/event"
)

// take is a tracker that has read the first n events of a binary log.
func take(t *testing.T, all []event.Event, n int) *event.Tracker {
	t.Helper()
	tracker := event.NewTracker(event.Format{})
	for _, e := range all[:n] {
		if _, err := tracker.Next(e); err != nil {
			t.Fatal(err)
		}
	}
	return tracker
}

// Leaving out any one event that bounds a transaction, or putting it twice,
// is noticed at that event or before the next transaction ends.
func TestTrackerNotices(t *testing.T) {
	for _, name := range []string{"mysql.binlog", "mariadb.binlog"} {
		all := split(t, binlog(t, name))
		tracker := event.NewTracker(event.Format{})
		for i, e := range all {
			m, err := tracker.Next(e)
			if err != nil {
				t.Fatal(err)
			}
			if m.Part == event.Begin {
				breaks(t, all, i, slices.Delete(slices.Clone(all), i, i+1))
				breaks(t, all, i, slices.Insert(slices.Clone(all), i, e))
			}
			if m.Part == event.End && i+1 < len(all) {
				breaks(t, all, i, slices.Delete(slices.Clone(all), i, i+1))
			}
		}
	}
}

func breaks(t *testing.T, all []event.Event, at int, changed []event.Event) {
	t.Helper()
	tracker := take(t, changed, at)
	for _, e := range changed[at:min(len(changed), at+8)] {
		if _, err := tracker.Next(e); errors.Is(err, event.ErrStream) {
			return
		}
	}
	t.Errorf("a change at event %d, %s, is not noticed", at, all[at].Type())
}

// forged is an event of a type with that body, without a checksum.
func forged(kind event.Type, body string) event.Event {
	e := event.Event(event.AppendRotate(nil, "", 0, event.Stamp{}))[:event.HeaderSize]
	e = append(e, body...)
	e[4] = byte(kind)
	binary.LittleEndian.PutUint32(e[9:], uint32(len(e)))
	return e
}

func TestTrackerRefuses(t *testing.T) {
	all := split(t, binlog(t, "mysql.binlog"))
	gtid := "\x00" + strings.Repeat("u", 16) + "\x01\x00\x00\x00\x00\x00\x00\x00"
	noNumber := "\x00" + strings.Repeat("u", 16) + strings.Repeat("\x00", 8)
	for what, test := range map[string]struct {
		events []event.Event
		want   error
	}{
		"no gtid":             {[]event.Event{forged(event.Query, strings.Repeat("\x00", 14)+"DROP TABLE t")}, event.ErrStream},
		"anonymous":           {[]event.Event{forged(event.AnonymousGTID, gtid)}, event.ErrStream},
		"rows":                {[]event.Event{forged(event.TableMap, "")}, event.ErrStream},
		"unknown":             {[]event.Event{forged(200, "")}, event.ErrStream},
		"incident":            {[]event.Event{forged(event.Incident, "\x01\x00\x00")}, event.ErrStream},
		"short gtid":          {[]event.Event{forged(event.GTID, gtid[:20])}, event.ErrMalformed},
		"gtid without number": {[]event.Event{forged(event.GTID, noNumber)}, event.ErrMalformed},
		"short tagged":        {[]event.Event{forged(event.TaggedGTID, "\x02")}, event.ErrMalformed},
		"short maria":         {[]event.Event{forged(event.MariaGTID, "\x01\x00\x00")}, event.ErrMalformed},
		"short query":         {[]event.Event{forged(event.GTID, gtid), forged(event.Query, "123")}, event.ErrMalformed},
		"format inside":       {[]event.Event{forged(event.GTID, gtid), all[0]}, event.ErrStream},
		"rotate inside":       {[]event.Event{forged(event.GTID, gtid), forged(event.Rotate, "")}, event.ErrStream},
	} {
		tracker, last := event.NewTracker(event.Format{}), error(nil)
		for _, e := range test.events {
			if last != nil {
				t.Errorf("%s: refused too early: %v", what, last)
			}
			_, last = tracker.Next(e)
		}
		if !errors.Is(last, test.want) {
			t.Errorf("%s: %v, want %v", what, last, test.want)
		}
	}
}

// What may come at any time is no part of a transaction and ends none.
func TestTrackerPassesControl(t *testing.T) {
	all := split(t, binlog(t, "mariadb.binlog"))
	tracker := take(t, all, 7)
	if !tracker.Inside() {
		t.Fatalf("not inside after %s", all[6].Type())
	}
	for _, kind := range []event.Type{event.Heartbeat, event.HeartbeatV2, event.MariaBinlogCheckpoint} {
		if m, err := tracker.Next(forged(kind, "")); err != nil || m.Part != event.Control || !tracker.Inside() {
			t.Errorf("%s: %v, %v", kind, m, err)
		}
	}
	later := forged(120, "")
	later[17] = byte(event.FlagIgnorable)
	if m, err := event.NewTracker(event.Format{}).Next(later); err != nil || m.Part != event.Control {
		t.Errorf("an unknown event that may be ignored: %v, %v", m, err)
	}
}

func TestNext(t *testing.T) {
	e := forged(event.Stop, "x")
	if got, err := event.Next(append(slices.Clone(e), "more"...)); err != nil || string(got) != string(e) || cap(got) != len(e) {
		t.Errorf("%x, %v", []byte(got), err)
	}
	for cut := range len(e) {
		if _, err := event.Next(e[:cut]); !errors.Is(err, event.ErrShort) || !errors.Is(err, event.ErrMalformed) {
			t.Errorf("cut at %d: %v", cut, err)
		}
	}
	e[9] = 3
	if _, err := event.Next(e); !errors.Is(err, event.ErrMalformed) || errors.Is(err, event.ErrShort) {
		t.Error(err)
	}
	if _, err := event.Check(e); !errors.Is(err, event.ErrMalformed) {
		t.Error(err)
	}
	if _, err := event.Check(e[:5]); !errors.Is(err, event.ErrMalformed) {
		t.Error(err)
	}
}
