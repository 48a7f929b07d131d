package replicator

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/bellwether-db/bellwether/replicator/upstream"
)

// formerMaster is a server that came back without transactions that are stored,
// and were acknowledged. It gives their GTIDs to others as soon as it is
// written to, which slaves would skip in silence, and nothing tells that
// afterwards: so it is remembered on disk. The zero value is none.
type formerMaster struct {
	Identity string `json:"identity"`
	Missing  string `json:"missing"` // the GTIDs that it lacked
	Why      string `json:"why"`
}

const formerName = "former-master.json"

// ErrFormer is what the error of MayOpen wraps about such a server.
var ErrFormer = errors.New("it is a former master")

func (f *formerMaster) refuse(dir string) error {
	return fmt.Errorf("%w: it came back without %s, which are stored and were acknowledged; promote a slave that has them, "+
		"or, to go on with that loss, stop bellwether, remove %s and the stored log, and copy the slaves anew",
		ErrFormer, f.Missing, filepath.Join(dir, formerName))
}

// loadFormer reads what is remembered in dir.
func loadFormer(dir string) (f formerMaster, err error) {
	if err = readJSON(dir, formerName, &f); err != nil {
		return f, fmt.Errorf("read which master is refused: %w", err)
	}
	return f, nil
}

// rejected returns the refusal of a server that is remembered, or nil.
func (r *Replicator) rejected(identity string) error {
	if f := r.former.Load(); f != nil && f.Identity != "" && f.Identity == identity {
		return f.refuse(r.settings().Dir)
	}
	return nil
}

// remember keeps a refusal that must outlive this process. Others pass, and so
// does one of a stored log that nothing was promised of yet.
func (r *Replicator) remember(identity string, err error) error {
	var refusal *upstream.Refusal
	if !errors.As(err, &refusal) || refusal.Reason != upstream.ReasonBehind || !r.promised.Load() {
		return err
	}
	f := &formerMaster{Identity: identity, Missing: refusal.Missing.String(), Why: refusal.Error()}
	r.former.Store(f)
	return errors.Join(f.refuse(r.settings().Dir), writeJSON(r.settings().Dir, formerName, f))
}

// forgive forgets the refusal of a server that was found fit to be a slave, or made
// a copy: it may be the master one day.
func (r *Replicator) forgive(identity string) error {
	if f := r.former.Load(); f == nil || f.Identity != identity {
		return nil
	}
	r.former.Store(&formerMaster{})
	if err := os.Remove(filepath.Join(r.settings().Dir, formerName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget which master is refused: %w", err)
	}
	return nil
}

// MayOpen says whether a server may be opened for writes: not before the stored
// log is open, and never if it lacks what is stored there. Its error says which
// transactions, and what to do. Where nothing is promised nothing is known
// against it.
func (r *Replicator) MayOpen(ctx context.Context, addr, identity string) error {
	if !r.promised.Load() {
		return nil
	}
	if err := r.rejected(identity); err != nil {
		return err
	}
	relay := r.relay.Load()
	if relay == nil {
		return errors.New("the stored log is not open yet")
	}
	return r.remember(identity, upstream.Check(ctx, relay.upstream(source{addr: addr, identity: identity}), relay.stored.Executed()))
}
