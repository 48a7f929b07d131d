package upstream

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/replicator/event"
	"github.com/bellwether-db/bellwether/wire"
)

func TestWhenAGroupIsDue(t *testing.T) {
	start := time.Unix(1000, 0)
	for _, c := range []struct {
		name    string
		group   func(*group)
		after   time.Duration
		arrived bool
		want    bool
	}{
		{"nothing", func(*group) {}, time.Hour, false, false},
		{"an open transaction", func(g *group) { g.appended(maxGroupBytes) }, time.Hour, false, false},
		{"a whole one, nothing behind it", func(g *group) { g.ended(start) }, 0, false, true},
		{"a whole one, more behind it", func(g *group) { g.ended(start) }, 0, true, false},
		{"too late", func(g *group) { g.ended(start) }, maxGroupDelay, true, true},
		{"the first counts", func(g *group) { g.ended(start); g.ended(start.Add(maxGroupDelay)) }, maxGroupDelay, true, true},
		{"a commit waits", func(g *group) { g.ended(start); g.ask(position{"b", 9}, start) }, maxReplyDelay, true, true},
		{"a commit waits, not for long", func(g *group) { g.ended(start); g.ask(position{"b", 9}, start) }, maxReplyDelay / 2, true, false},
		{"too much", func(g *group) { g.appended(maxGroupBytes); g.ended(start) }, 0, true, true},
		{"only a reply", func(g *group) { g.ask(position{"b", 9}, start) }, 0, false, true},
	} {
		var g group
		c.group(&g)
		if got := g.due(start.Add(c.after), c.arrived); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
}

func TestTheLastReplyCounts(t *testing.T) {
	var g group
	g.ask(position{"b", 9}, time.Time{})
	g.ask(position{"b", 12}, time.Time{})
	if want := (position{"b", 12}); g.reply != want {
		t.Errorf("reply %s, want %s", g.reply, want)
	}
}

func TestPausesDouble(t *testing.T) {
	var b backoff
	for _, want := range []time.Duration{50, 100, 200, 400, 800, 1600, 3000, 3000} {
		if !b.failed(io.EOF) {
			t.Fatal("no hope after a lost connection")
		}
		if got := b.ceiling(); got != want*time.Millisecond {
			t.Errorf("ceiling %s, want %dms", got, want)
		}
		early := 0 // full jitter: any pause is as likely as another
		for range 100 {
			p := b.pause()
			if p < 0 || p > b.ceiling() {
				t.Fatalf("pause %s of at most %s", p, b.ceiling())
			}
			if p < b.ceiling()/2 {
				early++
			}
		}
		if early < 10 || early > 90 {
			t.Errorf("%d of 100 pauses are shorter than half of %s", early, b.ceiling())
		}
	}
	b.attempts = 1 << 40
	if b.ceiling() != lastPause {
		t.Error("the ceiling overflows")
	}
	b.useful()
	b.failed(io.EOF)
	if b.ceiling() != firstPause {
		t.Error("a success does not begin anew")
	}
}

func TestStrikes(t *testing.T) {
	stream := []error{
		&wire.ServerError{Code: codeDumpFailed}, fmt.Errorf("x: %w", event.ErrStream), event.ErrMalformed,
		errChecksum, errRepeated, wire.ErrPacketTooLarge,
	}
	for _, err := range stream {
		var b backoff
		for i := range mostStrikes - 1 {
			if !b.failed(err) {
				t.Errorf("%v: no hope after %d", err, i+1)
			}
		}
		if b.failed(err) {
			t.Errorf("%v: hope without end", err)
		}
	}
	for _, err := range []error{io.EOF, errEnded, &wire.ServerError{Code: wire.CodeAccessDenied}, errors.New("else")} {
		var b backoff
		for range 100 {
			if !b.failed(err) {
				t.Fatalf("%v: no hope", err)
			}
		}
	}
	b := backoff{strikes: mostStrikes - 1}
	b.failed(io.EOF)
	if !b.failed(errChecksum) {
		t.Error("strikes with something else between count together")
	}
}

func TestPatienceGrowsWithSilence(t *testing.T) {
	var b backoff
	for _, want := range []time.Duration{3, 6, 12, 24, 48, 60, 60} {
		if got := b.patience(3 * time.Second); got != want*time.Second {
			t.Errorf("after %d silences: %s, want %ds", b.silences, got, want)
		}
		b.failed(errSilent)
		b.failed(io.EOF)
	}
	if got := b.patience(5 * time.Minute); got != 5*time.Minute {
		t.Errorf("patience that was long anyway: %s", got)
	}
	if b.useful(); b.patience(time.Second) != time.Second {
		t.Error("patience stays")
	}
}
