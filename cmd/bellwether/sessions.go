package main

import (
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/admin"
	"github.com/bellwether-db/bellwether/proxy"
	"github.com/bellwether-db/bellwether/router"
)

// clientView shows admin what the proxy knows of its clients. Any goroutine may
// use it once the house is built.
type clientView struct{ h *house }

// Sessions implements admin.Sessions.
func (v clientView) Sessions() []admin.Session {
	now, views := time.Now(), v.h.proxy.Sessions()
	shown := make([]admin.Session, len(views))
	for i := range views {
		shown[i] = shownSession(&views[i], now)
	}
	return shown
}

// KillSession implements admin.Sessions.
func (v clientView) KillSession(id uint32, queryOnly bool) bool {
	return v.h.proxy.KillSession(id, queryOnly)
}

func shownSession(s *proxy.SessionView, now time.Time) admin.Session {
	return admin.Session{
		ID: s.ID, User: s.User, Client: s.Client, Database: s.Database, Listener: s.Listener, TLS: s.TLS,
		State: s.State.String(), SinceSeconds: max(now.Sub(s.Since), 0).Seconds(), Statement: s.Statement, Node: orNull(s.Node),
		InTransaction: s.InTransaction, Pins: pinWords(s.Pins), Consistency: s.Consistency.String(),
		Statements: s.Statements, ConnectedSeconds: max(now.Sub(s.Connected), 0).Seconds(),
	}
}

// pinWords are pins for people; never nil.
func pinWords(pins router.PinSet) []string {
	words := []string{}
	for p := router.PinTransaction; p < router.NumPins; p++ {
		if pins.Has(p) {
			words = append(words, strings.ReplaceAll(p.String(), "-", " "))
		}
	}
	return words
}

// orNull is nil where there is no name.
func orNull(name string) *string {
	if name == "" {
		return nil
	}
	return &name
}
