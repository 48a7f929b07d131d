package svg

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write the golden file")

const goldenFile = "testdata/drawing.svg"

func TestDrawing(t *testing.T) {
	c := New(100, 50.25)
	c.Line(0, 0, 100, 50, "#aaa", 1, "")
	c.Line(0, 50, 100, 0.04, "#aaa", 0.5, "4 3")
	c.Box(10, 10, 20.55, 5, "#00f")
	c.Dot(50, 25, 3.5, "#f00")
	c.Text(50, 40, Font{Size: 10, Color: "#000", Align: Middle}, `a < b & "c"`)
	c.Text(99, 45, Font{Size: 8, Color: "#000", Align: End, Bold: true}, "end")
	got := c.Bytes()
	wellFormed(t, got)
	if *update {
		if err := os.WriteFile(goldenFile, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("drew\n%s\nwant\n%s", got, want)
	}
}

func wellFormed(t *testing.T, text []byte) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(text))
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestNum(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 1: "1", 1.25: "1.2", -3.04: "-3", 100: "100", 0.06: "0.1"} {
		if got := num(v); got != want {
			t.Errorf("%v is written %q, want %q", v, got, want)
		}
	}
}
