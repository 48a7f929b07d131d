package router

import (
	"strings"
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
)

func TestEveryReasonSaysSomething(t *testing.T) {
	for r := ReasonRead; r < NumReasons; r++ {
		if said := r.Says(); len(said) < 15 || !strings.HasSuffix(said, ".") {
			t.Errorf("%s says %q", r, said)
		}
	}
	if ReasonNone.Says() != "" || NumReasons.Says() != "" {
		t.Error("what is no reason says something")
	}
}

func TestForetold(t *testing.T) {
	for sql, want := range map[string]string{
		"SELECT 1":                                 "none",
		"BEGIN":                                    "transaction",
		"CREATE TEMPORARY TABLE a (b INT)":         "temporary-table",
		"SELECT GET_LOCK('a', 1)":                  "user-lock",
		"SELECT @a := 1":                           "user-variable",
		"SET TRANSACTION READ ONLY":                "next-transaction",
		"LOCK TABLES a WRITE":                      "table-lock",
		"PREPARE a FROM 'SELECT 1'":                "text-prepare",
		"SELECT SQL_CALC_FOUND_ROWS a FROM b":      "diagnostics",
		"XA START 'a'":                             "xa",
		"HANDLER a OPEN":                           "handler",
		"SET timestamp = 1":                        "session-state",
		"START TRANSACTION; SELECT @a := count(*)": "transaction,user-variable",
	} {
		s := NewClassifier(1).Classify([]byte(sql), Dialect{Flavour: cluster.FlavourMySQL}, new(Scratch))
		if got := s.Foretold().String(); got != want {
			t.Errorf("%s: %s, want %s", sql, got, want)
		}
	}
}

func TestStatementsAreCounted(t *testing.T) {
	for sql, want := range map[string]int{
		"": 0, " ; ;": 0, "SELECT 1": 1, "SELECT 1;": 1, "SELECT ';'; SELECT `;` -- ;\n;": 2, "/* ; */ SELECT 1; /*!50100 SELECT 2; */": 2,
	} {
		if got := Statements([]byte(sql), Dialect{Flavour: cluster.FlavourMySQL}); got != want {
			t.Errorf("%q: %d, want %d", sql, got, want)
		}
	}
}
