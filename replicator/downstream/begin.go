package downstream

import (
	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/storedlog"
)

// beginning is where a stream begins. It is a value.
type beginning struct {
	// have is what the slave has of the log.
	have *cluster.GTIDSet
	// file and position are where events begin to be sent, for who reads by
	// position.
	file     string
	position uint64
	// gtid says that have is the slave's own set, and not that of a position.
	gtid bool
}

// leastCapability is that of MariaDB slaves that know GTIDs (MARIA_SLAVE_CAPABILITY_GTID).
const leastCapability = 4

// beginningOf works out where the stream for d begins; its error is told to
// the slave. registered says that a slave asks, and not a tool.
func beginningOf(d dump, v *variables, k *knowledge, registered bool) (beginning, error) {
	if aware, _ := v.checksum(); !aware {
		return beginning{}, fatal("Slave can not handle replication events with the checksum that master is configured to log")
	}
	if k.config.mariaDB() {
		if err := askMariaDB(&d, v, registered); err != nil {
			return beginning{}, err
		}
	}
	switch {
	case d.have == nil && registered:
		return beginning{}, fatal("Bellwether serves slaves by GTID: use SOURCE_AUTO_POSITION=1, on MariaDB MASTER_USE_GTID=slave_pos")
	case d.have == nil:
		return byPosition(d, k)
	case d.file != "" && !registered:
		return byFileAndSet(d, k)
	}
	return beginning{have: d.have, gtid: true}, nil
}

// askMariaDB takes what a MariaDB slave has said in variables into its dump.
func askMariaDB(d *dump, v *variables, registered bool) error {
	if registered && v.mariaCapability() < leastCapability {
		return fatal("Bellwether serves slaves that know MariaDB's GTIDs; this one does not (MySQL cannot replicate from MariaDB by GTID)")
	}
	if _, until := v.get("slave_until_gtid"); until {
		return fatal("Bellwether does not serve START SLAVE UNTIL master_gtid_pos")
	}
	state, ok := v.get("slave_connect_state")
	if !ok {
		return nil
	}
	have, err := cluster.ParseGTIDSet(cluster.FlavourMariaDB, state)
	if err != nil {
		return fatal("Bellwether cannot read the slave's position: %s", clip(err.Error(), mostText))
	}
	d.have, d.file = have, ""
	return nil
}

// byPosition begins at a position of a file, as mysqlbinlog asks.
func byPosition(d dump, k *knowledge) (beginning, error) {
	f, err := findFile(k.log, d.file)
	if err != nil {
		return beginning{}, err
	}
	if d.position > uint64(max(f.Size, beginningOfFile)) {
		return beginning{}, fatal("Client requested master to start replication from position > file size; the log is %s", f.Name)
	}
	return beginning{have: f.Before, file: f.Name, position: max(d.position, beginningOfFile)}, nil
}

// byFileAndSet begins with a file and leaves the transactions of a set out, as
// mysqlbinlog asks. The set may hold anything.
func byFileAndSet(d dump, k *knowledge) (beginning, error) {
	f, err := findFile(k.log, d.file)
	if err != nil {
		return beginning{}, err
	}
	unknown := d.have.Subtract(k.log.Executed())
	return beginning{have: f.Before.Union(d.have.Subtract(unknown))}, nil
}

// findFile finds a file of the log by its name; "" is the first.
func findFile(log Log, name string) (storedlog.File, error) {
	for _, f := range log.Files() {
		if f.Name == name || name == "" {
			return f, nil
		}
	}
	return storedlog.File{}, fatal("Could not find first log file name in binary log index file")
}
