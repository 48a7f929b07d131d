package failover

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/bellwether-db/bellwether/cluster"
)

// lostName is the folder, in the state directory, of what was given up.
const lostName = "lost"

// lose gives up what the chosen node lacks, as the policy allows: it is kept in
// files before anything is cut, and named in the record. It returns what is stored
// then. What only comes to nothing here leaves the roles as they were.
func (c *Controller) lose(ctx context.Context, plan Plan, choice *Choice) (end *cluster.GTIDSet, err error) {
	t := c.store.Load()
	i := t.Find(choice.Node)
	if i < 0 {
		return nil, fmt.Errorf("%s: %w", choice.Node, cluster.ErrNoNode)
	}
	folder := filepath.Join(lostName, c.episode.ID)
	err = c.do(ctx, StepLose, choice.Node, plan.bound(StepLose, loseStep), func(ctx context.Context) (string, error) {
		loss, err := c.stream.Lose(ctx, t.Nodes[i], choice.Has.Union(choice.Lost), filepath.Join(c.config.StateDir, folder))
		if err != nil {
			return "", err
		}
		if end = loss.End; loss.Set.IsEmpty() {
			choice.Lost = nil
			return "it has taken everything meanwhile", nil
		}
		choice.Lost = loss.Set
		c.episode.Lost, c.episode.Files = loss.Set.String(), nil
		for _, name := range loss.Files {
			c.episode.Files = append(c.episode.Files, filepath.Join(folder, name))
		}
		return fmt.Sprintf("%v was acknowledged and is LOST, as max_loss allows; it is kept in %v", loss.Set, c.episode.Files), nil
	})
	return end, err
}

// leftBehind are the slaves that may have what a new master lacks: all others. Each
// is looked at, like a former master, before it is used again. It is pure.
func leftBehind(s State, t *cluster.Topology, master string) (out []Fenced) {
	for i := range t.Nodes {
		n := &t.Nodes[i]
		if n.Name != master && n.Name != s.Master && !s.Distrusts(n.Name, n.Identity) {
			out = append(out, Fenced{Node: n.Name, Identity: n.Identity, Generation: t.Generation, Slave: true})
		}
	}
	return out
}
