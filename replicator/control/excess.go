package control

import (
	"errors"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// aheadGrace is how long a slave may have what its source lacks. A source that
// has just begun may have it soon, and what is known of a master is as old as the
// last look at it, while its slaves go on.
const aheadGrace = 5 * time.Second

// excess is what a slave had at some time and its source lacked. It is a value;
// the zero value is none.
type excess struct {
	set   *cluster.GTIDSet
	since time.Time
}

// after is the excess after one more look, at which the slave had extra (nil:
// nothing) that the source, which had has, lacked. A slave that always has
// something newer than is known of its source is not errant: the source has it
// all in the end. It is pure.
func (e excess) after(extra, has *cluster.GTIDSet, now time.Time) excess {
	switch {
	case extra == nil:
		return excess{}
	case e.set == nil || has.ContainsSet(e.set):
		return excess{extra, now}
	}
	return e
}

// lasts says whether the source will not get it any more.
func (e excess) lasts(now time.Time) bool { return e.set != nil && now.Sub(e.since) >= aheadGrace }

// patient gives a slave that is refused as errant some time before it counts as
// that.
func (k *keeping) patient(v Verdict, err error) (Verdict, error) {
	var errant *ErrantError
	switch {
	case !errors.As(err, &errant):
		return v, err
	case k.excess.lasts(time.Now()):
		return v, &ErrantError{errant.Node, k.excess.set}
	case v.State == StateRunning:
		return v, nil
	}
	return Verdict{State: StateStarting, Failure: failureErrant, Hint: "Nothing, if its source has the same soon."}, nil
}
