package failover

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
)

func TestFirstStart(t *testing.T) {
	tell(t, func(s *story) {
		s.look()
		s.want("db1", cluster.WritesOpen, "")
		s.wantOpened("id-db1")
		now := s.store.Load()
		if now.MasterIdentity != "id-db1" || len(now.Readable) != 2 {
			s.Errorf("identity %q, readable %v", now.MasterIdentity, now.Readable)
		}
		text, err := os.ReadFile(filepath.Join(s.dir, stateName))
		if err != nil || !strings.Contains(string(text), `"identity": "id-db1"`) {
			s.Errorf("state %s, %v", text, err)
		}
	})
}

func TestFirstStartWaitsForTheMaster(t *testing.T) {
	tell(t, func(s *story) {
		s.change("db1", func(n *server) { n.down = true })
		s.want("", cluster.WritesRefused, "the first master db1 was not reached yet")
		s.change("db1", func(n *server) { n.down = false })
		s.want("db1", cluster.WritesOpen, "")
	})
}

func TestFirstStartRefusesTwoWritable(t *testing.T) {
	tell(t, func(s *story) {
		s.change("db3", func(n *server) { n.readOnly = false })
		reason := "db1 cannot be opened as the master while db3 is writable, too: run SET GLOBAL read_only = 1 on db3 if it is a slave"
		s.want("", cluster.WritesRefused, reason)
		s.wantOpened()
		s.change("db3", func(n *server) { n.readOnly = true })
		s.want("db1", cluster.WritesOpen, "")
	})
}

func TestFirstStartTakesAWritableMaster(t *testing.T) {
	tell(t, func(s *story) {
		s.change("db1", func(n *server) { n.readOnly = false })
		s.want("db1", cluster.WritesOpen, "")
		s.wantOpened()
	})
}

func TestLaterStartBelievesTheState(t *testing.T) {
	tell(t, func(s *story) {
		s.look()
		generation := s.store.Load().Generation
		s.restart("db2")
		s.look()
		s.want("db1", cluster.WritesOpen, "")
		s.wantOpened("id-db1")
		if now := s.store.Load().Generation; now <= generation {
			s.Errorf("generation %d after %d", now, generation)
		}
	})
}

func TestMasterRestartsReadOnly(t *testing.T) {
	tell(t, func(s *story) {
		s.look()
		s.change("db1", func(n *server) { n.down = true })
		s.want("db1", cluster.WritesHeld, "the master db1 is down")
		s.change("db1", func(n *server) { n.down, n.readOnly = false, true })
		s.want("db1", cluster.WritesOpen, "")
		s.wantOpened("id-db1", "id-db1")
	})
}

func TestMasterRestartsUnseen(t *testing.T) {
	tell(t, func(s *story) {
		s.look()
		s.change("db1", func(n *server) { n.restarts, n.readOnly = 1, true })
		s.want("db1", cluster.WritesOpen, "")
		s.wantOpened("id-db1", "id-db1")
	})
}

func TestMasterMadeReadOnlyByHand(t *testing.T) {
	tell(t, func(s *story) {
		s.look()
		s.change("db1", func(n *server) { n.readOnly = true })
		s.want("db1", cluster.WritesRefused, "the master db1 was made read-only by hand: SET GLOBAL read_only = 0 there opens it again")
		s.change("db1", func(n *server) { n.readOnly = false })
		s.want("db1", cluster.WritesOpen, "")
		s.wantOpened("id-db1")
	})
}

func TestAnotherServerIsNeverOpened(t *testing.T) {
	tell(t, func(s *story) {
		s.look()
		s.change("db1", func(n *server) { n.down = true })
		s.change("db1", func(n *server) { n.identity, n.down, n.readOnly = "id-other", false, true })
		if now := s.store.Load(); now.Writes != cluster.WritesRefused || !strings.Contains(now.WritesReason, "is id-other, but the recorded master is id-db1") {
			s.Errorf("writes %v: %s", now.Writes, now.WritesReason)
		}
		s.restart("db1")
		s.look()
		if now := s.store.Load(); now.Writes != cluster.WritesRefused {
			s.Errorf("writes %v after a restart", now.Writes)
		}
		s.wantOpened("id-db1")
	})
}

func TestReturningMasterWaitsForASecondWriter(t *testing.T) {
	tell(t, func(s *story) {
		s.look()
		s.change("db1", func(n *server) { n.down = true })
		s.change("db2", func(n *server) { n.readOnly = false })
		s.change("db1", func(n *server) { n.down, n.readOnly = false, true })
		if now := s.store.Load(); now.Writes != cluster.WritesRefused || !strings.Contains(now.WritesReason, "db2 is writable, too") {
			s.Errorf("writes %v: %s", now.Writes, now.WritesReason)
		}
		s.wantOpened("id-db1")
		s.change("db2", func(n *server) { n.readOnly = true })
		s.want("db1", cluster.WritesOpen, "")
	})
}

func TestFailedOrderIsTriedAgain(t *testing.T) {
	tell(t, func(s *story) {
		s.refuse = errors.New("no privilege")
		s.look()
		s.want("", cluster.WritesHeld, "the first master db1 is being recorded")
		s.change("db1", func(*server) { s.refuse = nil })
		s.want("db1", cluster.WritesOpen, "")
	})
}

func TestUnfitMasterIsRefused(t *testing.T) {
	tell(t, func(s *story) {
		s.look()
		s.change("db1", func(n *server) { n.down = true })
		s.unfit = fmt.Errorf("open: %w: it lacks a write", ErrUnfit)
		s.change("db1", func(n *server) { n.down, n.readOnly = false, true })
		if now := s.store.Load(); now.Writes != cluster.WritesRefused || !strings.Contains(now.WritesReason, "it lacks a write") {
			s.Errorf("writes %v: %s", now.Writes, now.WritesReason)
		}
		s.wantOpened("id-db1")
	})
}

func TestNewNodeBecomesASlave(t *testing.T) {
	tell(t, func(s *story) {
		s.look()
		before := s.store.Load().Generation
		if _, err := s.store.Register(func(d *cluster.RegisterDraft) error {
			d.Put(cluster.Registration{Name: "db4", Addr: "db4:3306", Weight: 1})
			return nil
		}); err != nil {
			s.Fatal(err)
		}
		s.look()
		if now := s.store.Load(); now.Nodes[3].Role != cluster.RoleSlave || now.Generation != before+1 {
			s.Errorf("role %v, generation %d after %d", now.Nodes[3].Role, now.Generation, before)
		}
	})
}

func TestGenerationsAreFew(t *testing.T) {
	tell(t, func(s *story) {
		s.look()
		before := s.store.Load().Generation
		s.look()
		if now := s.store.Load().Generation; now != before || before > 4 {
			s.Errorf("generation %d, then %d", before, now)
		}
	})
}
