package cluster

import (
	"encoding/hex"
	"errors"
	"testing"

	"pgregory.net/rapid"
)

func TestBinaryGTIDSet(t *testing.T) {
	const uuid = "3e11fa4771ca11e19e33c80aa9429562"
	for text, want := range map[string]string{
		"":                                    "0000000000000000",
		uuidA + ":1-3":                        "0100000000000000" + uuid + "0100000000000000" + "0100000000000000" + "0400000000000000",
		uuidA + ":ab:2":                       "0101000000000001" + uuid + "046162" + "0100000000000000" + "0200000000000000" + "0300000000000000",
		uuidA + ":1:ab:2":                     "0102000000000001" + uuid + "00" + "010000000000000001000000000000000200000000000000" + uuid + "046162" + "010000000000000002000000000000000300000000000000",
		uuidA + ":1:3-4":                      "0100000000000000" + uuid + "0200000000000000" + "01000000000000000200000000000000" + "03000000000000000500000000000000",
		uuidA + ":1-" + "9223372036854775806": "0100000000000000" + uuid + "0100000000000000" + "0100000000000000" + "ffffffffffffff7f",
	} {
		set := mustGTID(t, FlavourMySQL, text)
		if got := hex.EncodeToString(set.AppendBinary(nil)); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
		raw, _ := hex.DecodeString(want)
		if again, err := ParseBinaryGTIDSet(raw); err != nil || !again.Equal(set) {
			t.Errorf("%q came back as %v, %v", text, again, err)
		}
		for cut := range raw {
			if set, err := ParseBinaryGTIDSet(raw[:cut]); !errors.Is(err, ErrGTIDSyntax) {
				t.Errorf("%q cut at %d: %v, %v", text, cut, set, err)
			}
		}
	}
}

func TestBinaryGTIDSetRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set := mustDraw(t, FlavourMySQL, drawMySQL(t, "set"))
		again, err := ParseBinaryGTIDSet(set.AppendBinary(nil))
		if err != nil || !again.Equal(set) {
			t.Fatalf("%s came back as %v, %v", set, again, err)
		}
	})
}

func FuzzParseBinaryGTIDSet(f *testing.F) {
	for _, text := range []string{"", uuidA + ":1-3:5," + uuidB + ":7", uuidA + ":1-3:5:tag:1-2"} {
		set, err := ParseGTIDSet(FlavourMySQL, text)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(set.AppendBinary(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		set, err := ParseBinaryGTIDSet(b)
		if err != nil {
			if !errors.Is(err, ErrGTIDSyntax) {
				t.Fatal(err)
			}
			return
		}
		again, err := ParseBinaryGTIDSet(set.AppendBinary(nil))
		if err != nil || !again.Equal(set) || again.String() != set.String() {
			t.Fatalf("%s came back as %v, %v", set, again, err)
		}
	})
}
