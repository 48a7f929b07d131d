package wire

import (
	"os"
	"testing"
)

var testDir string

// TestMain owns the folder that outlives single tests.
func TestMain(m *testing.M) {
	code := m.Run()
	if testDir != "" {
		_ = os.RemoveAll(testDir)
	}
	os.Exit(code)
}

func tempDir() (string, error) {
	var err error
	testDir, err = os.MkdirTemp("", "wire-test-*")
	return testDir, err
}
