package playground

import (
	"bufio"
	"context"
	"fmt"
	"os"
	osexec "os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// orphanDir, in the environment, makes this test binary a parent that starts a
// server in that folder, says its pid, and waits to be killed.
const orphanDir = "PLAYGROUND_ORPHAN_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(orphanDir); dir != "" {
		c, err := Start(context.Background(), Options{Flavour: MariaDB, Dir: dir, Relaxed: true})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(c.Master.PID())
		select {}
	}
	os.Exit(m.Run())
}

func TestServersDieWithTheirParent(t *testing.T) {
	parent := osexec.CommandContext(t.Context(), os.Args[0])
	parent.Env = append(os.Environ(), orphanDir+"="+t.TempDir())
	out, err := parent.StdoutPipe()
	ok(t, err)
	ok(t, parent.Start())
	line, _ := bufio.NewReader(out).ReadString('\n')
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Errorf("the parent said %q", line)
	}
	ok(t, parent.Process.Kill())
	_ = parent.Wait() // says only that it was killed
	if err == nil {
		gone(t, pid)
	}
}

// gone waits until a process that is not our child has ended.
func gone(t *testing.T, pid int) {
	t.Helper()
	for deadline := time.Now().Add(patience); alive(pid); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			t.Fatalf("server %d lives on without its parent", pid)
		}
	}
}

// alive: a zombie that nobody waits for is not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}
