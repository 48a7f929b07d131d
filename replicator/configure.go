package replicator

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"sync"
)

// settings is the configuration of now. It is not to be changed.
func (r *Replicator) settings() *Config { return r.current.Load() }

// Accepts says why a replicator that runs cannot take a configuration over; nil
// where it can. It is asked before Configure.
func (r *Replicator) Accepts(next Config) error {
	if err := next.Validate(); err != nil {
		return fmt.Errorf("replication: %w", err)
	}
	now := r.settings()
	var problems []error
	if now.Feed == FeedRelay && next.Feed == FeedDirect && next.Direct.User == "" && len(r.cluster.Load().Nodes) > 1 {
		problems = append(problems, errors.New("replication.feed: to go from relay to direct takes replication.account, which the slaves log in with on the master"))
	}
	if next.Feed == FeedRelay && (now.Feed == FeedRelay || r.relay.Load() != nil) {
		problems = append(problems, now.fixed(next)...)
	}
	return errors.Join(problems...)
}

// fixed says what differs and cannot while the stored log is in use.
func (c *Config) fixed(next Config) (problems []error) {
	for _, key := range []struct {
		name    string
		differs bool
	}{
		{"listen", c.Listen != next.Listen},
		{"stored_log.dir", c.StoredLog() != next.StoredLog()},
		{"stored_log.key_file", !bytes.Equal(c.Key, next.Key)},
	} {
		if key.differs {
			problems = append(problems, fmt.Errorf("replication.%s cannot change while feed relay runs: restart, or go to feed direct in between", key.name))
		}
	}
	return problems
}

// Configure replaces the configuration, which Accepts has let pass. A change of
// the feed takes its time: Run carries it out, and Status tells how far it is.
func (r *Replicator) Configure(next Config) {
	now := r.settings()
	if now.Feed != next.Feed {
		r.trouble.Store(nil)
	}
	if r.relay.Load() != nil {
		// What the stored log was opened with stays until the slaves have left it.
		next.RSA, next.Dir, next.LogDir, next.Listen, next.Key = now.RSA, now.Dir, now.LogDir, now.Listen, now.Key
		if now.TLS == nil || next.TLS == nil {
			next.TLS = now.TLS
		}
		if next.Feed != FeedRelay {
			next.Advertise = now.Advertise
		}
	}
	r.current.Store(&next)
	if relay := r.relay.Load(); relay != nil {
		relay.stored.Bound(next.FileSize, next.MaxBytes, next.MaxAge)
	}
	if keeper := r.keeper.Load(); keeper != nil {
		keeper.Login(next.Nodes)
		keeper.Nudge()
	}
	r.changed.send()
}

// shown is what slaves are shown: of a certificate that is renewed always the
// latest.
func (r *Replicator) shown(first *tls.Config) *tls.Config {
	if first == nil {
		return nil
	}
	c := first.Clone()
	c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return r.settings().TLS, nil }
	return c
}

// whileWanted does something whose context ends as soon as another feed is
// wanted.
func (r *Replicator) whileWanted(ctx context.Context, feed Feed, do func(context.Context) error) error {
	ctx, stop := context.WithCancel(ctx)
	var watch sync.WaitGroup
	defer watch.Wait()
	defer stop()
	watch.Go(func() {
		defer stop()
		for {
			changed := r.changed.wait()
			if r.settings().Feed != feed {
				return
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	})
	return do(ctx)
}
