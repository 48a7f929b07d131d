package downstream

import (
	"context"
	"fmt"
	"sync"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
	"github.com/bellwether-db/bellwether/replicator/storedlog"
)

// memLog is a stored log in memory, with the same rules.
type memLog struct {
	flavour cluster.Flavour
	before  *cluster.GTIDSet // what the oldest file begins behind

	mu      sync.Mutex
	files   []*memFile
	changed chan struct{}
}

type memFile struct {
	name   string
	format event.Event
	before *cluster.GTIDSet
	begin  int64 // of the first transaction
	size   int64
	txs    []memTx
}

// memTx is one transaction: its events, and where they stand.
type memTx struct {
	gtid   cluster.GTID
	offset int64
	events []byte
}

func newMemLog(flavour cluster.Flavour) *memLog {
	return &memLog{flavour: flavour, before: cluster.EmptyGTIDSet(flavour), changed: make(chan struct{})}
}

// rotate begins a file.
func (l *memLog) rotate(format event.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.executedLocked()
	list := event.AppendPreviousGTIDs
	if l.flavour == cluster.FlavourMariaDB {
		list = event.AppendGTIDList
	}
	header := int64(4 + len(format) + len(list(nil, before, event.Stamp{Checksum: true})))
	l.files = append(l.files, &memFile{
		name: fmt.Sprintf("stored.%06d", len(l.files)+1), format: append(event.Event(nil), format...),
		before: before, begin: header, size: header,
	})
}

// add appends transactions and shows them.
func (l *memLog) add(txs ...memTx) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.files[len(l.files)-1]
	for _, tx := range txs {
		tx.offset = f.size
		f.txs = append(f.txs, tx)
		f.size += int64(len(tx.events))
	}
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *memLog) executedLocked() *cluster.GTIDSet {
	set := l.before
	for _, f := range l.files {
		for _, tx := range f.txs {
			set = set.With(tx.gtid)
		}
	}
	return set
}

func (l *memLog) Executed() *cluster.GTIDSet {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.executedLocked()
}

func (l *memLog) Oldest() *cluster.GTIDSet { return l.before }

func (l *memLog) Changed() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changed
}

func (l *memLog) Files() []storedlog.File {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []storedlog.File
	for _, f := range l.files {
		out = append(out, storedlog.File{Name: f.name, Size: f.size, Before: f.before})
	}
	return out
}

func (l *memLog) Read(have *cluster.GTIDSet) (Reader, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if missing := l.before.Subtract(have); !missing.IsEmpty() {
		return nil, &storedlog.PurgedError{Missing: missing}
	}
	if extra := have.Subtract(l.executedLocked()); !extra.IsEmpty() {
		return nil, &storedlog.AheadError{Extra: extra}
	}
	at := 0
	for i, f := range l.files {
		if have.ContainsSet(f.before) {
			at = i
		}
	}
	return &memReader{log: l, have: have, file: at, tx: -1}, nil
}

// memReader hands out one transaction in a piece; tx -1 is the file's start.
type memReader struct {
	log      *memLog
	have     *cluster.GTIDSet
	file, tx int
}

func (r *memReader) Next(ctx context.Context) (storedlog.Piece, error) {
	for {
		p, ok := r.there()
		changed := r.log.Changed()
		if !ok {
			p, ok = r.there() // it may have come in between
		}
		if ok {
			return p, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return p, ctx.Err()
		}
	}
}

func (r *memReader) there() (storedlog.Piece, bool) {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	for r.file < len(r.log.files) {
		f := r.log.files[r.file]
		if r.tx < 0 {
			r.tx = 0
			return storedlog.Piece{File: f.name, Start: true, Format: f.format, Before: f.before, Offset: 4}, true
		}
		for r.tx < len(f.txs) {
			tx := f.txs[r.tx]
			r.tx++
			if !r.have.Contains(tx.gtid) {
				return storedlog.Piece{File: f.name, Offset: tx.offset, Events: tx.events, Last: tx.gtid}, true
			}
		}
		if r.file+1 == len(r.log.files) {
			break
		}
		r.file, r.tx = r.file+1, -1
	}
	return storedlog.Piece{}, false
}

func (r *memReader) Close() error { return nil }
