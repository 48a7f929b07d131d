package playground

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseFlavour(t *testing.T) {
	for _, f := range flavours {
		if got, err := ParseFlavour(f.String()); got != f || err != nil {
			t.Errorf("ParseFlavour(%q) = %v, %v", f, got, err)
		}
	}
	for _, s := range []string{"", "unknown", "MySQL", "postgres"} {
		if got, err := ParseFlavour(s); err == nil {
			t.Errorf("ParseFlavour(%q) = %v, want an error", s, got)
		}
	}
}

func TestFindSaysWhatToDo(t *testing.T) {
	t.Setenv("BELLWETHER_SERVERS", t.TempDir())
	t.Setenv("PATH", fakeServer(t, "mysqld  Ver 5.7.44 for Linux on x86_64"))
	_, err := Find(MySQL)
	if !errors.Is(err, ErrNoServer) || !strings.Contains(err.Error(), "scripts/servers.sh mysql") || !strings.Contains(err.Error(), "too old") {
		t.Errorf("Find: %v", err)
	}
	if _, err := Find(Unknown); err == nil {
		t.Error("found a server of no flavour")
	}
}

func TestFindOnPath(t *testing.T) {
	for said, want := range map[string]string{
		"mysqld  Ver 8.4.3 for Linux on x86_64 (MySQL Community Server - GPL)":  "8.4.3",
		"mysqld  Ver 10.11.6-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64":  "",
		"mysqld  Ver 8.0.25 for Linux on x86_64 (MySQL Community Server - GPL)": "",
		"nonsense": "",
	} {
		t.Setenv("BELLWETHER_SERVERS", t.TempDir())
		t.Setenv("PATH", fakeServer(t, said))
		in, err := Find(MySQL)
		if (err == nil) != (want != "") || want != "" && in.Version != want {
			t.Errorf("%s: got %q, %v; want %q", said, in.Version, err, want)
		}
	}
}

// fakeServer makes a folder with a mysqld that knows only its version.
func fakeServer(t *testing.T, said string) string {
	dir := t.TempDir()
	script := "#!/bin/sh\necho '" + said + "'\n"
	ok(t, os.WriteFile(filepath.Join(dir, "mysqld"), []byte(script), 0o700))
	return dir
}

func TestCacheDirFollowsTheEnvironment(t *testing.T) {
	t.Setenv("BELLWETHER_SERVERS", "")
	t.Setenv("XDG_CACHE_HOME", "/x")
	if got, err := CacheDir(); got != "/x/bellwether/servers" || err != nil {
		t.Errorf("XDG_CACHE_HOME: %s, %v", got, err)
	}
	t.Setenv("XDG_CACHE_HOME", "relative")
	t.Setenv("HOME", "/h")
	if got, err := CacheDir(); got != "/h/.cache/bellwether/servers" || err != nil {
		t.Errorf("HOME: %s, %v", got, err)
	}
	t.Setenv("BELLWETHER_SERVERS", "/b")
	if got, err := CacheDir(); got != "/b" || err != nil {
		t.Errorf("BELLWETHER_SERVERS: %s, %v", got, err)
	}
}

func TestPasswordsAreQuoted(t *testing.T) {
	if got, want := quote(`it's \ok`), `'it''s \\ok'`; got != want {
		t.Errorf("quote: %s, want %s", got, want)
	}
}
