package wire

import "encoding/binary"

// StatusMayDiffer are the status flags that may differ between two answers of
// servers with the same data: whether an index was used, which each optimizer
// decides by its own samples, how long it took, and what only tells of the
// connection.
const StatusMayDiffer = StatusNoGoodIndexUsed | StatusNoIndexUsed | StatusQueryWasSlow | StatusSessionStateChanged |
	StatusMetadataChanged

// digestRaw takes in what was examined and is not in the digest yet.
func (x *Relay) digestRaw() {
	if from := x.node.r + x.digested; from < x.scan {
		_, _ = x.Digest.Write(x.node.in[from:x.scan])
		x.digested = x.scan - x.node.r
	}
}

// digestOK takes in an OK or EOF packet, as far as it counts.
func (x *Relay) digestOK(header byte, ok *OK) {
	b := binary.LittleEndian.AppendUint64(x.scratch[:0], ok.AffectedRows)
	b = binary.LittleEndian.AppendUint64(b, ok.InsertID)
	b = binary.LittleEndian.AppendUint16(b, ok.Status&^StatusMayDiffer)
	b = binary.LittleEndian.AppendUint16(b, ok.Warnings)
	b = append(append(b, header), ok.Info...)
	x.scratch = b[:0]
	_, _ = x.Digest.Write(b)
}

// digestedSoFar notes that the packet before scan is in the digest.
func (x *Relay) digestedSoFar() { x.digested = x.scan - x.node.r }
