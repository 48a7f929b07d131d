package fullcopy

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"
)

// clones: MySQL's own way, with somebody who starts the server again. A MariaDB
// is refused before anything has happened.
func (w *world) clones() {
	c := w.setup()
	c.Method = MethodClone
	if w.maria() {
		if _, err := New(c, w.logger()).Run(w.soon()); !errors.Is(err, ErrUnfit) {
			w.Errorf("CLONE of a MariaDB: %v", err)
		}
		w.follow() // its source has not been touched
		return
	}
	if _, err := New(c, w.logger()).Run(w.soon()); !errors.Is(err, ErrUnfit) || !strings.Contains(err.Error(), "shop.myi (MyISAM)") {
		w.Errorf("CLONE would lose rows: %v", err)
	}
	w.exec(w.master(), "ALTER TABLE shop.myi ENGINE = InnoDB", "DELETE FROM shop.myi WHERE id >= 10")
	ctx, stop := context.WithCancel(w.soon())
	var group sync.WaitGroup
	group.Go(func() { w.supervise(ctx) })
	stopWriter := w.writer(20 * time.Millisecond)
	copying := New(c, w.logger())
	begun := time.Now()
	result, err := copying.Run(w.soon())
	w.Logf("%v in %v: %v", result.Position, time.Since(begun), copying.Progress())
	w.ok(err)
	stop()
	group.Wait()
	if p := copying.Progress(); p.Phase != PhaseDone || p.Bytes == 0 || p.BytesExpected == 0 || p.Attempt != 1 {
		w.Errorf("progress %+v", p)
	}
	if result.Position.IsEmpty() || w.query(w.slave(), "SELECT @@GLOBAL.super_read_only") != "1" {
		w.Errorf("position %v", result.Position)
	}
	if enabled := w.query(w.slave(), "SELECT COUNT(*) FROM information_schema.EVENTS WHERE STATUS = 'ENABLED'"); enabled != "0" {
		w.Errorf("%s events run on the clone", enabled)
	}
	w.follow()
	stopWriter()
	w.ok(w.nodes.WaitCaughtUp(w.soon()))
	w.equal()
}

// supervise starts the slave again when it has ended, as an operator does who
// reads what sync says.
func (w *world) supervise(ctx context.Context) {
	for ctx.Err() == nil {
		if w.slave().PID() == 0 {
			if err := w.slave().StartServer(w.soon()); err != nil && !strings.Contains(err.Error(), "context") {
				w.Error(err)
			}
		}
		_ = pause(ctx, 50*time.Millisecond)
	}
}
