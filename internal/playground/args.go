package playground

import (
	"os"
	"path/filepath"
	"strconv"
)

// baseArgs are for every run of the program, bootstrap included.
func (in Install) baseArgs(datadir string) []string {
	args := append([]string{}, in.Args...)
	if os.Geteuid() == 0 {
		args = append(args, "--user=root") // both flavours refuse to run as root unasked
	}
	return append(args, "--datadir="+datadir)
}

// serverArgs are what an ordinary install of a replicating server has, except
// for sizes, which are small.
func (n *Node) serverArgs() []string {
	args := n.install.baseArgs(n.DataDir())
	args = append(args,
		"--socket="+n.socket,
		"--pid-file="+filepath.Join(n.dir, "server.pid"),
		// Not /tmp: a MariaDB that starts removes the temporary tables it finds
		// there, another server's on the same machine among them.
		"--tmpdir="+n.dir,
		"--bind-address=127.0.0.1",
		"--port="+port(n.directAddr),
		"--report-host=127.0.0.1",
		"--report-port="+port(n.Addr()),
		"--server-id="+strconv.Itoa(n.index+1),
		"--read-only=ON",
		"--log-bin=binlog",
		"--relay-log=relay",
		"--relay-log-recovery=ON",
		"--binlog-format=ROW",
		"--local-infile=ON",
		"--secure-file-priv=",
		"--skip-name-resolve=OFF",
		"--max-allowed-packet=64M",
		"--max-connections="+strconv.Itoa(n.options.MaxConnections),
		"--innodb-buffer-pool-size=64M",
	)
	if n.install.Flavour == MariaDB {
		args = append(args, mariadbArgs...)
	} else {
		args = append(args, mysqlArgs...)
	}
	args = append(args, n.durability()...)
	if n.options.GeneralLog {
		args = append(args, "--general-log=ON", "--log-output=FILE", "--general-log-file="+n.generalLogPath())
	}
	return append(args, n.options.ExtraArgs...)
}

var mysqlArgs = []string{
	"--super-read-only=ON",
	"--gtid-mode=ON",
	"--enforce-gtid-consistency=ON",
	"--log-replica-updates=ON",
	"--replica-parallel-workers=4",
	"--replica-preserve-commit-order=ON",
	"--replica-net-timeout=4",
	"--mysqlx=OFF",
	"--innodb-redo-log-capacity=64M",
	"--table-open-cache=400",
	"--table-definition-cache=400",
	"--performance-schema-max-table-instances=400",
	"--performance-schema-digests-size=500",
}

var mariadbArgs = []string{
	"--gtid-strict-mode=ON",
	"--innodb-log-file-size=64M",
	"--log-slave-updates=ON",
	"--slave-parallel-threads=4",
	"--slave-net-timeout=4",
	"--master-retry-count=0", // for ever
	"--character-set-server=utf8mb4",
	"--collation-server=utf8mb4_general_ci",
}

// durability: relaxed still hands each commit to the kernel, so that a killed
// server loses nothing.
func (n *Node) durability() []string {
	if !n.options.Relaxed {
		return []string{"--sync-binlog=1", "--innodb-flush-log-at-trx-commit=1"}
	}
	relaxed := []string{"--sync-binlog=0", "--innodb-flush-log-at-trx-commit=2", "--innodb-doublewrite=OFF"}
	if n.install.Flavour == MariaDB {
		return append(relaxed, "--loose-debug-no-sync")
	}
	return append(relaxed, "--innodb-flush-method=nosync")
}
