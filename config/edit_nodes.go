package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// errNodesByHand says that the list of nodes could not be edited in place.
var errNodesByHand = errors.New("the list of nodes is written in a way that cannot be edited here: change the file by hand, and reload")

// ErrNoSuchNode says that the file names no such node.
var ErrNoSuchNode = errors.New("the configuration names no such node")

// Key is a key and its value, as YAML has it.
type Key struct{ Name, Value string }

// WithNode returns the text of a configuration with one node more, and everything
// else, comments included, as it was. The first key is the name. Its error is of
// type Problems where the new configuration would not work.
func WithNode(path string, source []byte, keys []Key) ([]byte, error) {
	pairs := make([]string, len(keys))
	for i, k := range keys {
		pairs[i] = k.Name + ": " + k.Value
	}
	return editNodes(path, source, fmt.Sprintf("nodes: %s is new", keys[0].Value), func(lines []string, list *ast.SequenceNode) ([]byte, error) {
		indent := strings.Repeat(" ", list.Start.Position.Column-1)
		last := lastLine(list.Values[len(list.Values)-1])
		if !strings.HasSuffix(lines[last-1], "\n") {
			lines[last-1] += "\n"
		}
		return insertLine(lines, last, indent+"- {"+strings.Join(pairs, ", ")+"}"), nil
	})
}

// WithoutNode returns the text without a node, as WithNode.
func WithoutNode(path string, source []byte, name string) ([]byte, error) {
	return editNodes(path, source, fmt.Sprintf("nodes: %s is gone", name), func(lines []string, list *ast.SequenceNode) ([]byte, error) {
		entry, _, err := entryOf(list, name)
		if err != nil {
			return nil, err
		}
		first, last := firstLine(entry), lastLine(entry)
		if !strings.HasPrefix(strings.TrimSpace(lines[first-1]), "-") {
			return nil, errNodesByHand
		}
		return []byte(strings.Join(append(lines[:first-1:first-1], lines[last:]...), "")), nil
	})
}

// WithWeight returns the text with another weight of a node, as WithNode.
func WithWeight(path string, source []byte, name string, weight int) ([]byte, error) {
	return editNodes(path, source, fmt.Sprintf("nodes[%s].weight: ", name), func(lines []string, list *ast.SequenceNode) ([]byte, error) {
		entry, pairs, err := entryOf(list, name)
		if err != nil {
			return nil, err
		}
		text := strconv.Itoa(weight)
		if value := pairOf(pairs, "weight"); value != nil {
			return replaceValue(lines, value.Value, text)
		}
		if mapping, ok := entry.(*ast.MappingNode); ok && mapping.IsFlowStyle {
			at := mapping.Start.Position
			return edit(lines, at.Line, at.Column, "{", "{weight: "+text+", ")
		}
		last := pairs[len(pairs)-1].Key.GetToken().Position
		return insertLine(lines, last.Line-1, strings.Repeat(" ", last.Column-1)+"weight: "+text), nil
	})
}

// editNodes edits the list, and insists on the one change that was meant, whose
// words begin like this.
func editNodes(path string, source []byte, meant string, change func([]string, *ast.SequenceNode) ([]byte, error)) ([]byte, error) {
	old, problems := parse(path, source)
	if len(problems) > 0 {
		return nil, problems.sorted()
	}
	tree, err := parser.ParseBytes(source, 0)
	if err != nil || len(tree.Docs) == 0 {
		return nil, errNodesByHand
	}
	root, _ := pairsOf(tree.Docs[0].Body)
	pair := pairOf(root, "nodes")
	if pair == nil {
		return nil, errNodesByHand
	}
	list, ok := pair.Value.(*ast.SequenceNode)
	if !ok || list.IsFlowStyle || len(list.Values) == 0 {
		return nil, errNodesByHand
	}
	text, err := change(strings.SplitAfter(string(source), "\n"), list)
	if err != nil {
		return nil, err
	}
	next, problems := parse(path, text)
	if len(problems) > 0 {
		return nil, problems.sorted()
	}
	changes := Diff(old, next)
	if len(changes) > 1 || len(changes) == 1 && !strings.HasPrefix(changes[0].Text, meant) || len(changes) == 0 && string(text) != string(source) {
		return nil, errNodesByHand
	}
	return text, nil
}

// entryOf is the entry of a node.
func entryOf(list *ast.SequenceNode, name string) (ast.Node, []*ast.MappingValueNode, error) {
	for _, entry := range list.Values {
		pairs, _ := pairsOf(entry)
		if pair := pairOf(pairs, "name"); pair != nil {
			if text, ok := textOf(pair.Value); ok && text == name {
				return entry, pairs, nil
			}
		}
	}
	return nil, nil, fmt.Errorf("%w: %s", ErrNoSuchNode, name)
}

func firstLine(node ast.Node) int { return extentOf(node).first }
func lastLine(node ast.Node) int  { return extentOf(node).last }

// extent is from which line to which a node goes.
type extent struct{ first, last int }

func extentOf(node ast.Node) *extent {
	e := &extent{first: line(node)}
	ast.Walk(e, node)
	return e
}

// Visit takes a node in.
func (e *extent) Visit(node ast.Node) ast.Visitor {
	e.take(line(node))
	if mapping, ok := node.(*ast.MappingNode); ok && mapping.IsFlowStyle && mapping.End != nil {
		e.take(mapping.End.Position.Line)
	}
	return e
}

func (e *extent) take(line int) { e.first, e.last = min(e.first, line), max(e.last, line) }
