package wire

import (
	"encoding/hex"
	"fmt"
	"testing"
)

// sha2HashOf is what MySQL would keep of a password, with a salt that is no text.
func sha2HashOf(password string) string {
	const salt = "\x01\x7fsaltsaltsaltsalt\"'"
	return "0x" + hex.EncodeToString([]byte("$A$005$"+salt+sha256Crypt(password, salt, 5000)))
}

// TestSHA256Crypt holds what `openssl passwd -5 -salt SALT PASSWORD` prints.
func TestSHA256Crypt(t *testing.T) {
	for _, c := range []struct{ salt, password, want string }{
		{"saltstring", "Hello world!", "5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"},
		{"saltstringsaltst", "Hello world!", "a5C8Ofk71MUIoKve2QuP9FMl.dwNgseF5tR1LGAL7iB"},
		{"saltstringsaltst", "a", "37CelltD6iMn9nFf.xJrAnACdAdHwtWz5Z4YML7HKcB"},
		{"saltstringsaltst", "pass wörd", "fFL7h2n.nvRGxFn/I8Oi8GZW3I.zE2nqAJRuZgj5Sh4"},
		{"saltstringsaltst", "a password of more than thirty-two bytes, and then some more of it",
			"2I4bcfjxwm7ihtdtO64ESoAq4EbIhnjszPrQO8wLu21"},
	} {
		if got := sha256Crypt(c.password, c.salt, 5000); got != c.want {
			t.Errorf("%s, %s: %s, want %s", c.password, c.salt, got, c.want)
		}
	}
}

func TestSHA2HashSaysNothing(t *testing.T) {
	h, err := ParseSHA2Hash(sha2HashOf("pw"))
	if err != nil || !h.Matches("pw") || h.Matches("PW") || h.Matches("") || (SHA2Hash{}).Matches("") {
		t.Fatalf("%v", err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d"} {
		if got := fmt.Sprintf(verb, h); got != redacted {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}
