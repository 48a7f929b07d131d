package compose

import (
	"testing"

	"github.com/pingcap/tidb/pkg/parser"
	"github.com/pingcap/tidb/pkg/parser/ast"
)

// kinds are the fragments that made knows.
var kinds = [...]string{"values", "names", "columns", "where", "update", "delete", "order", "set", "schema", "change"}

// FuzzFragment: whatever the fragment, what leaves is one statement of its
// kind that names the call's table and no other, has no subquery, calls
// builtins only, and has no comment.
func FuzzFragment(f *testing.F) {
	for _, seed := range []string{
		`NULL, "John Doe", 30`, "Id = 1", "1) OR (1", "1 UNION SELECT * FROM mysql.user", "a = (SELECT 1 FROM b)", "1 INTO OUTFILE 'x'",
		"1 /*M!100100 OR 1 */", "1/*!50000 INTO @a*/", "name VARCHAR(100), age INT CHECK (age > 0)", "a INT) SELECT (1", "ADD COLUMN a INT AFTER b, DROP COLUMN c",
		"RENAME TO mysql.user", "`sleep`(1)", "sys.f(1)", "@a:=1", "a - -1", "a --1", "'\\'' = \"\\\"\"", "_binary 'x'", "x'00'", "a->'$.b'", "a COLLATE utf8mb4_bin",
		"CASE a WHEN 1 THEN 2 END", "INTERVAL 1 DAY + a", "MATCH (a) AGAINST ('b')", "`a``b`.`c`", "testdb.users.*", "other.*", "1 FOR UPDATE",
		"TRIM(LEADING 'a' FROM b)", "CAST(a AS DECIMAL(10,2))", "a IN (1,2)", "\u00a0", "'\x1a'", "a LIKE 'b' ESCAPE '|'", "-- 1", "1;2", "DEFAULT(a)",
	} {
		for kind := range kinds {
			f.Add(kind, seed)
		}
	}
	composer := new(Composer)
	f.Fuzz(func(t *testing.T, kind int, fragment string) {
		s, err := made(composer, kinds[uint(kind)%uint(len(kinds))], fragment)
		if err != nil {
			return
		}
		if err := walk("statement", s.Text); err != nil {
			t.Fatalf("%q became %q: %v", fragment, s.Text, err)
		}
		all, _, err := parser.New().ParseSQL(s.Text)
		if err != nil || len(all) != 1 {
			t.Fatalf("%q became %q: %d statements, %v", fragment, s.Text, len(all), err)
		}
		seen := witness{t: t, text: s.Text}
		all[0].Accept(&seen)
		if seen.tables != 1 {
			t.Fatalf("%q became %q, of %d tables", fragment, s.Text, seen.tables)
		}
	})
}

// witness looks at a statement without the product's own eyes.
type witness struct {
	t      *testing.T
	text   string
	tables int
}

func (w *witness) Enter(n ast.Node) (ast.Node, bool) {
	switch n := n.(type) {
	case *ast.TableName:
		if w.tables++; n.Schema.O != users.Database || n.Name.O != users.Name {
			w.t.Fatalf("%q names the table %s.%s", w.text, n.Schema.O, n.Name.O)
		}
	case *ast.SubqueryExpr, *ast.VariableExpr, *ast.WindowFuncExpr, *ast.SelectIntoOption, *ast.TableOption, *ast.PartitionOptions:
		w.t.Fatalf("%q has a %T", w.text, n)
	case *ast.FuncCallExpr:
		if n.Schema.O != "" || n.Tp == ast.FuncCallExprTypeGeneric && dangerous[n.FnName.L] != "" {
			w.t.Fatalf("%q calls %s", w.text, n.FnName.O)
		}
	}
	return n, false
}

func (w *witness) Leave(n ast.Node) (ast.Node, bool) { return n, true }
