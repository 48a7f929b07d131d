package storedlog

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
)

var testKey = []byte("0123456789abcdef0123456789ABCDEF")

func TestInspect(t *testing.T) {
	for _, key := range [][]byte{nil, testKey} {
		l := shelf(t, Config{Key: key})
		dir := l.config.Dir
		if err := appendAll(l, transaction(25, 2*bufferSize)[:4]); err != nil {
			t.Fatal(err)
		}
		files, err := List(dir, key)
		if err != nil || len(files) != 7 { // one has begun for what is open
			t.Fatalf("%v, %v", files, err)
		}
		if f := files[2]; f.Name != "bellwether.000003" || f.Encrypted != (key != nil) || f.Version != "9.7.4" || !f.Before.Equal(set(t, "1-8")) || f.Modified.IsZero() {
			t.Errorf("%+v", f)
		}
		found, err := Find(t.Context(), dir, key, cluster.MySQLGTID(uuid, "", 10))
		var kinds []event.Type
		for _, e := range found.Events {
			kinds = append(kinds, e.Type)
		}
		if err != nil || found.File != "bellwether.000003" || found.Size != sizeOf(transaction(10, 300)) || found.Events[0].Offset != found.Offset {
			t.Errorf("%+v, %v", found, err)
		}
		if want := []event.Type{event.GTID, event.Query, event.TableMap, event.WriteRows, event.XID}; !slices.Equal(kinds, want) {
			t.Errorf("%v", kinds)
		}
		if _, err := Find(t.Context(), dir, key, cluster.MySQLGTID(uuid, "", 26)); !errors.Is(err, ErrNotFound) {
			t.Errorf("%v", err)
		}
		got, err := Verify(t.Context(), dir, key)
		if err != nil || got.Files != 7 || got.Transactions != 24 || got.Open == 0 || len(got.Problems) > 0 || !got.First.IsEmpty() || !got.Last.Equal(set(t, "1-24")) {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

func TestVerifyFindsDamage(t *testing.T) {
	for what, damage := range map[string]func(dir string) error{
		"a turned bit":          func(dir string) error { return turn(filepath.Join(dir, "bellwether.000003"), 700) },
		"a turned bit, at last": func(dir string) error { return turn(filepath.Join(dir, "bellwether.000006"), 700) },
		"cut off":               func(dir string) error { return os.Truncate(filepath.Join(dir, "bellwether.000002"), 1000) },
		"cut off, at last":      func(dir string) error { return os.Truncate(filepath.Join(dir, "bellwether.000006"), 1000) },
		"missing":               func(dir string) error { return os.Remove(filepath.Join(dir, "bellwether.000002")) },
		"missing, at last":      func(dir string) error { return os.Remove(filepath.Join(dir, "bellwether.000006")) },
	} {
		l := shelf(t, Config{})
		if err := damage(l.config.Dir); err != nil {
			t.Fatal(err)
		}
		got, err := Verify(t.Context(), l.config.Dir, nil)
		if err != nil || len(got.Problems) == 0 {
			t.Errorf("%s: %+v, %v", what, got, err)
		}
	}
}

func turn(name string, at int) error {
	raw, err := os.ReadFile(name)
	if err == nil {
		raw[at] ^= 4
		err = os.WriteFile(name, raw, 0o600)
	}
	return err
}

// An encrypted log reads as a plain one, shows nothing of what it holds, and
// opens with its key only; a log may change from plain to encrypted.
func TestEncryption(t *testing.T) {
	dir := t.TempDir()
	plain := opened(t, Config{Dir: dir})
	rotate(t, plain)
	write(t, plain, 1, 3, 100)
	if err := plain.Close(); err != nil {
		t.Fatal(err)
	}
	sealed := opened(t, Config{Dir: dir, Key: testKey, FileSize: 3 << 20})
	rotate(t, sealed)
	write(t, sealed, 4, 9, 1<<20)
	want := append(joined(1, 3, 100), joined(4, 9, 1<<20)...)
	if got := take(t, sealed, set(t, "")); !bytes.Equal(got.raw, want) {
		t.Errorf("%d bytes", len(got.raw))
	}
	if err := sealed.Close(); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(dir, "bellwether.*[2-9]*"))
	if err != nil || len(names) < 3 {
		t.Fatal(names, err)
	}
	nonces := map[string]string{}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err == nil && nonces[string(raw[:sealedHeader])] != "" {
			t.Errorf("%s and %s have the same key stream", name, nonces[string(raw[:sealedHeader])])
		}
		if err == nil {
			nonces[string(raw[:sealedHeader])] = name
		}
		if err != nil || strings.Contains(string(raw), "BEGIN") || bytes.Contains(raw, uuid[:]) || bytes.Contains(raw, []byte("eeee")) {
			t.Errorf("%s shows what it holds: %v", name, err)
		}
	}
	for _, key := range [][]byte{nil, bytes.Repeat([]byte("x"), 32)} {
		if _, err := Open(Config{Dir: dir, Flavour: flavour, Key: key}, nil); !errors.Is(err, ErrKey) {
			t.Errorf("another key: %v", err)
		}
	}
	again := opened(t, Config{Dir: dir, Key: testKey})
	if got := take(t, again, set(t, "")); !bytes.Equal(got.raw, want) {
		t.Errorf("%d bytes after reopening", len(got.raw))
	}
	if got := take(t, again, set(t, "1-7")); !bytes.Equal(got.raw, joined(8, 9, 1<<20)) {
		t.Errorf("%d bytes from the middle", len(got.raw))
	}
}

// Any part of an encrypted file reads the same from anywhere, over the carry of
// the counter too.
func TestSealedFileAtAnyOffset(t *testing.T) {
	d := newMemDisk()
	raw, err := d.create("x")
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSealed(raw, testKey)
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.nonce {
		s.nonce[i] = 0xff
	}
	want := []byte(strings.Repeat("The quick brown fox. ", 20))
	for at := 0; at < len(want); at += 23 {
		if _, err := s.WriteAt(want[at:min(len(want), at+23)], int64(at)); err != nil {
			t.Fatal(err)
		}
	}
	for at := range len(want) {
		got := make([]byte, len(want)-at)
		if _, err := s.ReadAt(got, int64(at)); err != nil || !bytes.Equal(got, want[at:]) {
			t.Fatalf("at %d: %q, %v", at, got, err)
		}
	}
}
