package upstream

import (
	"context"
	"fmt"

	"github.com/bellwether-db/bellwether/cluster"
)

// Check looks once, as Run does at each connection, whether a server may be
// read from by a log that holds stored. Who opens a server for writes asks
// before: one that came back without its last transactions must not give their
// GTIDs to others, which a later look could not tell from those that are
// stored. Its error is a *Refusal, or says why the server could not be asked.
func Check(ctx context.Context, c Config, stored *cluster.GTIDSet) error {
	s, f, err := meet(ctx, c)
	if err != nil {
		return err
	}
	defer s.conn.Close() //nolint:errcheck // it was only asked
	if refused := f.judge(wanted{identity: c.Identity, stored: stored}); refused != nil {
		refused.Addr = c.Addr
		return refused
	}
	return nil
}

// meet logs in and asks the server about itself.
func meet(ctx context.Context, c Config) (*session, facts, error) {
	s, err := dial(ctx, c.dial())
	if err != nil {
		return nil, facts{}, err
	}
	f, err := s.introduce(ctx, c.Addr)
	return s, f, err
}

// introduce asks the server about itself, and closes the connection where that
// fails.
func (s *session) introduce(ctx context.Context, addr string) (facts, error) {
	defer context.AfterFunc(ctx, func() { _ = s.conn.Close() })()
	f, err := s.facts()
	if err != nil {
		_ = s.conn.Close()
		return facts{}, fmt.Errorf("ask the master %s about itself: %w", addr, err)
	}
	return f, nil
}
