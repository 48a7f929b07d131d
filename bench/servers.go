package main

import "context"

// servers are those that the benchmark itself has started.
type servers struct{}

func (s *servers) stop() error { return nil }

func (l *lab) openServers(_ context.Context, o *options) error {
	l.login.Addr, l.login.User, l.login.Password = o.server, o.user, o.password
	l.operator = account{o.user, o.password}
	return nil
}
