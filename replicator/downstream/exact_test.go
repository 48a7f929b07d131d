package downstream

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
)

// exactTx is a transaction of MariaDB's with these flags and this text at its
// end; with a commit id, if the flags say so.
func exactTx(n uint64, flags byte, text string) memTx {
	tx := makeTx(cluster.FlavourMariaDB, n, 1, 0)
	gtid, rest, err := cut(tx.events)
	if err != nil {
		panic(err)
	}
	query, _, err := cut(rest)
	if err != nil {
		panic(err)
	}
	gtid = slices.Clone(gtid)
	gtid[mariaFlagsOffset] = flags
	if flags&mariaHasCommitID != 0 {
		gtid = slices.Insert(gtid, mariaCommitIDOffset, 9, 0, 0, 0, 0, 0, 0, 0)
		binary.LittleEndian.PutUint32(gtid[sizeOffset:], uint32(len(gtid)))
	}
	query = slices.Concat(query[:event.HeaderSize], make([]byte, 14), []byte(text), make([]byte, event.ChecksumSize))
	binary.LittleEndian.PutUint32(query[sizeOffset:], uint32(len(query)))
	tx.events = slices.Concat(sealed(gtid), sealed(query))
	return tx
}

// A MariaDB slave gets a transaction that rolls back as one that commits
// nothing, and XA COMMIT as DDL; tools get what is stored.
func TestExactStream(t *testing.T) {
	flavour := cluster.FlavourMariaDB
	log := filled(flavour, 1, 1)
	log.add(exactTx(2, 0x0c, "ROLLBACK"), exactTx(3, 0x8f, "XA COMMIT X'78',X'',1"), exactTx(4, 0x8d, "XA ROLLBACK X'78',X'',1"), exactTx(5, 0x0c, "SELECT 'ROLLBACK'"))
	var stored []byte
	for _, tx := range log.files[0].txs[1:] {
		stored = append(stored, tx.events...)
	}
	s := serve(t, testConfig(flavour), log)
	tool := reads(t, s, flavour, set(flavour, 1))
	tool.dump(flagNonBlocking, 0, "", 4)
	if got, _ := tool.events(1000); !bytes.Equal(slices.Concat(bare(got[3:])...), stored) {
		t.Errorf("a tool gets %v, not what is stored", types(got))
	}
	slave := reads(t, s, flavour, set(flavour, 1))
	slave.asks(flavour, flagNonBlocking, 7, set(flavour, 1))
	got, _ := slave.events(1000)
	var texts []string
	var flags []byte
	for _, e := range got[3:] {
		switch {
		case !e.ChecksumOK() || int(e.Size()) != len(e):
			t.Errorf("%v is not whole", e.Type())
		case e.Type() == event.MariaGTID:
			flags = append(flags, e[mariaFlagsOffset])
		default:
			texts = append(texts, textOf(e))
		}
	}
	want := []string{"ROLLBACK AND CHAIN", "COMMIT", "XA Commit X'78',X'',1", "XA ROLLBACK X'78',X'',1", "SELECT 'ROLLBACK'"}
	if !slices.Equal(texts, want) || !bytes.Equal(flags, []byte{0x0c, 0xaf, 0xad, 0x0c}) {
		t.Errorf("a slave gets %q with the flags %x", texts, flags)
	}
	if id := got[6][mariaCommitIDOffset:]; binary.LittleEndian.Uint64(id) == 9 {
		t.Error("XA COMMIT is sent as one of those that were committed together")
	}
}

// bare are the bytes of events.
func bare(events []event.Event) (out [][]byte) {
	for _, e := range events {
		out = append(out, e)
	}
	return out
}
