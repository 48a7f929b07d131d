package failover_test

import (
	"strings"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/failover"
)

// checkLeast: an account that has what check says it must be granted, and no
// more, closes and fences a master, also where clients have every privilege.
func (o *orders) checkLeast(c cluster.Config) {
	c.Operator = cluster.Account{User: "least", Password: "least"}
	c.Nodes = []cluster.NodeConfig{{Name: o.master.Name, Addr: o.master.Addr()}}
	o.each("CREATE USER least@'%' IDENTIFIED BY 'least'", "GRANT SELECT ON *.* TO least@'%'")
	var grants []string
	for _, f := range cluster.Inspect(o.within(patience), c, 0).Findings {
		if strings.HasPrefix(f.SQL, "GRANT ") {
			grants = append(grants, f.SQL)
		}
	}
	o.each(append(grants, "DELETE FROM orders.t WHERE a = 2")...)
	if len(grants) < 7 {
		o.Errorf("check says little: %q", grants)
	}
	o.SQLOperator = failover.NewSQLOperator(c)
	defer o.Close() //nolint:errcheck // end of a test
	o.checkClosing()
}

func (o *orders) each(statements ...string) {
	o.Helper()
	for _, statement := range statements {
		if err := o.write(o.within(patience), statement); err != nil {
			o.Fatalf("%s: %v", statement, err)
		}
	}
}
