//go:build soak

package downstream

import (
	"net"
	"slices"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// The figures of many readers: what one costs must not grow with their number,
// and one that takes in nothing must not cost the others anything.
const (
	mostProcessor = 3 * time.Millisecond // for a MB and a reader
	mostMemory    = 128 << 10            // for a reader
	mostGrowth    = 1.5                  // of the processor's share, from one reader to 64
	mostHindrance = 1.25                 // of the time, by a reader that takes in nothing
)

// TestReaderFigures prints and checks what 1, 8 and 64 readers of the stream
// cost. They read in another process, so that only the server is measured.
func TestReaderFigures(t *testing.T) {
	const size = 8 << 20
	c := storedLog(t, size, oneRow)
	config := testConfig(cluster.FlavourMySQL)
	config.WriteTimeout = 5 * time.Minute // the stalled one stays
	s := serve(t, config, Stored(c.log))
	serveAll(t, s, c, 1) // warms up
	first := time.Duration(0)
	for _, readers := range []int{1, 8, 64} {
		runs := []cost{serveAll(t, s, c, readers), serveAll(t, s, c, readers), serveAll(t, s, c, readers)}
		slices.SortFunc(runs, func(a, b cost) int { return int(a.processor - b.processor) })
		figure := runs[1]
		each := figure.processor / time.Duration(readers*size>>20)
		t.Logf("%d readers: %v of processor for a MB and a reader, %d KB of memory for each, %v in all",
			readers, each.Round(time.Microsecond), figure.memory/int64(readers)>>10, figure.took.Round(time.Millisecond))
		if first == 0 {
			first = each
		}
		if each > mostProcessor || float64(each) > mostGrowth*float64(first) || figure.memory > int64(readers)*mostMemory {
			t.Errorf("%d readers cost too much: %v for a MB and a reader (one: %v), %d bytes", readers, each, first, figure.memory)
		}
	}
	hindered(t, s, c)
}

// hindered compares 63 readers alone and beside one that takes in nothing, in
// turns.
func hindered(t *testing.T, s *Server, c *copier) {
	var alone, beside []time.Duration
	for range 3 {
		alone = append(alone, serveAll(t, s, c, 63).took)
		stalled := reads(t, s, cluster.FlavourMySQL, nil)
		_ = stalled.conn.NetConn().(*net.TCPConn).SetReadBuffer(4096)
		stalled.asks(cluster.FlavourMySQL, 0, 9999, cluster.EmptyGTIDSet(cluster.FlavourMySQL))
		waitFor(t, "the stalled reader to begin", func() bool { return len(s.Slaves()) == 1 })
		beside = append(beside, serveAll(t, s, c, 63).took)
		stalled.conn.Close()
		waitFor(t, "the stalled reader to be gone", func() bool { return len(s.Slaves()) == 0 })
	}
	slices.Sort(alone)
	slices.Sort(beside)
	t.Logf("63 readers: %v alone, %v beside one that takes in nothing", alone[1], beside[1])
	if float64(beside[1]) > mostHindrance*float64(alone[1]) {
		t.Errorf("63 readers take %v beside a stalled one, and %v alone", beside[1], alone[1])
	}
}

// cost is what it took to serve some readers.
type cost struct {
	processor, took time.Duration
	memory          int64
}

// serveAll has another process read the whole log so many times at once.
func serveAll(t *testing.T, s *Server, c *copier, readers int) cost {
	files := c.log.Files()
	others := len(s.Slaves())
	end := files[len(files)-1].Size
	idle, used, begun := heap(), processorTime(t), time.Now()
	stop := readElsewhere(t, s, readers, false)
	defer stop()
	waitFor(t, "everything to be sent", func() bool {
		slaves := s.Slaves()
		done := 0
		for _, i := range slaves {
			if i.Offset >= end {
				done++
			}
		}
		return done >= readers
	})
	out := cost{processor: processorTime(t) - used, took: time.Since(begun)}
	out.memory = int64(heap()) - int64(idle)
	stop()
	waitFor(t, "the readers to be gone", func() bool { return len(s.Slaves()) == others })
	return out
}
