package rowimage

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bellwether-db/bellwether/internal/playground"
	"github.com/bellwether-db/bellwether/replicator/event"
)

// column is one of a table of all types: its type, what is inserted, and how it
// comes back.
type column struct{ definition, insert, want string }

var columns = []column{
	{"TINYINT", "-128", "-128"}, {"TINYINT UNSIGNED", "255", "255"}, {"SMALLINT", "-32768", "-32768"}, {"MEDIUMINT", "-8388608", "-8388608"},
	{"MEDIUMINT UNSIGNED", "16777215", "16777215"}, {"INT", "-2147483648", "-2147483648"}, {"INT UNSIGNED", "4294967295", "4294967295"},
	{"BIGINT", "-9223372036854775808", "-9223372036854775808"}, {"BIGINT UNSIGNED", "18446744073709551615", "18446744073709551615"},
	{"FLOAT", "1.5", "1.5"}, {"DOUBLE", "-2.25", "-2.25"}, {"DECIMAL(20,5)", "-123456789012.00345", "-123456789012.00345"},
	{"DECIMAL(10,0)", "1234567890", "1234567890"}, {"DECIMAL(5,5)", "0.00012", "0.00012"}, {"DECIMAL(65,30)", "1.5", "1.500000000000000000000000000000"},
	{"DATE", "'2024-02-29'", "'2024-02-29'"}, {"TIME", "'-12:34:56'", "'-12:34:56'"}, {"TIME(3)", "'-00:00:01.250'", "'-00:00:01.250'"}, {"TIME(6)", "'838:59:58.000001'", "'838:59:58.000001'"},
	{"DATETIME", "'1999-12-31 23:59:59'", "'1999-12-31 23:59:59'"}, {"DATETIME(5)", "'2024-02-29 01:02:03.12345'", "'2024-02-29 01:02:03.12345'"},
	{"TIMESTAMP NULL", "'2024-02-29 01:02:03'", "'2024-02-29 01:02:03'"}, {"TIMESTAMP(6) NULL", "'2024-02-29 01:02:03.000004'", "'2024-02-29 01:02:03.000004'"},
	{"YEAR", "2024", "2024"}, {"BIT(10)", "b'1000000001'", "513"}, {"ENUM('a','b')", "'b'", "2"}, {"SET('a','b','c')", "'a,c'", "5"},
	{"CHAR(5)", "'ab'", "'ab'"}, {"CHAR(200) CHARACTER SET utf8mb4", "'ä'", "'ä'"}, {"VARCHAR(20)", "'it''s'", "'it''s'"}, {"VARCHAR(300)", "REPEAT('x', 299)", "'" + strings.Repeat("x", 299) + "'"},
	{"TEXT", "'two\\nlines'", `'two\nlines'`}, {"BLOB", "X'00FF'", "X'00FF'"}, {"LONGBLOB", "''", "''"}, {"INT", "NULL", "NULL"}, {"VARBINARY(3)", "X'80'", "X'80'"},
}

// What real servers write comes back as it was written.
func TestRowsOfRealServers(t *testing.T) {
	for _, flavour := range []playground.Flavour{playground.MySQL, playground.MariaDB} {
		t.Run(flavour.String(), func(t *testing.T) {
			t.Parallel()
			all := slices.Clone(columns)
			if flavour == playground.MySQL {
				all = append(all, column{"JSON", `'{"a": [1, -2, 70000, 1.5, true, null, "x"], "b": {"c": 12345678901}}'`, `'{"a": [1, -2, 70000, 1.5, true, null, "x"], "b": {"c": 12345678901}}'`},
					column{"JSON", `'[]'`, `'[]'`}, column{"JSON", `'"text"'`, `'"text"'`}, column{"JSON", `CONCAT('["', REPEAT('y', 70000), '"]')`, `'["` + strings.Repeat("y", 70000) + `"]'`})
			}
			compareRows(t, playground.ForTest(t, playground.Options{Flavour: flavour, Relaxed: true}), all)
		})
	}
}

func compareRows(t *testing.T, servers *playground.Cluster, all []column) {
	n := servers.Nodes[0]
	var definitions, values []string
	for i, c := range all {
		definitions = append(definitions, fmt.Sprintf("c%d %s", i, c.definition))
		values = append(values, c.insert)
	}
	statements := []string{
		"CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY, " + strings.Join(definitions, ", ") + ")",
		"SET SESSION time_zone = '+00:00'", "INSERT INTO shop.t VALUES (1, " + strings.Join(values, ", ") + ")",
		"UPDATE shop.t SET id = 2", "DELETE FROM shop.t",
	}
	if servers.Flavour == playground.MariaDB {
		statements = slices.Insert(statements, 3, "SET GLOBAL log_bin_compress = ON", "SET GLOBAL log_bin_compress_min_len = 10")
	}
	if err := servers.OpenMaster(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	if err := n.Exec(t.Context(), statements...); err != nil {
		t.Fatal(err)
	}
	seen := map[Kind]int{}
	described := []Column{{Name: "id"}}
	for i, c := range all {
		described = append(described, Column{Name: fmt.Sprint("c", i), Unsigned: strings.Contains(c.definition, "UNSIGNED")})
	}
	each(t, n.DataDir(), described, func(k Kind, r Row) {
		seen[k]++
		for _, image := range [][]any{r.Before, r.After} {
			for i, c := range all {
				if image == nil {
					break
				}
				if got := Literal(image[i+1]); got != c.want {
					t.Errorf("%v: %s: %.100s, want %.100s", k, c.definition, got, c.want)
				}
			}
		}
	})
	if seen[KindInsert] != 1 || seen[KindUpdate] != 1 || seen[KindDelete] != 1 {
		t.Errorf("rows %v", seen)
	}
}

// each visits the rows of shop.t in a server's binary logs.
func each(t *testing.T, dir string, described []Column, visit func(Kind, Row)) {
	names, err := filepath.Glob(filepath.Join(dir, "*bin*.0*"))
	if err != nil || len(names) == 0 {
		t.Fatalf("binary logs in %s: %v, %v", dir, names, err)
	}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		tables := map[uint64]Table{}
		for rest := raw[4:]; len(rest) > 0; {
			e, err := event.Next(rest)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			rest = rest[len(e):]
			switch {
			case e.Type() == event.TableMap:
				table, err := ParseTable(e, true)
				if err != nil {
					t.Fatal(err)
				}
				if table.Schema == "shop" {
					table.Describe(described)
				}
				tables[table.ID] = table
			case KindOf(e.Type()) != KindUnknown:
				table := tables[TableID(e, true)]
				if table.Schema != "shop" {
					continue
				}
				if err := table.Each(e, true, func(r Row) error { visit(KindOf(e.Type()), r); return nil }); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}
