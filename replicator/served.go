package replicator

import (
	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/downstream"
	"github.com/bellwether-db/bellwether/replicator/storedlog"
)

// served is the stored log as the slaves' side wants it.
type served struct{ *storedlog.Log }

var _ downstream.Log = served{}

// Files implements downstream.Log.
func (s served) Files() ([]downstream.File, error) {
	files := s.Log.Files()
	out := make([]downstream.File, len(files))
	for i, f := range files {
		out[i] = downstream.File(f)
	}
	return out, nil
}

// Read implements downstream.Log.
func (s served) Read(have *cluster.GTIDSet) (downstream.Reader, error) {
	r, err := s.Log.Read(have)
	if err != nil {
		return nil, err // and no nil pointer in an interface
	}
	return r, nil
}
