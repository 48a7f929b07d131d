//go:build chaos

package acceptance

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/internal/playground"
)

// frozenPromised and deadPromised are the gaps that docs/failover.md states.
const (
	deadPromised   = 1500 * time.Millisecond
	frozenPromised = 4 * time.Second
)

// faults are those of `make chaos`; immutable.
var faults = []fault{
	{name: "nothing", strike: nothing},
	masterKilled,
	{name: "master frozen", strike: pauseMaster, mend: resumeMaster, promised: frozenPromised},
	{name: "network cut", strike: onMaster((*playground.Node).Cut), mend: onMaster((*playground.Node).Mend), promised: frozenPromised},
	{name: "cut to the master", strike: onMaster((*playground.Node).CutToNode), mend: onMaster((*playground.Node).Mend), promised: frozenPromised},
	{name: "cut from the master", strike: onMaster((*playground.Node).CutFromNode), mend: onMaster((*playground.Node).Mend), promised: frozenPromised},
	{name: "connections reset", strike: resetMaster, tolerated: []string{otherAnswer}},
	{name: "stream cut", strike: cutStream},
	{name: "stream silent", strike: silenceStream, mend: onMaster((*playground.Node).Mend), promised: frozenPromised},
	{name: "slave killed", strike: killSlave, mend: startSlave},
	{name: "slave frozen", strike: pauseSlave, mend: resumeSlave},
	{name: "slave behind, master killed", strike: stopOneApplier, mend: startMaster, promised: frozenPromised},
	{name: "slaves behind, master killed", strike: stopAllAppliers, mend: startMaster},
	{name: "candidate dies too", strike: killTwo, mend: startTwo},
	{name: "new master dies too", strike: killInTurn, mend: startInTurn},
	{name: "master killed, back at once", strike: killAndStart, promised: frozenPromised},
	{name: "slave returns meanwhile", strike: killWhileSlaveReturns, mend: startMaster, promised: frozenPromised},
	{name: "Bellwether killed", strike: killProduct, tolerated: cutOff},
	{name: "Bellwether killed in a failover", strike: killProductInFailover, mend: startMaster, tolerated: cutOff},
	{name: "errant row made by hand", strike: killMaster, mend: startWithErrant, after: wantErrantSaved, promised: deadPromised},
	switchedOver,
	{name: "switchover, then kill", strike: switchThenKill, mend: startMaster},
	{name: "all slaves killed", strike: killSlaves, mend: startSlaves, after: wantSameMaster},
	{name: "master flaps", strike: flap, promised: frozenPromised},
	{name: "master closed by hand", strike: closeByHand, after: wantSameMaster, quiet: true, tolerated: []string{"1290 read-only", "1213 made read-only by hand"}},
	{name: "slave opened by hand", strike: openByHand, mend: copyAnew, after: wantNoErrant},
	{name: "slave opened by hand, master killed", strike: openAndKill, mend: startAndCopyAnew, after: wantNoErrant, promised: deadPromised},
	{name: "Bellwether killed in a switchover", strike: killProductInSwitchover, tolerated: cutOff},
}

// diskFaults need servers whose disks can be stopped, and a small one for the
// stored log; immutable.
var diskFaults = []fault{
	{name: "disk of the master stalls", strike: onDisk("disk-stalled"), mend: mendDisk("disk-stalled"), promised: frozenPromised},
	{name: "disk of the master is full", strike: onDisk("disk-full"), mend: mendDisk("disk-full"), tolerated: []string{"1114"}}, // the server's own: the table is full
	{name: "disk of the master is slow", strike: slowDisk, mend: mendSlowDisk, after: wantSameMaster},
	{name: "disk of a slave is full", strike: onSlaveDisk, mend: mendSlaveDisk},
	{name: "disk of the stored log is full", strike: fillLog, mend: emptyLog, quiet: true},
	{name: "disk of the stored log is full, master killed", strike: fillLogAndKill, mend: emptyLogAndStart, quiet: true},
}

// otherAnswer is what clients are told whose transaction met what another one has
// done meanwhile: on a master that lives that cannot be kept out altogether.
const otherAnswer = "1213 an answer differs"

// cutOff is what clients of a proxy that dies are told by their drivers.
var cutOff = []string{"broken connection", "no connection"}

func nothing(r *trial) error { return r.serves(10*warm, serveAgain) }

func onMaster(do func(*playground.Node)) func(*trial) error {
	return func(r *trial) error { do(r.master); return nil }
}

func resetMaster(r *trial) error  { r.master.ResetConnections(); return nil }
func pauseMaster(r *trial) error  { return r.master.Pause() }
func resumeMaster(r *trial) error { return r.master.Resume() }
func killSlave(r *trial) error    { return r.slave().Kill() }
func startSlave(r *trial) error   { return r.begin(r.slave()) }
func pauseSlave(r *trial) error   { return r.slave().Pause() }
func resumeSlave(r *trial) error  { return r.slave().Resume() }

// slave is the one that this round is about.
func (r *trial) slave() *playground.Node { return r.slaves[r.crowd.number%len(r.slaves)] }

// dumps are the threads with which a master feeds who reads its binary log.
const dumps = "SELECT GROUP_CONCAT(ID) FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'"

// silenceStream lets no byte of the stream through, and of none that takes its
// place within three seconds. Clients go on reaching the master.
func silenceStream(r *trial) error {
	for until := time.Now().Add(3 * time.Second); time.Now().Before(until); r.pause(20 * time.Millisecond) {
		hosts, err := r.master.Query(r.Context(), strings.Replace(dumps, "ID", "HOST", 1))
		if err != nil {
			continue // it may be fenced by now, which ends all connections
		}
		for host := range strings.SplitSeq(hosts, ",") {
			r.master.CutOne(strings.Replace(host, "localhost", "127.0.0.1", 1)) // servers look names up
		}
	}
	return nil
}

