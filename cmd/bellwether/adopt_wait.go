package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/bellwether-db/bellwether/cmd/bellwether/internal/terminal"
	"github.com/bellwether-db/bellwether/replicator"
	"github.com/bellwether-db/bellwether/replicator/control"
)

// awaitInterval is between two looks at what is still missing.
const awaitInterval = 500 * time.Millisecond

// await waits until everything is as it should be, and prints each node as it
// comes. Once it has taken too long it prints what is missing, and is terminal.ErrTold.
func (a *adoption) await(ctx context.Context, patience time.Duration, out io.Writer) error {
	tick, late := time.NewTicker(awaitInterval), time.NewTimer(patience)
	defer tick.Stop()
	defer late.Stop()
	for done := map[string]bool{}; ; {
		missing := a.missing(ctx, done, out)
		if len(missing) == 0 {
			_, err := fmt.Fprintf(out, "Done: every slave replicates from %s.\n", a.whence())
			return err
		}
		select {
		case <-tick.C:
			continue
		case <-late.C:
		case <-ctx.Done():
		}
		fmt.Fprintln(out, "\nStill missing; bellwether goes on with it, and adopt can be run again to see:")
		for _, text := range missing {
			fmt.Fprintf(out, "  %s\n", text)
		}
		return terminal.ErrTold
	}
}

func (a *adoption) whence() string {
	if a.feed == replicator.FeedRelay {
		return "Bellwether, and no write is acknowledged before it is stored"
	}
	return "the master"
}

// missing is what is not as it should be yet, told for people; what has come to
// be so since the last look is printed.
func (a *adoption) missing(ctx context.Context, done map[string]bool, out io.Writer) (missing []string) {
	for i := range a.nodes {
		m := &a.nodes[i]
		if done[m.Name] || m.Maintenance && i > 0 {
			continue
		}
		arrived, text := a.lookAgain(ctx, m, i == 0)
		if !arrived {
			missing = append(missing, m.Name+": "+text)
			continue
		}
		done[m.Name] = true
		fmt.Fprintf(out, "%s: %s\n", m.Name, text)
	}
	if text, yes := a.caller.Ready(ctx); !yes {
		missing = append(missing, "bellwether: "+text)
	}
	return missing
}

// lookAgain says whether a node is as it should be, and how it is.
func (a *adoption) lookAgain(ctx context.Context, m *member, master bool) (arrived bool, text string) {
	err := a.with(ctx, m.NodeConfig, func(ctx context.Context, c *control.Conn) error {
		if master {
			s, err := c.SemiSync(ctx)
			if err != nil {
				return err
			}
			released, err := replicator.Released(a.config.ReplicatorConfig())
			arrived, text = a.waits(s, released)
			return err
		}
		s, err := c.Status(ctx)
		v := control.Judge(s, control.History{})
		arrived, text = a.arrived(&s), fmt.Sprintf("%s, from %s", v, s.SourceAddr)
		return err
	})
	if err != nil {
		return false, terminal.OneLine(err.Error())
	}
	return arrived, text
}

// waits says whether the master's commits wait, or do not, as they should.
func (a *adoption) waits(s control.SemiSync, released bool) (right bool, text string) {
	switch waiting := s.Enabled && s.Active; {
	case a.feed == replicator.FeedRelay && waiting:
		return true, "commits wait until they are stored"
	case a.feed == replicator.FeedRelay:
		return false, "commits do not wait until they are stored"
	case !released:
		return false, "commits still wait until they are stored"
	case !s.Enabled:
		return true, "commits do not wait for acknowledgements"
	case s.Clients > 0:
		return true, "commits wait for the slaves' acknowledgement, as they did before"
	}
	return false, "commits wait for an acknowledgement, and nobody gives one"
}

// arrived says whether a slave runs from its new source.
func (a *adoption) arrived(s *control.Status) bool {
	user, addr := replicator.SlaveUser, a.config.ReplicatorConfig().SourceAddr()
	if a.feed == replicator.FeedDirect {
		user, addr = a.config.Replication.Account.User, a.fleet.master.Addr
	}
	_, port, _ := net.SplitHostPort(addr) // it was checked
	running := control.Judge(*s, control.History{}).State == control.StateRunning
	return running && s.SourceUser == user && (s.SourceAddr == addr || port == "0")
}
