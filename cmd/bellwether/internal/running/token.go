package running

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/bellwether-db/bellwether/internal/durable"
)

// TokenFile holds what admin's calls that change something take. Who may read
// it may call them.
func TokenFile(stateDir string) string { return filepath.Join(stateDir, "admin.token") }

// Token reads the token, or makes one up and stores it.
func Token(stateDir string) (string, error) {
	content, err := os.ReadFile(TokenFile(stateDir))
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
	if err := durable.WriteFile(TokenFile(stateDir), []byte(token+"\n")); err != nil {
		return "", fmt.Errorf("write admin's token: %w", err)
	}
	return token, nil
}
