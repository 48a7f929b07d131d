package browser

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// ErrNoBrowser is wrapped by Find's error when there is no Chromium to start.
var ErrNoBrowser = errors.New("no Chromium found")

// names are what Chromium is called on PATH.
var names = [...]string{"chromium-headless-shell", "chromium", "google-chrome", "google-chrome-stable", "chromium-browser"}

// Find returns the path of a Chromium: $BELLWETHER_BROWSER, what
// scripts/browser.sh has fetched, or one on PATH. Its error wraps ErrNoBrowser
// and says what to do.
func Find() (string, error) {
	if named := os.Getenv("BELLWETHER_BROWSER"); named != "" {
		return named, nil
	}
	if cached, err := cached(); err == nil {
		return cached, nil
	}
	for _, name := range names {
		if found, err := exec.LookPath(name); err == nil {
			return found, nil
		}
	}
	return "", fmt.Errorf("%w: run scripts/browser.sh (or `make browser`), which fetches Debian's, or put one on PATH, or name it in BELLWETHER_BROWSER", ErrNoBrowser)
}

// cached is what scripts/browser.sh has fetched: install.env is what it writes
// last.
func cached() (string, error) {
	folder := os.Getenv("BELLWETHER_BROWSERS")
	if folder == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("find cache folder: %w", err)
		}
		folder = filepath.Join(cache, "bellwether", "browser")
	}
	if _, err := os.Stat(filepath.Join(folder, "install.env")); err != nil {
		return "", err
	}
	return filepath.Join(folder, "chromium"), nil
}
