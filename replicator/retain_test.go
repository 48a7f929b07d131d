package replicator

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
	"github.com/bellwether-db/bellwether/replicator/storedlog"
)

// shelf is a process with a stored log that has a file for each transaction, and a
// master with two slaves.
type shelf struct {
	*testing.T
	dir   string
	log   *storedlog.Log
	files []storedlog.File // as it began
	said  bytes.Buffer
	relay *relay
}

func shelves(t *testing.T, story func(*shelf)) {
	for _, f := range []cluster.Flavour{cluster.FlavourMySQL, cluster.FlavourMariaDB} {
		t.Run(f.String(), func(t *testing.T) {
			s := &shelf{T: t, dir: t.TempDir()}
			var err error
			s.log, err = storedlog.Open(storedlog.Config{Dir: filepath.Join(s.dir, "log"), Flavour: f, FileSize: 1}, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.log.Close() })
			s.fill(filepath.Join("event", "testdata", f.String()+".binlog"))
			story(s)
		})
	}
}

// fill stores a server's binary log.
func (s *shelf) fill(name string) {
	raw, err := os.ReadFile(name)
	if err != nil {
		s.Fatal(err)
	}
	track := event.NewTracker(event.Format{})
	for rest := raw[4:]; len(rest) > 0; {
		e, err := event.Next(rest)
		if err != nil {
			s.Fatal(err)
		}
		rest = rest[len(e):]
		m, err := track.Next(e)
		switch {
		case err != nil:
		case e.Type() == event.FormatDescription:
			err = s.log.Rotate(e)
		default:
			err = s.log.Append(e, m)
		}
		if err != nil {
			s.Fatal(err)
		}
	}
	if err := s.log.Sync(); err != nil {
		s.Fatal(err)
	}
	if s.files = s.log.Files(); len(s.files) < 20 {
		s.Fatalf("%d files", len(s.files))
	}
}

// begin begins a process that sees slaves as they are; one that is down it has never
// seen.
func (s *shelf) begin(slaves map[string]*cluster.GTIDSet) {
	t := &cluster.Topology{Nodes: []cluster.Node{{Name: "node1", Role: cluster.RoleMaster, Applied: s.log.Executed()}}, MasterIdentity: "one"}
	for _, name := range []string{"node2", "node3"} {
		if has, ok := slaves[name]; ok {
			t.Nodes = append(t.Nodes, cluster.Node{Name: name, Role: cluster.RoleSlave, Applied: has})
		}
	}
	c := Default()
	c.Feed, c.Dir = FeedRelay, s.dir
	s.relay = newRelay(New(c, cluster.NewStore(t), slog.New(slog.NewTextHandler(&s.said, nil))), identity{}, s.log, nil)
	s.relay.recall()
}

// trim trims when everything is old, and wants the log to begin at a file.
func (s *shelf) trim(want int) {
	s.Helper()
	s.relay.trim(time.Now().Add(10000 * time.Hour))
	if have, oldest := s.log.Files(), s.files[want]; have[0].Name != oldest.Name {
		s.Errorf("the log begins at %s, want %s; %s", have[0].Name, oldest.Name, &s.said)
	}
}

func (s *shelf) wantSaid(words ...string) {
	s.Helper()
	for _, w := range words {
		if !strings.Contains(s.said.String(), w) {
			s.Errorf("it does not say %q: %s", w, &s.said)
		}
	}
	s.said.Reset()
}

// What a slave lacks is kept beyond its age as long as the slave is registered: also
// while it is down, and by a process that began meanwhile.
func TestWhatASlaveLacksIsKept(t *testing.T) {
	shelves(t, func(s *shelf) {
		s.log.Bound(1, 0, time.Hour)
		s.begin(map[string]*cluster.GTIDSet{"node2": s.files[10].Before, "node3": s.files[6].Before})
		s.trim(6)
		s.begin(map[string]*cluster.GTIDSet{"node2": s.log.Executed(), "node3": nil})
		s.trim(6)
		s.begin(map[string]*cluster.GTIDSet{"node2": nil, "node3": nil})
		s.trim(6)
		s.begin(map[string]*cluster.GTIDSet{"node2": nil, "node3": s.files[8].Before})
		s.trim(8)
		s.begin(map[string]*cluster.GTIDSet{"node2": nil})
		s.trim(len(s.files) - 1)
	})
}

// The bound wins over what a slave lacks, which is said long before, once, and loudly
// when it is done.
func TestTheBoundIsToldBefore(t *testing.T) {
	shelves(t, func(s *shelf) {
		var total int64
		for _, f := range s.files {
			total += f.Size
		}
		s.begin(map[string]*cluster.GTIDSet{"node2": s.files[2].Before, "node3": s.log.Executed()})
		s.log.Bound(1, 2*total, 10*365*24*time.Hour)
		s.trim(0)
		s.silent()
		s.log.Bound(1, total+total/8, 10*365*24*time.Hour)
		s.trim(0)
		s.wantSaid("level=WARN", "node=node2", "replication.stored_log.max_size")
		s.trim(0)
		s.silent()
		s.log.Bound(1, s.files[len(s.files)-1].Size+1, 10*365*24*time.Hour)
		s.trim(len(s.files) - 1)
		s.wantSaid("level=ERROR", "node=node2", "full copy")
	})
}

func (s *shelf) silent() {
	s.Helper()
	if s.said.Len() > 0 {
		s.Errorf("it says %s", &s.said)
	}
}
