//go:build soak

package acceptance

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const (
	pressureWriters = 8
	pressureLimit   = 4 * time.Second
	// mostBeyond is how much further than the limit a slave may be, once writers
	// have been slowed down for a while: its pace varies.
	mostBeyond = 2
)

// TestBackPressure has slaves that apply more slowly than writers write. Without
// a limit they fall behind without end, and reads leave them; with one they stay
// near it, reads come back, and writers go on, a little slower.
func TestBackPressure(t *testing.T) {
	onFed(t, func(f *fed) {
		f.run("CREATE DATABASE slowed", "CREATE TABLE slowed.t (id INT PRIMARY KEY, v INT)",
			fmt.Sprintf("INSERT INTO slowed.t SELECT a.n * 200 + b.n, 0 FROM (%s) a, (%s) b", numbers(f.pressureRows()/200), numbers(200)))
		f.converge()
		for _, n := range f.servers.Slaves() {
			f.must(eventually(func() error { return n.Exec(f.Context(), f.slowToApply()...) }))
		}
		const length = 15 * time.Second // what it leaves behind has to be applied, too
		free, lagFree := f.pressed(length, "without a limit")
		if lagFree < pressureLimit*3/2 {
			t.Fatalf("the least late slave is %v behind after %v of load: it keeps up, and nothing is shown", lagFree, length)
		}
		f.converge()
		f.must(eventually(f.slavesNear))
		f.reconfigure(strings.Replace(f.settings(), "replication: {", "replication: {slow_writers: {lag: "+pressureLimit.String()+", most: 500ms}, ", 1))
		slowed, lag := f.pressed(3*length, "with a limit of "+pressureLimit.String())
		if lag > time.Duration(mostBeyond*float64(pressureLimit)) {
			t.Errorf("the least late slave is %v behind, with a limit of %v", lag, pressureLimit)
		}
		if slowed == 0 || slowed > free {
			t.Errorf("%d writes a second with a limit, %d without", slowed, free)
		}
		f.converge()
		f.must(eventually(func() error {
			if f.gauge("bellwether_write_delay_seconds") != 0 {
				return fmt.Errorf("writes still wait %v", f.gauge("bellwether_write_delay_seconds"))
			}
			return nil
		}))
	})
}

// slowToApply makes changes of the table cost a slave much more than the master:
// on MariaDB it reads all rows to find one. MySQL's appliers, of which several
// work at once, would wait for one another's rows; there it computes a column.
func (f *fed) slowToApply() []string {
	if f.mariadb() {
		return []string{"SET SESSION sql_log_bin = 0", "SET GLOBAL read_only = OFF", "ALTER TABLE slowed.t DROP PRIMARY KEY"}
	}
	return []string{"SET SESSION sql_log_bin = 0", "SET GLOBAL super_read_only = OFF",
		"ALTER TABLE slowed.t ADD COLUMN slow CHAR(128) AS (SHA2(REPEAT(id + v + 10000000, 400000), 512)) STORED"}
}

// pressureRows is how many rows the table has: many where a slave reads them
// all, and few where it computes a column of each when that is added.
func (f *fed) pressureRows() int {
	if f.mariadb() {
		return 20000
	}
	return 200
}

// pressed writes as fast as it may for a while. It returns the writes of a
// second, and how far behind the least late slave was on average in the last
// third.
func (f *fed) pressed(length time.Duration, what string) (rate int, lag time.Duration) {
	f.Helper()
	ctx, cancel := context.WithTimeout(f.Context(), length)
	defer cancel()
	var group sync.WaitGroup
	var writes atomic.Int64
	rows := f.pressureRows()
	for w := range pressureWriters {
		c := f.session()
		group.Go(func() {
			for n := w; ctx.Err() == nil; n += pressureWriters {
				if _, err := c.ExecContext(f.Context(), fmt.Sprintf("UPDATE slowed.t SET v = v + 1 WHERE id = %d", n*7919%rows)); err != nil {
					f.Errorf("write: %v", err)
					return
				}
				writes.Add(1)
			}
		})
	}
	begun, looks, sum := time.Now(), 0, 0.0
	for ctx.Err() == nil {
		rest(ctx, 500*time.Millisecond)
		if time.Since(begun) > length*2/3 {
			looks++
			sum += f.leastLag()
		}
	}
	group.Wait()
	lag = time.Duration(sum / float64(looks) * float64(time.Second))
	rate = int(float64(writes.Load()) / length.Seconds())
	f.Logf("%s: %d writes a second, the least late slave %v behind; each write waits %v, %v slaves serve reads", what, rate,
		lag.Round(time.Millisecond), time.Duration(f.gauge("bellwether_write_delay_seconds")*float64(time.Second)), f.gauge("bellwether_node_readable"))
	return rate, lag
}

var lagGauge = regexp.MustCompile(`(?m)^bellwether_node_lag_seconds\{node="([^"]*)"\} (\S+)`)

// leastLag is how far behind the least late slave is, in seconds.
func (f *fed) leastLag() float64 {
	f.Helper()
	metrics, err := f.proxy.metrics()
	f.must(err)
	least := -1.0
	for _, line := range lagGauge.FindAllStringSubmatch(metrics, -1) {
		lag, err := strconv.ParseFloat(line[2], 64)
		f.must(err)
		if line[1] != f.servers.Master.Name && lag >= 0 && (least < 0 || lag < least) {
			least = lag
		}
	}
	return max(least, 0)
}

// gauge is a metric's value, the sum of all its labels.
func (f *fed) gauge(name string) (sum float64) {
	f.Helper()
	metrics, err := f.proxy.metrics()
	f.must(err)
	for _, line := range regexp.MustCompile(`(?m)^`+name+`(?:\{[^}]*\})? (\S+)`).FindAllStringSubmatch(metrics, -1) {
		v, err := strconv.ParseFloat(line[1], 64)
		f.must(err)
		sum += v
	}
	return sum
}

// slavesNear is an error until both slaves have nearly caught up.
func (f *fed) slavesNear() error {
	if n := f.gauge("bellwether_node_readable"); n < 2 || f.leastLag() > 0.5 {
		return fmt.Errorf("%v slaves serve reads, the least late one is %v s behind", n, f.leastLag())
	}
	return nil
}

// reconfigure writes another configuration and has it read.
func (f *fed) reconfigure(settings string) {
	f.Helper()
	f.must(os.WriteFile(f.config, []byte(settings), 0o600))
	f.must(f.proxy.command.Process.Signal(syscall.SIGHUP))
	f.must(eventually(func() error {
		if !strings.Contains(f.proxy.output.String(), "msg=reloaded") {
			return fmt.Errorf("it has not reloaded")
		}
		return nil
	}))
}
