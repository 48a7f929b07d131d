//go:build chaos

package acceptance

import "time"

// directFaults are the main ones where slaves replicate from the master itself
// (feed: direct). What no slave had received when the master died is lost there,
// and nobody can tell how a write in flight ended; nothing else is lost. A master
// that is frozen is held on to while its slaves do not know: immutable.
var directFaults = []fault{
	{name: "direct: nothing", strike: nothing},
	{name: "direct: master killed", strike: killMaster, mend: startMaster, promised: deadPromised, lossy: true, tolerated: nobodyKnows},
	{name: "direct: new master dies too", strike: killInTurn, mend: startInTurn, lossy: true, tolerated: nobodyKnows},
	{name: "direct: slave behind, master killed", strike: stopOneApplier, mend: startMaster, lossy: true, tolerated: nobodyKnows},
	{name: "direct: master frozen for a while", strike: freezeForAWhile, after: wantSameMaster, quiet: true, tolerated: nobodyKnows},
	{name: "direct: connections reset", strike: resetMaster, tolerated: []string{"50102", otherAnswer}},
	{name: "direct: slave killed", strike: killSlave, mend: startSlave, after: wantSameMaster},
	{name: "direct: Bellwether killed", strike: killProduct, tolerated: cutOff},
	{name: "direct: switchover", strike: switchover, promised: 300 * time.Millisecond},
}

// nobodyKnows is what clients are told of a write in flight without a stored log.
var nobodyKnows = []string{"50102"}

// freezeForAWhile stops the master for three seconds.
func freezeForAWhile(r *trial) error {
	if err := r.master.Pause(); err != nil {
		return err
	}
	r.pause(3 * time.Second)
	return r.master.Resume()
}
