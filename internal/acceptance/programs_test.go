package acceptance

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestCommandLineClients runs the command lines of both flavours against both
// flavours through the proxy, plain and over TLS.
func TestCommandLineClients(t *testing.T) {
	const script = "SELECT 1 AS one; INSERT INTO log (what) VALUES ('cli'); SELECT what FROM log WHERE n = LAST_INSERT_ID(); " +
		"SELECT COUNT(*) FROM t1; SET @x = 5; SELECT @x + 1; SELECT CAST('1y' AS SIGNED); SHOW COUNT(*) WARNINGS; CALL p_sets(1)"
	const want = "one 1 what cli COUNT(*) 5 @x + 1 6 CAST('1y' AS SIGNED) 1 @@session.warning_count 1 n twice 1 2 id b 1 apple"
	onEachFlavour(t, func(t *testing.T, w *world) {
		w.stage(t, "acccli")
		for _, program := range []string{"mysql", "mariadb"} {
			for _, secure := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s,tls=%v", program, secure), func(t *testing.T) {
					out, err := runClient(t.Context(), program, w.proxy.proxyAddr, secure, script)
					if err != nil {
						t.Fatal(err)
					}
					if got := strings.Join(strings.Fields(out), " "); got != want {
						t.Errorf("got  %s\nwant %s", got, want)
					}
				})
			}
		}
	})
}

func runClient(ctx context.Context, program, addr string, secure bool, script string) (string, error) {
	path, err := findProgram(program)
	if err != nil {
		return "", err
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", fmt.Errorf("split address: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	args := []string{"--no-defaults", "--protocol=tcp", "-h" + host, "-P" + port, "-u" + app.user, "-p" + app.password, "--batch", "-e", script, "acccli"}
	command := exec.CommandContext(ctx, path, append(args[:1:1], append(tlsFlags(program, secure), args[1:]...)...)...)
	var out, complaints bytes.Buffer
	command.Stdout, command.Stderr = &out, &complaints
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("run %s: %w: %s", program, err, complaints.String())
	}
	return out.String(), nil
}

func tlsFlags(program string, secure bool) []string {
	switch {
	case program == "mysql" && secure:
		return []string{"--ssl-mode=REQUIRED"}
	case program == "mysql":
		// What a client without TLS and without the server's key has to ask for.
		return []string{"--ssl-mode=DISABLED", "--get-server-public-key"}
	case secure:
		return []string{"--ssl"}
	}
	return []string{"--skip-ssl"}
}

// findProgram looks where scripts/servers.sh unpacks programs, and on PATH.
func findProgram(name string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find cache: %w", err)
	}
	folder := os.Getenv("BELLWETHER_SERVERS")
	if folder == "" {
		folder = filepath.Join(cache, "bellwether", "servers")
	}
	if path := filepath.Join(folder, "bin", name); isFile(path) {
		return path, nil
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("find %s: run scripts/servers.sh: %w", name, err)
	}
	return path, nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
