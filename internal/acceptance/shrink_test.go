package acceptance

import (
	"slices"
	"time"
)

// shrinkFor bounds how long one failing program is made smaller.
const shrinkFor = 6 * time.Second

// shrink plays ever smaller parts of a program that differed and returns the
// smallest that still differs at the same statement. alone is false where not even the whole one
// differs when it is played again: then what other clients did matters, and
// the program up to its difference is returned. The first statement stays: it
// makes a client's FOUND_ROWS() its own.
func (s *stage) shrink(p program, v verdict) (small program, found verdict, alone bool) {
	small, found = p, v
	small.steps = p.steps[:v.at]
	deadline := time.Now().Add(shrinkFor)
	again, err := s.play(small)
	if err != nil || small.at(again) != p.at(v) {
		return small, found, false
	}
	for size := len(small.steps) / 2; size > 0; size /= 2 {
		for at := 1; at < len(small.steps) && time.Now().Before(deadline); {
			less := small
			end := min(at+size, len(small.steps))
			less.steps = slices.Delete(slices.Clone(small.steps), at, end)
			verdict, err := s.play(less)
			if err != nil || less.at(verdict) != p.at(v) {
				at = end
				continue
			}
			less.steps = less.steps[:verdict.at]
			small, found = less, verdict
		}
	}
	return small, found, true
}
