package admin

import (
	"io"
	"net"
	"testing"
	"testing/iotest"
)

// spoken is a connection that says these bytes and then ends.
type spoken struct {
	net.Conn
	io.Reader
}

func (s spoken) Read(into []byte) (int, error) { return s.Reader.Read(into) }

func TestRequestLine(t *testing.T) {
	for from, want := range map[string]string{
		"GET /a?b=c d, e f HTTP/1.1\r\nHost: x y\r\n\r\nGET /g h HTTP/1.1\r\n": "GET /a?b=c%20d,%20e%20f HTTP/1.1\r\nHost: x y\r\n\r\nGET /g h HTTP/1.1\r\n",
		"GET /a HTTP/1.1\r\n\r\n":             "GET /a HTTP/1.1\r\n\r\n",
		"GET  /a HTTP/1.0\n\n":                "GET %20/a HTTP/1.0\n\n",
		"nonsense without an end":             "nonsense without an end",
		"GET /a b\r\n\r\n":                    "GET /a b\r\n\r\n",
		"\r\n":                                "\r\n",
		"":                                    "",
		"GET /x HTTP/1.1 y HTTP/1.1\r\n":      "GET /x%20HTTP/1.1%20y HTTP/1.1\r\n",
		"POST / HTTP/1.1\r\n\r\na b HTTP/1.1": "POST / HTTP/1.1\r\n\r\na b HTTP/1.1",
	} {
		for name, slow := range map[string]func(io.Reader) io.Reader{
			"whole": func(r io.Reader) io.Reader { return r }, "bytes": iotest.OneByteReader, "with its end": iotest.DataErrReader,
		} {
			got, err := io.ReadAll(&repairing{Conn: spoken{Reader: slow(stringReader(from))}})
			if err != nil || string(got) != want {
				t.Errorf("%s, %q: %q, %v, want %q", name, from, got, err, want)
			}
		}
	}
}

func stringReader(s string) io.Reader { return &text{rest: s} }

// text is a reader without the shortcuts of strings.Reader.
type text struct{ rest string }

func (t *text) Read(into []byte) (int, error) {
	if t.rest == "" {
		return 0, io.EOF
	}
	n := copy(into, t.rest)
	t.rest = t.rest[n:]
	return n, nil
}

func FuzzRequestLine(f *testing.F) {
	f.Add("GET /a?b=c d HTTP/1.1\r\nHost: x\r\n\r\n")
	f.Fuzz(func(t *testing.T, sent string) {
		got, err := io.ReadAll(&repairing{Conn: spoken{Reader: stringReader(sent)}})
		if err != nil || len(got) < len(sent) {
			t.Fatalf("%q became %q, %v", sent, got, err)
		}
	})
}