// cutStream ends the stream from the master as often as it comes back, for two
// seconds. Clients go on reaching the master.
func cutStream(r *trial) error {
	for until := time.Now().Add(2 * time.Second); time.Now().Before(until); r.pause(20 * time.Millisecond) {
		if id, err := r.master.Query(r.Context(), dumps); err == nil && id != "" {
			_ = r.master.Exec(r.Context(), "KILL "+id) // it may have ended
		}
	}
	return nil
}

// pause waits, unless the test ends.
func (r *trial) pause(d time.Duration) { rest(r.Context(), d) }

// within is a random part of a time.
func (r *trial) within(most time.Duration) time.Duration {
	return time.Duration(r.random.Int64N(int64(most)))
}

func stopOneApplier(r *trial) error  { return r.stopAppliers(r.slaves[:1]) }
func stopAllAppliers(r *trial) error { return r.stopAppliers(r.slaves) }

// stopAppliers has slaves fall behind for two seconds, and kills the master.
func (r *trial) stopAppliers(slaves []*playground.Node) error {
	for until := time.Now().Add(2 * time.Second); time.Now().Before(until); r.pause(50 * time.Millisecond) {
		for _, n := range slaves {
			if err := n.Exec(r.Context(), r.spelled("STOP REPLICA SQL_THREAD")); err != nil {
				return err
			}
		}
	}
	r.struck = r.now()
	return r.master.Kill()
}

// killTwo kills the master, and whoever is about to take its place.
func killTwo(r *trial) error {
	if err := r.master.Kill(); err != nil {
		return err
	}
	r.pause(r.within(400 * time.Millisecond))
	return r.slave().Kill()
}

func startTwo(r *trial) error {
	if err := r.begin(r.master); err != nil {
		return err
	}
	return r.begin(r.slave())
}

// killInTurn kills the master, and its successor as soon as that has served.
func killInTurn(r *trial) error {
	if err := r.master.Kill(); err != nil {
		return err
	}
	if err := r.serves(warm/3, serveAgain); err != nil {
		return err
	}
	successor, err := r.crowd.master()
	if err != nil {
		return err
	}
	r.slaves = []*playground.Node{successor}
	return successor.Kill()
}

func startInTurn(r *trial) error {
	if err := r.begin(r.slaves[0]); err != nil {
		return err
	}
	return r.begin(r.master)
}

// killAndStart is a service manager that does not wait.
func killAndStart(r *trial) error {
	if err := r.master.Kill(); err != nil {
		return err
	}
	return r.begin(r.master)
}

// killWhileSlaveReturns has a slave come back in the moment that the master dies.
func killWhileSlaveReturns(r *trial) error {
	if err := r.slave().Kill(); err != nil {
		return err
	}
	r.pause(time.Second)
	started := make(chan error, 1)
	go func() { started <- r.begin(r.slave()) }()
	r.pause(r.within(1500 * time.Millisecond)) // a server needs about that long
	r.struck = r.now()
	err := r.master.Kill()
	if begun := <-started; err == nil {
		err = begun
	}
	return err
}

func killProduct(r *trial) error {
	if err := r.killProxy(); err != nil {
		return err
	}
	return r.launch()
}

func killProductInFailover(r *trial) error {
	if err := r.master.Kill(); err != nil {
		return err
	}
	r.pause(r.within(700 * time.Millisecond))
	return killProduct(r)
}

// killProxy ends the product as kill -9 does.
func (r *trial) killProxy() error {
	if err := r.proxy.healthy(); err != nil {
		return err
	}
	err := r.proxy.command.Process.Kill()
	<-r.proxy.ended
	r.Logf("the end of what the killed product said:\n%s", tail(r.proxy.output.String(), 2000))
	return err
}

// wantNoErrant wants no row on any node that only one had.
func wantNoErrant(r *trial) error {
	for _, n := range r.servers.Nodes {
		if rows, err := n.Query(r.Context(), fmt.Sprintf("SELECT COUNT(*) FROM chaos.singles WHERE number = %d", errantMark)); err != nil || rows != "0" {
			return fmt.Errorf("%s has %s errant rows (%w)", n.Name, rows, err)
		}
	}
	return nil
}

// wantErrantSaved wants that row in a file, and on no node.
func wantErrantSaved(r *trial) error {
	if err := wantNoErrant(r); err != nil {
		return err
	}
	found := false
	err := filepath.WalkDir(filepath.Join(r.state(), "errant"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		found = found || bytes.Contains(text, fmt.Append(nil, r.errantID()))
		return err
	})
	if err == nil && !found {
		err = fmt.Errorf("no file below %s/errant names the errant row %d", r.state(), r.errantID())
	}
	return err
}

// errantMark is in rows that only one node has.
const errantMark = 424242

// errantID is the id of this run's row.
func (r *trial) errantID() int { return errantMark*1_000_000 + r.crowd.number }

// startWithErrant has the former master take a write that nobody else sees,
// before its network is back.
func startWithErrant(r *trial) error {
	r.master.Cut()
	defer r.master.Mend()
	if err := r.begin(r.master); err != nil {
		return err
	}
	return r.writeAlone(r.master)
}

func switchThenKill(r *trial) error {
	if err := switchover(r); err != nil {
		return err
	}
	r.pause(r.within(time.Second))
	var err error
	if r.master, err = r.crowd.master(); err != nil {
		return err
	}
	r.struck = r.now()
	return r.master.Kill()
}
