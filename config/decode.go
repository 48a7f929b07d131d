package config

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// decoder turns the tree of a YAML document into Go values. It collects every
// problem it meets instead of stopping at the first, and remembers the line of
// each value. It serves one document and one goroutine.
type decoder struct {
	file     string
	root     reflect.Type
	lines    map[string]int // by path, as in "nodes[1].address"
	problems Problems
}

// decode reads one YAML document into the struct that into points at. What
// the document does not name keeps its value.
func (d *decoder) decode(source []byte, into any) {
	d.lines = make(map[string]int)
	d.root = reflect.TypeOf(into).Elem()
	tree, err := parser.ParseBytes(source, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		d.syntax(err)
		return
	}
	for i, document := range tree.Docs {
		switch {
		case document.Body == nil:
		case i > 0:
			d.problem(line(document.Body), "a second YAML document begins here: one file holds one configuration")
			return
		default:
			d.value("", document.Body, reflect.ValueOf(into).Elem(), "")
		}
	}
}

// syntax reports what the YAML parser has refused.
func (d *decoder) syntax(err error) {
	var at yaml.Error
	if !errors.As(err, &at) {
		d.problem(0, "not YAML: %v", err)
		return
	}
	number := 0
	if token := at.GetToken(); token != nil && token.Position != nil {
		number = token.Position.Line
	}
	d.problem(number, "not YAML: %s", at.GetMessage())
}

func (d *decoder) problem(line int, format string, args ...any) {
	d.problems = append(d.problems, Problem{File: d.file, Line: line, Text: fmt.Sprintf(format, args...)})
}

// value decodes one node of the tree into a value of any kind a configuration
// uses. oneOf is the field's list of allowed words, "" for any.
func (d *decoder) value(path string, node ast.Node, into reflect.Value, oneOf string) {
	if _, ok := d.lines[path]; !ok {
		d.lines[path] = line(node)
	}
	switch node := node.(type) {
	case *ast.NullNode:
		return
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode, *ast.MergeKeyNode:
		d.problem(line(node), "%sanchors, aliases and tags are not used here: write the value itself", prefix(path))
		return
	}
	if _, ok := into.Addr().Interface().(encoding.TextUnmarshaler); ok {
		d.scalar(path, node, into, oneOf)
		return
	}
	switch into.Kind() {
	case reflect.Struct:
		d.mapping(path, node, into)
	case reflect.Slice:
		d.sequence(path, node, into, oneOf)
	default:
		d.scalar(path, node, into, oneOf)
	}
}

// mapping decodes key by key, and reports keys the struct does not have.
func (d *decoder) mapping(path string, node ast.Node, into reflect.Value) {
	pairs, ok := pairsOf(node)
	if !ok {
		d.problem(line(node), "%swants keys and values below it", prefix(path))
		return
	}
	known := fieldsOf(into.Type())
	seen := make(map[string]int)
	for _, pair := range pairs {
		key, at := pair.Key.GetToken().Value, pair.Key.GetToken().Position.Line
		field, ok := known.find(key)
		switch first, again := seen[key]; {
		case !ok:
			d.problem(at, "%s", d.unknown(path, key, known))
		case again:
			d.problem(at, "%q stands here a second time, it is already on line %d", key, first)
		default:
			seen[key] = at
			d.lines[join(path, key)] = at
			d.value(join(path, key), pair.Value, into.FieldByIndex(field.index), field.oneOf)
		}
	}
}

// unknown words the error of a key that is not known at this place.
func (d *decoder) unknown(path, key string, known fields) string {
	text := fmt.Sprintf("unknown key %q", key)
	if path != "" {
		text += fmt.Sprintf(" under %q", path)
	}
	if near := nearest(key, known.names()); near != "" {
		return text + fmt.Sprintf(", did you mean %q?", near)
	}
	if homes := homesOf(d.root, key); len(homes) > 0 {
		return text + fmt.Sprintf(`, it belongs under "%s"`, strings.Join(homes, `" or "`))
	}
	return text + ", known here: " + strings.Join(known.names(), ", ")
}

func (d *decoder) sequence(path string, node ast.Node, into reflect.Value, oneOf string) {
	list, ok := node.(*ast.SequenceNode)
	if !ok {
		d.problem(line(node), "%swants a list, each entry with a leading dash", prefix(path))
		return
	}
	into.Set(reflect.MakeSlice(into.Type(), len(list.Values), len(list.Values)))
	for i, entry := range list.Values {
		at := fmt.Sprintf("%s[%d]", path, i)
		if entry.Type() == ast.NullType {
			d.problem(line(entry), "%s is empty", at)
			continue
		}
		if element, ok := into.Index(i).Addr().Interface().(interface{ setDefaults() }); ok {
			element.setDefaults()
		}
		d.value(at, entry, into.Index(i), oneOf)
	}
}

// scalar decodes one word.
func (d *decoder) scalar(path string, node ast.Node, into reflect.Value, oneOf string) {
	text, ok := textOf(node)
	if !ok {
		d.problem(line(node), "%swants one value, not a list or keys", prefix(path))
		return
	}
	if err := setScalar(into, text, oneOf); err != nil {
		d.problem(line(node), "%s%v", prefix(path), err)
	}
}

// setScalar parses text into a value with an UnmarshalText method, a string,
// a bool, or an int.
func setScalar(into reflect.Value, text, oneOf string) error {
	if reader, ok := into.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return reader.UnmarshalText([]byte(text))
	}
	switch into.Kind() {
	case reflect.String:
		if oneOf != "" && !slices.Contains(strings.Fields(oneOf), text) {
			return fmt.Errorf("%q is none of: %s", text, strings.Join(strings.Fields(oneOf), ", "))
		}
		into.SetString(text)
	case reflect.Bool:
		if text != "true" && text != "false" {
			return fmt.Errorf("%q is neither true nor false", text)
		}
		into.SetBool(text == "true")
	case reflect.Int:
		number, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", text)
		}
		into.SetInt(int64(number))
	default:
		return fmt.Errorf("a %s cannot be configured", into.Type())
	}
	return nil
}

// pairsOf returns the keys and values of a mapping.
func pairsOf(node ast.Node) ([]*ast.MappingValueNode, bool) {
	switch node := node.(type) {
	case *ast.MappingNode:
		return node.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{node}, true
	}
	return nil, false
}

// textOf returns a scalar as it is written.
func textOf(node ast.Node) (string, bool) {
	switch node := node.(type) {
	case *ast.StringNode:
		return node.Value, true
	case *ast.LiteralNode:
		return node.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return node.GetToken().Value, true
	}
	return "", false
}

func line(node ast.Node) int {
	if token := node.GetToken(); token != nil && token.Position != nil {
		return token.Position.Line
	}
	return 0
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func prefix(path string) string {
	if path == "" {
		return "the file "
	}
	return path + ": "
}
