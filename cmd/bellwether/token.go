package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// tokenFile holds what admin's calls that change something take. Who may read
// it may call them.
func tokenFile(stateDir string) string { return filepath.Join(stateDir, "admin.token") }

// adminToken reads the token, or makes one up and stores it.
func adminToken(stateDir string) (string, error) {
	content, err := os.ReadFile(tokenFile(stateDir))
	if err == nil {
		if token := strings.TrimSpace(string(content)); token != "" {
			return token, nil
		}
		err = fs.ErrNotExist
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read admin's token: %w", err)
	}
	token := rand.Text()
	return token, writeWhole(tokenFile(stateDir), token+"\n")
}
