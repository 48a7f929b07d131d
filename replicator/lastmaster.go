package replicator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/bellwether-db/bellwether/cluster"
)

// lastMaster is what the stored log was last opened with: enough to open it
// again while no master answers, which is when it is needed most. The zero value
// is of a log that was never opened.
type lastMaster struct {
	Flavour string `json:"flavour"`
	Version string `json:"version"`
}

const lastMasterName = "last-master.json"

// loadLastMaster reads what is remembered in dir; nil for nothing.
func loadLastMaster(dir string) (*cluster.Node, error) {
	content, err := os.ReadFile(filepath.Join(dir, lastMasterName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var last lastMaster
	if err == nil {
		err = json.Unmarshal(content, &last)
	}
	if err != nil {
		return nil, fmt.Errorf("read what the stored log was opened with: %w", err)
	}
	for _, f := range []cluster.Flavour{cluster.FlavourMySQL, cluster.FlavourMariaDB} {
		if f.String() == last.Flavour {
			return &cluster.Node{Flavour: f, Version: last.Version}, nil
		}
	}
	return nil, nil
}

// keepLastMaster remembers what the stored log was opened with.
func keepLastMaster(dir string, n cluster.Node) error {
	return writeJSON(dir, lastMasterName, lastMaster{Flavour: n.Flavour.String(), Version: n.Version})
}
