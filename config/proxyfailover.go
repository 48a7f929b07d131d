package config

import "github.com/bellwether-db/bellwether/proxy"

// ClientsFailover is what becomes of what clients have under way when a master is
// lost.
type ClientsFailover struct {
	Outcomes    bool `yaml:"outcomes" reload:"live"`
	Marks       bool `yaml:"marks"`
	Replay      bool `yaml:"replay" reload:"live"`
	ReplayBytes Size `yaml:"replay_bytes" reload:"live"`
	HoldClients int  `yaml:"hold_clients" reload:"live"`
	HoldBytes   Size `yaml:"hold_bytes" reload:"live"`
}

func defaultClientsFailover() ClientsFailover {
	d := proxy.DefaultFailover()
	return ClientsFailover{
		Outcomes: d.Outcomes, Marks: d.Marks, Replay: d.Replay, ReplayBytes: Size(d.ReplayBytes),
		HoldClients: d.HoldClients, HoldBytes: Size(d.HoldBytes),
	}
}

func (c ClientsFailover) settings() proxy.Failover {
	return proxy.Failover{
		Outcomes: c.Outcomes, Marks: c.Marks, Replay: c.Replay, ReplayBytes: int(c.ReplayBytes),
		HoldClients: c.HoldClients, HoldBytes: int(c.HoldBytes),
	}
}
