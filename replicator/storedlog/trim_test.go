package storedlog

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// shelf is a log of six files with four transactions of about 500 bytes each.
func shelf(t *testing.T, c Config) *Log {
	c.Dir, c.FileSize = t.TempDir(), 2000
	l := opened(t, c)
	rotate(t, l)
	write(t, l, 1, 24, 300)
	if n := len(l.Files()); n != 6 {
		t.Fatalf("%d files", n)
	}
	return l
}

func TestTrim(t *testing.T) {
	later := time.Now().Add(2 * time.Hour)
	for what, test := range map[string]struct {
		config    Config
		needed    []string
		left      int
		cut, near []int
	}{
		"no bound":                    {Config{}, nil, 6, nil, nil},
		"age, nobody there":           {Config{MaxAge: time.Hour}, nil, 1, nil, nil},
		"age, still young":            {Config{MaxAge: 3 * time.Hour}, nil, 6, nil, nil},
		"age, one is late":            {Config{MaxAge: time.Hour}, []string{"1-24", "1-9"}, 4, nil, nil},
		"age, one has nothing":        {Config{MaxAge: time.Hour}, []string{"1-24", ""}, 6, nil, nil},
		"size, nobody there":          {Config{MaxBytes: 9000}, nil, 4, nil, nil},
		"size, one is late":           {Config{MaxBytes: 9000}, []string{"1-24", "1-5", "1-8"}, 4, []int{1}, []int{1, 2}},
		"size, the newest counts":     {Config{MaxBytes: 7000}, nil, 3, nil, nil},
		"size, small":                 {Config{MaxBytes: 1}, []string{"1-20", "1-19"}, 1, []int{1}, nil},
		"size is kept, one goes soon": {Config{MaxBytes: 13000}, []string{"1-3", "1-24"}, 6, nil, []int{0}},
		"a gap in what it has":        {Config{MaxAge: time.Hour}, []string{"1-2:4-24"}, 6, nil, nil},
	} {
		t.Run(what, func(t *testing.T) {
			l := shelf(t, test.config)
			var needed []*cluster.GTIDSet
			for _, have := range test.needed {
				needed = append(needed, set(t, have))
			}
			before := l.Files()
			got, err := l.Trim(needed, later)
			if err != nil {
				t.Fatal(err)
			}
			files := l.Files()
			if len(files) != test.left || len(got.Files) != 6-test.left || !slices.Equal(got.Cut, test.cut) || !slices.Equal(got.Near, test.near) {
				t.Errorf("%d files left, %+v", len(files), got)
			}
			for _, f := range before[:6-len(files)] {
				if left, _ := filepath.Glob(filepath.Join(l.config.Dir, f.Name+"*")); len(left) > 0 {
					t.Errorf("%v are left", left)
				}
			}
			if !l.Oldest().Equal(files[0].Before) {
				t.Errorf("the oldest is %s", l.Oldest())
			}
		})
	}
}

// A reader of a file that is deleted reads on to its end; one whose next file
// is gone is told so.
func TestTrimUnderReaders(t *testing.T) {
	l := shelf(t, Config{MaxAge: time.Hour})
	var readers []*Reader
	for _, have := range []string{"1-20", "1-16", "1-2"} {
		r, err := l.Read(set(t, have))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		readers = append(readers, r)
	}
	if _, err := l.Trim(nil, time.Now().Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := drain(t, readers[0]); !bytes.Equal(got.raw, joined(21, 24, 300)) {
		t.Errorf("%d bytes", len(got.raw))
	}
	if got := drain(t, readers[1]); !bytes.Equal(got.raw, joined(17, 24, 300)) {
		t.Errorf("%d bytes", len(got.raw))
	}
	purged := new(PurgedError)
	if _, err := readers[2].Next(done()); !errors.As(err, &purged) {
		t.Errorf("%v", err)
	}
	if _, err := l.Read(set(t, "1-2")); !errors.As(err, &purged) || !purged.Missing.Equal(set(t, "3-20")) {
		t.Errorf("%v", err)
	}
	ahead := new(AheadError)
	if _, err := l.Read(set(t, "1-26")); !errors.As(err, &ahead) || !ahead.Extra.Equal(set(t, "25-26")) {
		t.Errorf("%v", err)
	}
	if _, err := l.Read(nil); err == nil {
		t.Error("an unknown set is read from")
	}
}

// What is left after a Trim is a log.
func TestTrimAndReopen(t *testing.T) {
	l := shelf(t, Config{MaxBytes: 9000})
	if _, err := l.Trim(nil, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	again := opened(t, l.config)
	if !again.Oldest().Equal(set(t, "1-8")) || !again.Executed().Equal(set(t, "1-24")) {
		t.Errorf("from %s to %s", again.Oldest(), again.Executed())
	}
	if err := os.Remove(filepath.Join(l.config.Dir, again.Files()[1].Name)); err != nil {
		t.Fatal(err)
	}
	if got, err := Verify(t.Context(), l.config.Dir, nil); err != nil || len(got.Problems) != 1 {
		t.Errorf("a file in the middle is gone: %+v, %v", got, err)
	}
}
