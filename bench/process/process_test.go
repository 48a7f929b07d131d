package process

import (
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The clock of this process moves with the work of all its threads, and agrees
// with getrusage.
func TestCPU(t *testing.T) {
	before, err := CPU(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	burn(2, 30*time.Millisecond)
	after, err := CPU(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	if after-before < 30*time.Millisecond {
		t.Errorf("two threads burned %v, the clock moved by %v", 60*time.Millisecond, after-before)
	}
	told := time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	if off := (told - after).Abs(); off > 20*time.Millisecond {
		t.Errorf("clock %v, getrusage %v", after, told)
	}
}

// burn keeps n threads busy until each has used d of processor time.
func burn(n int, d time.Duration) {
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			for start := threadTime(); threadTime()-start < d; {
			}
		})
	}
	wg.Wait()
}

func threadTime() time.Duration {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts)
	return time.Duration(ts.Nano())
}

func TestCPUOfNobody(t *testing.T) {
	if _, err := CPU(1 << 22); err == nil {
		t.Error("no error for a process that cannot be")
	}
}

func TestMemory(t *testing.T) {
	m, err := MemoryOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if m.Anonymous < 100<<10 || m.Resident < m.Anonymous || m.Resident > 1<<32 {
		t.Errorf("memory %+v", m)
	}
}

func TestParseStatus(t *testing.T) {
	m, err := parseStatus([]byte("Name:\tx\nVmRSS:\t   12 kB\nRssAnon:\t    8 kB\n"))
	if err != nil || m != (Memory{Resident: 12 << 10, Anonymous: 8 << 10}) {
		t.Errorf("%+v, %v", m, err)
	}
	for _, bad := range []string{"", "VmRSS:\t1 kB\n", "VmRSS:\tx kB\nRssAnon:\t1 kB\n"} {
		if _, err := parseStatus([]byte(bad)); err == nil {
			t.Errorf("no error for %q", bad)
		}
	}
}
