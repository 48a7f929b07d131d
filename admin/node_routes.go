package admin

import (
	"fmt"
	"net/http"

	"github.com/bellwether-db/bellwether/cluster"
)

const nodeIndex = `Bellwether %s, for the node %s

/ping /is-master   /livez /readyz /master /slave?max_lag=2s   by status code
/search /select    read from this very node
/insert /update /delete /createdb ... /sync   while this node is the master
/replicate/db /replicate/dropdb /replicate/table
/replicate/insert /replicate/update /replicate/delete   change this slave alone: docs/rest.md
`

// nodeHandler routes the requests of the address of a node; at says which node
// that is now, "" for none any more.
func (s *Server) nodeHandler(at func() string) http.Handler {
	n := nodeCalls{s, at}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		writeText(w, fmt.Sprintf(nodeIndex, s.parts.Version, at()))
	})
	mux.HandleFunc("GET /ping", s.ping)
	mux.HandleFunc("GET /is-master", n.isMaster)
	for _, path := range []string{"GET /healthz", "GET /livez"} {
		mux.HandleFunc(path, s.alive)
	}
	mux.HandleFunc("GET /readyz", n.ready)
	mux.HandleFunc("GET /master", n.master)
	mux.HandleFunc("GET /slave", n.slave)
	for path, c := range s.dataCalls() {
		serve := s.withData(c.serve)
		if c.least > RoleRead {
			serve = s.asMaster(serve)
		}
		both(mux, path, n.guarded(c.least, serve))
	}
	mux.HandleFunc("GET /nodes", n.guarded(RoleRead, s.nodes))
	mux.HandleFunc("POST /nodes", n.guarded(RoleRead, s.nodes))
	both(mux, "/sync", n.guarded(RoleOperate, s.asMaster(s.sync)))
	for path, serve := range map[string]func(*call) *problem{
		"/replicate/db": s.createDatabase, "/replicate/dropdb": s.dropDatabase, "/replicate/table": s.createTable,
		"/replicate/insert": s.insert, "/replicate/update": s.update, "/replicate/delete": s.delete,
	} {
		both(mux, path, n.guarded(RoleOperate, s.asSlave(serve)))
	}
	return s.withPreflights(withProblems(mux))
}

// nodeCalls are the calls of one node's address. It is a value.
type nodeCalls struct {
	*Server
	at func() string
}

// guarded is the cluster's guard, for a call that is about this node.
func (n nodeCalls) guarded(least Role, serve func(*call) *problem) http.HandlerFunc {
	return n.Server.guarded(least, func(c *call) *problem {
		if c.node = n.at(); c.node == "" {
			return &problem{Type: kindUnavailable, Title: "no node", Status: http.StatusServiceUnavailable, Detail: "this address is no node's any more"}
		}
		return serve(c)
	})
}

// asMaster serves a call for the cluster where the node is the master, and says
// who is where it is not.
func (s *Server) asMaster(serve func(*call) *problem) func(*call) *problem {
	return func(c *call) *problem {
		master := s.parts.Topologies.Load().MasterNode()
		if master == nil {
			return noMaster()
		}
		if master.Name != c.node {
			return &problem{Type: kindConflict, Title: "not the master", Status: http.StatusConflict,
				Detail: c.node + " is a slave: the master is " + master.Name, Remedy: s.askMaster(master)}
		}
		c.node = "" // what it does it does for all
		return serve(c)
	}
}

// askMaster says where the master's calls are.
func (s *Server) askMaster(master *cluster.Node) string {
	ask := "ask http://" + s.Addr().String() + ", which is the cluster's"
	if s.settings().TLS != nil {
		ask = "ask https://" + s.Addr().String() + ", which is the cluster's"
	}
	if own := s.NodeAddr(master.Name); own != "" {
		ask += ", or " + own + ", which is the master's"
	}
	return ask
}

func noMaster() *problem {
	return &problem{Type: kindUnavailable, Title: "no master", Status: http.StatusServiceUnavailable,
		Detail: "there is no master at this moment", Remedy: "nothing was done; try again"}
}

// asSlave serves a call that changes the node and nothing else. The master is
// refused: what it changes every slave changes.
func (s *Server) asSlave(serve func(*call) *problem) func(*call) *problem {
	return func(c *call) *problem {
		if s.parts.Slaves == nil {
			return &problem{Type: kindUnavailable, Title: "not here", Status: http.StatusNotImplemented, Detail: "this Bellwether changes no single node"}
		}
		master := s.parts.Topologies.Load().MasterNode()
		switch {
		case master == nil:
			return noMaster()
		case master.Name == c.node:
			return masterAlone(c.node)
		}
		c.alone = true
		return serve(c)
	}
}

// masterAlone refuses to change the master and no slave.
func masterAlone(node string) *problem {
	return &problem{Type: kindConflict, Title: "the master is not changed alone", Status: http.StatusConflict,
		Detail: node + " is the master: what is changed there goes to every slave, and what did not would be lost at the next failover",
		Remedy: "use the calls without /replicate: they change the whole cluster"}
}
