//go:build chaos

package acceptance

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"time"

	"github.com/bellwether-db/bellwether/internal/playground"
)

// These are the faults that people make, and some that come in pairs.

func killSlaves(r *trial) error {
	for _, n := range r.slaves {
		if err := n.Kill(); err != nil {
			return err
		}
	}
	return nil
}

func startSlaves(r *trial) error {
	for _, n := range r.slaves {
		if err := r.begin(n); err != nil {
			return err
		}
	}
	return nil
}

// wantSameMaster wants that nobody was promoted.
func wantSameMaster(r *trial) error {
	if now, err := r.crowd.master(); err != nil || now != r.master {
		return fmt.Errorf("the master is not %s any more (%w)", r.master.Name, err)
	}
	return nil
}

// flap cuts the master off again and again, for a moment each time.
func flap(r *trial) error {
	for range 6 {
		r.master.Cut()
		r.pause(r.within(500 * time.Millisecond))
		r.master.Mend()
		r.pause(r.within(500 * time.Millisecond))
	}
	return nil
}

// ownClosing is how long after its own opening of a master the product takes one
// that is closed for its own doing, and a little more.
const ownClosing = 5 * time.Second

// closeByHand makes the master read-only for two seconds, as somebody may who
// does not know of Bellwether, and wants it to be left like that.
func closeByHand(r *trial) error {
	r.pause(ownClosing)
	r.struck = r.now()
	off, on := "SET GLOBAL super_read_only = 1", "SET GLOBAL super_read_only = 0, GLOBAL read_only = 0"
	if r.mariadb() {
		off, on = "SET GLOBAL read_only = 1", "SET GLOBAL read_only = 0"
	}
	if err := r.master.Exec(r.Context(), off); err != nil {
		return err
	}
	r.pause(2 * time.Second)
	closed, err := r.master.Query(r.Context(), "SELECT @@GLOBAL.read_only")
	if err == nil && closed != "1" {
		err = errors.New("the master was opened again, and not by whom it was closed")
	}
	return errors.Join(err, r.master.Exec(r.Context(), on))
}

// openByHand makes a slave writable and writes a row there that nobody else has.
func openByHand(r *trial) error { return r.writeAlone(r.slave()) }

// openAndKill has the master die a moment later.
func openAndKill(r *trial) error {
	if err := r.writeAlone(r.slave()); err != nil {
		return err
	}
	r.pause(r.within(time.Second))
	r.struck = r.now()
	return r.master.Kill()
}

// copyAnew is what is told to do about a slave with writes of its own, once
// that was told.
func copyAnew(r *trial) error {
	if err := r.until(serveAgain, func() error { return r.reported(r.slave()) }); err != nil {
		return err
	}
	before, err := os.ReadFile(r.config)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("{name: %s,", r.slave().Name)
	if err := os.WriteFile(r.config, bytes.Replace(before, []byte(name), []byte(name+" maintenance: true,"), 1), 0o600); err != nil {
		return err
	}
	out, err := exec.CommandContext(r.Context(), r.binary, "sync", r.slave().Name, "--config", r.config).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("sync %s: %w: %s", r.slave().Name, err, tail(string(out), 500))
	}
	return errors.Join(err, os.WriteFile(r.config, before, 0o600), r.proxy.command.Process.Signal(syscall.SIGHUP))
}

func startAndCopyAnew(r *trial) error {
	if err := r.begin(r.master); err != nil {
		return err
	}
	return copyAnew(r)
}

// reported is an error while nothing is told of a slave that differs.
func (r *trial) reported(n *playground.Node) error {
	text, err := r.proxy.metrics()
	if err == nil && !regexp.MustCompile(`(?m)^bellwether_problems\{.*kind="slave_(errant|broken|diverged)".*node="`+n.Name+`".*\} 1$`).MatchString(text) {
		err = fmt.Errorf("no problem is told of %s", n.Name)
	}
	return err
}

// writeAlone has a node take a write that nobody else sees.
func (r *trial) writeAlone(n *playground.Node) error {
	nobodyWaits, open := "SET GLOBAL rpl_semi_sync_source_enabled = 0", "SET GLOBAL super_read_only = 0, GLOBAL read_only = 0"
	if r.mariadb() {
		nobodyWaits, open = "SET GLOBAL rpl_semi_sync_master_enabled = 0", "SET GLOBAL read_only = 0"
	}
	return n.Exec(r.Context(), nobodyWaits, open,
		fmt.Sprintf("INSERT INTO chaos.singles (id, run, client, number) VALUES (%d, -1, -1, %d)", r.errantID(), errantMark))
}

// killProductInSwitchover gives the order, and kills the product in the middle.
func killProductInSwitchover(r *trial) error {
	order := exec.CommandContext(r.Context(), r.binary, "switchover", "--config", r.config)
	if err := order.Start(); err != nil {
		return err
	}
	r.pause(r.within(400 * time.Millisecond))
	err := killProduct(r)
	_ = order.Wait() // it has lost who was to do it
	return err
}
