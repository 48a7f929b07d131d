package replicator

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/bellwether-db/bellwether/internal/durable"
)

// identity is who the replicator is among the servers. It is the same at every
// start: slaves and the master know it by it.
type identity struct {
	// ServerID and UUID are unique among all servers.
	ServerID uint32 `json:"server_id"`
	UUID     string `json:"uuid"`
	// User and Password are what slaves log in with. No node has this account.
	User     string `json:"user"`
	Password string `json:"password"`
}

// SlaveUser is the account that slaves log in with on the stored log.
const SlaveUser = "bellwether_slave"

const identityName = "replicator.json"

// loadIdentity reads the identity in dir, or makes one up and stores it there.
func loadIdentity(dir string) (identity, error) {
	var id identity
	content, err := os.ReadFile(filepath.Join(dir, identityName))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		id = newIdentity()
		return id, writeJSON(dir, identityName, id)
	case err != nil:
		return id, fmt.Errorf("read the replicator's identity: %w", err)
	}
	if err := json.Unmarshal(content, &id); err != nil {
		return id, fmt.Errorf("read the replicator's identity in %s: %w", identityName, err)
	}
	if id.ServerID == 0 || id.UUID == "" || id.Password == "" {
		return id, fmt.Errorf("read the replicator's identity in %s: it is not whole; remove it, and slaves will be pointed here anew", identityName)
	}
	return id, nil
}

// newIdentity makes up one. Server ids that people give are small: a high
// one keeps clear of them; servers print those of 2^31 and more as negative.
func newIdentity() identity {
	var seed [20]byte
	_, _ = rand.Read(seed[:]) // never fails
	seed[6], seed[8] = seed[6]&0x0f|0x40, seed[8]&0x3f|0x80
	return identity{
		ServerID: binary.LittleEndian.Uint32(seed[16:])>>2 | 1<<30,
		UUID:     fmt.Sprintf("%x-%x-%x-%x-%x", seed[:4], seed[4:6], seed[6:8], seed[8:10], seed[10:16]),
		User:     SlaveUser,
		Password: strings.ToLower(rand.Text()),
	}
}

// readJSON reads what writeJSON has stored in dir; a file that is not there leaves
// value as it is.
func readJSON(dir, name string, value any) error {
	content, err := os.ReadFile(filepath.Join(dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(content, value)
	}
	return err
}

// writeJSON stores a value in dir under a name, whole or not at all, readable
// by the owner only.
func writeJSON(dir, name string, value any) error {
	if err := durable.WriteJSON(filepath.Join(dir, name), value); err != nil {
		return fmt.Errorf("store %s: %w", name, err)
	}
	return nil
}
