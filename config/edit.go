package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// errByHand says that the text could not be edited in place.
var errByHand = errors.New("the file is written in a way that cannot be edited here: set replication.feed by hand")

// WithFeed returns the text of a configuration with another replication.feed,
// and everything else, comments included, as it was. Its error is of type
// Problems where the new configuration would not work.
func WithFeed(path string, source []byte, feed string) ([]byte, error) {
	old, problems := parse(path, source)
	if len(problems) > 0 {
		return nil, problems.sorted()
	}
	if old.Replication.Feed == feed {
		return source, nil
	}
	text, err := editFeed(source, feed)
	if err != nil {
		return nil, err
	}
	next, problems := parse(path, text)
	if len(problems) > 0 {
		return nil, problems.sorted()
	}
	changed := next.Replication.Feed == feed
	next.Replication.Feed = old.Replication.Feed
	if !changed || len(Diff(old, next)) > 0 {
		return nil, errByHand
	}
	return text, nil
}

// editFeed changes, or adds, the one value. Whether that came out right is the
// caller's to see.
func editFeed(source []byte, feed string) ([]byte, error) {
	tree, err := parser.ParseBytes(source, 0)
	if err != nil || len(tree.Docs) == 0 {
		return nil, errByHand
	}
	root, _ := pairsOf(tree.Docs[0].Body)
	if mapping, ok := tree.Docs[0].Body.(*ast.MappingNode); ok && mapping.IsFlowStyle {
		return nil, errByHand
	}
	lines := strings.SplitAfter(string(source), "\n")
	pair := pairOf(root, "replication")
	switch {
	case pair == nil:
		return []byte(strings.TrimRight(string(source), "\n") + "\n\nreplication:\n  feed: " + feed + "\n"), nil
	case pair.Value.Type() == ast.NullType:
		return insertLine(lines, pair.Key.GetToken().Position.Line, "  feed: "+feed), nil
	}
	below, ok := pairsOf(pair.Value)
	if !ok {
		return nil, errByHand
	}
	if value := pairOf(below, "feed"); value != nil {
		return replaceValue(lines, value.Value, feed)
	}
	if mapping, ok := pair.Value.(*ast.MappingNode); ok && mapping.IsFlowStyle {
		return insertInFlow(lines, mapping, feed)
	}
	first := below[0].Key.GetToken().Position
	return insertLine(lines, first.Line-1, strings.Repeat(" ", first.Column-1)+"feed: "+feed), nil
}

func pairOf(pairs []*ast.MappingValueNode, key string) *ast.MappingValueNode {
	for _, pair := range pairs {
		if pair.Key.GetToken().Value == key {
			return pair
		}
	}
	return nil
}

// insertLine puts a line behind the first n.
func insertLine(lines []string, n int, line string) []byte {
	return []byte(strings.Join(slices.Insert(lines, n, line+"\n"), ""))
}

// insertInFlow puts the key behind the brace.
func insertInFlow(lines []string, mapping *ast.MappingNode, feed string) ([]byte, error) {
	at := mapping.Start.Position
	comma := ", "
	if len(mapping.Values) == 0 {
		comma = ""
	}
	return edit(lines, at.Line, at.Column, "{", "{feed: "+feed+comma)
}

// replaceValue replaces a scalar, quoted or not.
func replaceValue(lines []string, value ast.Node, feed string) ([]byte, error) {
	at := value.GetToken().Position
	text, ok := textOf(value)
	if !ok {
		return nil, errByHand
	}
	for _, quote := range []string{"", `"`, "'"} {
		if out, err := edit(lines, at.Line, at.Column, quote+text+quote, feed); err == nil {
			return out, nil
		}
	}
	return nil, errByHand
}

// edit replaces a text that begins at a place, both counted from one.
func edit(lines []string, line, column int, old, text string) ([]byte, error) {
	if line < 1 || line > len(lines) {
		return nil, errByHand
	}
	runes := []rune(lines[line-1])
	if column < 1 || column > len(runes) || !strings.HasPrefix(string(runes[column-1:]), old) {
		return nil, fmt.Errorf("line %d: %w", line, errByHand)
	}
	lines = slices.Clone(lines)
	lines[line-1] = string(runes[:column-1]) + text + strings.TrimPrefix(string(runes[column-1:]), old)
	return []byte(strings.Join(lines, "")), nil
}
