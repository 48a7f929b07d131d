// Package process reads what the Linux kernel accounts to a process.
package process

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// schedClock is the kernel's CPUCLOCK_SCHED: the time that a process's threads
// ran, those that have ended included, in nanoseconds.
const schedClock = 2

// CPU is the processor time that all threads of process pid have used, user
// and kernel mode together (clock_getcpuclockid(3)). It is exact to the
// nanosecond, where /proc/PID/stat counts ticks of 10 ms.
func CPU(pid int) (time.Duration, error) {
	var ts unix.Timespec
	clock := int32(^pid)<<3 | schedClock
	if err := unix.ClockGettime(clock, &ts); err != nil {
		return 0, fmt.Errorf("read processor clock of process %d: %w", pid, err)
	}
	return time.Duration(ts.Nano()), nil
}

// Memory is what a process holds, in bytes.
type Memory struct {
	Resident  int64 // VmRSS: all pages in memory
	Anonymous int64 // RssAnon: those of them that are no file's
}

// MemoryOf reads /proc/PID/status.
func MemoryOf(pid int) (Memory, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return Memory{}, err
	}
	return parseStatus(status)
}

func parseStatus(status []byte) (Memory, error) {
	resident, err := kilobytes(status, "VmRSS:")
	if err != nil {
		return Memory{}, err
	}
	anonymous, err := kilobytes(status, "RssAnon:")
	return Memory{Resident: resident, Anonymous: anonymous}, err
}

// kilobytes finds the line "key  N kB" and returns N in bytes.
func kilobytes(status []byte, key string) (int64, error) {
	for line := range bytes.Lines(status) {
		if rest, ok := bytes.CutPrefix(line, []byte(key)); ok {
			n, err := strconv.ParseInt(string(bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(rest), []byte("kB")))), 10, 64)
			if err != nil {
				return 0, fmt.Errorf("read %s %w", key, err)
			}
			return n << 10, nil
		}
	}
	return 0, fmt.Errorf("no %s in the process's status", key)
}
