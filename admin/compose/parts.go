package compose

import "github.com/pingcap/tidb/pkg/parser/ast"

// The places of a SELECT, INSERT and UPDATE where a fragment stands.

func expressionPart(name string) part {
	return part{name: name, before: "SELECT 1 FROM `t` WHERE ", pieces: func(s ast.StmtNode) ([]ast.Node, bool) {
		query, ok := s.(*ast.SelectStmt)
		if !ok || query.Where == nil {
			return nil, false
		}
		return []ast.Node{query.Where}, true
	}}
}

func columnsPart() part {
	return part{name: "columns", before: "SELECT ", after: " FROM `t`", pieces: func(s ast.StmtNode) ([]ast.Node, bool) {
		query, ok := s.(*ast.SelectStmt)
		if !ok || query.Fields == nil {
			return nil, false
		}
		for _, field := range query.Fields.Fields {
			nameAsWritten(field)
		}
		return nodes(query.Fields.Fields), true
	}}
}

// nameAsWritten has an expression's column called as its caller wrote it, as a
// server would: written anew, COUNT(*) is COUNT(1).
func nameAsWritten(field *ast.SelectField) {
	_, plain := field.Expr.(*ast.ColumnNameExpr)
	if text := field.Text(); !plain && field.Expr != nil && field.AsName.L == "" && checkName("columns", text) == nil {
		field.AsName = ast.NewCIStr(text)
	}
}

func orderPart() part {
	return part{name: "order", before: "SELECT 1 FROM `t` ORDER BY ", pieces: func(s ast.StmtNode) ([]ast.Node, bool) {
		query, ok := s.(*ast.SelectStmt)
		if !ok || query.OrderBy == nil {
			return nil, false
		}
		return nodes(query.OrderBy.Items), true
	}}
}

func valuesPart() part {
	return part{name: "values", before: "INSERT INTO `t` VALUES (", after: ")", pieces: func(s ast.StmtNode) ([]ast.Node, bool) {
		insert, ok := s.(*ast.InsertStmt)
		if !ok || len(insert.Lists) != 1 {
			return nil, false
		}
		return nodes(insert.Lists[0]), true
	}}
}

func namesPart() part {
	return part{name: "columns", before: "INSERT INTO `t` (", after: ") VALUES ()", pieces: func(s ast.StmtNode) ([]ast.Node, bool) {
		insert, ok := s.(*ast.InsertStmt)
		if !ok {
			return nil, false
		}
		return nodes(insert.Columns), true
	}}
}

func setPart() part {
	return part{name: "set", before: "UPDATE `t` SET ", pieces: func(s ast.StmtNode) ([]ast.Node, bool) {
		update, ok := s.(*ast.UpdateStmt)
		if !ok {
			return nil, false
		}
		return nodes(update.List), true
	}}
}

func nodes[N ast.Node](all []N) []ast.Node {
	some := make([]ast.Node, len(all))
	for i, n := range all {
		some[i] = n
	}
	return some
}
