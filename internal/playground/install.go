package playground

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// ErrNoServer is wrapped by Find's error when there is no server to start.
var ErrNoServer = errors.New("no server found")

// Install is a server program that can be started. It is a value.
type Install struct {
	Flavour Flavour
	// Version is what the server says of itself, such as "9.7.1" or
	// "10.11.6-MariaDB".
	Version string
	// Program is the absolute path of the program or of a script that execs it.
	Program string
	// Args come before all others.
	Args []string
	// Share is the folder with the flavour's bootstrap SQL; MariaDB only.
	Share string
}

// Find looks for a server of the flavour: in the cache of scripts/servers.sh
// first, then on PATH. Its error wraps ErrNoServer and says what to do.
func Find(f Flavour) (Install, error) {
	if f != MySQL && f != MariaDB {
		return Install{}, fmt.Errorf("find server: flavour %s", f)
	}
	in, err := findCached(f)
	if err != nil {
		var onPath error
		if in, onPath = findOnPath(f); onPath != nil {
			return Install{}, fmt.Errorf("find %s: %w (%w; %w): run scripts/servers.sh %s (or `make servers`), or %s",
				f, ErrNoServer, err, onPath, f, byHand(f))
		}
	}
	return in, nil
}

func byHand(f Flavour) string {
	if f == MariaDB {
		return "install MariaDB 10.5 or newer so that mariadbd is on PATH (Debian, Ubuntu: apt install mariadb-server-core)"
	}
	return "install MySQL 8.0.26 or newer so that mysqld is on PATH (Debian unstable: apt install mysql-server-core)"
}

// CacheDir is the folder that scripts/servers.sh fills: $BELLWETHER_SERVERS, or
// bellwether/servers in the user's cache folder.
func CacheDir() (string, error) {
	if dir := os.Getenv("BELLWETHER_SERVERS"); dir != "" {
		return filepath.Abs(dir)
	}
	if dir := os.Getenv("XDG_CACHE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "bellwether", "servers"), nil
	}
	home := os.Getenv("HOME")
	if home == "" {
		u, err := user.Current()
		if err != nil {
			return "", fmt.Errorf("find cache folder: %w", err)
		}
		home = u.HomeDir
	}
	return filepath.Join(home, ".cache", "bellwether", "servers"), nil
}

func findCached(f Flavour) (Install, error) {
	dir, err := CacheDir()
	if err != nil {
		return Install{}, err
	}
	record := filepath.Join(dir, f.String(), "install.env")
	text, err := os.ReadFile(record)
	if err != nil {
		return Install{}, fmt.Errorf("read cache: %w", err)
	}
	version := setting(string(text), "version")
	if version == "" {
		return Install{}, fmt.Errorf("read cache: no version in %s", record)
	}
	return Install{
		Flavour: f,
		Version: version,
		Program: filepath.Join(dir, "bin", f.daemon()),
		Share:   shareFolder(filepath.Join(dir, f.String(), "usr")),
	}, nil
}

// setting reads one KEY=value line.
func setting(text, key string) string {
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, key+"="); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func findOnPath(f Flavour) (Install, error) {
	program, err := lookServer(f.daemon())
	if err != nil {
		return Install{}, err
	}
	said, err := exec.Command(program, "--no-defaults", "--version").Output()
	if err != nil {
		return Install{}, fmt.Errorf("ask %s for its version: %w", program, err)
	}
	in := Install{Flavour: f, Program: program, Args: []string{"--no-defaults"}, Share: shareFolder(filepath.Dir(filepath.Dir(program)))}
	in.Version = versionPattern.FindString(string(said))
	return in, in.check(string(said))
}

var versionPattern = regexp.MustCompile(`\d+\.\d+\.\d+(-MariaDB)?`)

// lookServer looks also where servers live that are not on a user's PATH.
func lookServer(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return filepath.Abs(path)
	}
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/usr/local/mysql/bin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not on PATH", name)
}

// shareFolder is where MariaDB's SQL is below a base folder; its newer versions
// use another name.
func shareFolder(base string) string {
	for _, name := range []string{"mariadb", "mysql"} {
		share := filepath.Join(base, "share", name)
		if found, _ := filepath.Glob(filepath.Join(share, "*_system_tables.sql")); len(found) > 0 {
			return share
		}
	}
	return filepath.Join(base, "share", "mysql")
}

// check refuses a program of the other flavour (mysqld is MariaDB's on many
// systems) and versions without what the playground needs.
func (in Install) check(said string) error {
	if mariadb := strings.Contains(said, "MariaDB"); mariadb != (in.Flavour == MariaDB) {
		return fmt.Errorf("%s is not %s: %s", in.Program, in.Flavour, strings.TrimSpace(said))
	}
	oldest := [3]int{8, 0, 26}
	if in.Flavour == MariaDB {
		oldest = [3]int{10, 5, 0}
	}
	if compareVersions(parseVersion(in.Version), oldest) < 0 {
		return fmt.Errorf("%s is %s, too old", in.Program, in.Version)
	}
	return nil
}

func parseVersion(s string) (v [3]int) {
	number, _, _ := strings.Cut(s, "-")
	for i, part := range strings.SplitN(number, ".", 3) {
		v[i], _ = strconv.Atoi(part) // a part that is no number counts as 0: too old
	}
	return v
}

func compareVersions(a, b [3]int) int {
	for i := range a {
		if a[i] != b[i] {
			return a[i] - b[i]
		}
	}
	return 0
}
