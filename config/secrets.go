package config

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Hidden is what stands for a secret where a configuration is shown.
const Hidden = "***"

// errSecrets says that a secret could not be found in the text.
var errSecrets = errors.New("a secret is written in a way that cannot be hidden: put it on one line, or in a file of its own")

// commented finds secrets in lines that are comments.
var commented = regexp.MustCompile(`(?m)^(\s*#.*?\b(?:password|hash|native_hash):\s*)("[^"\n]*"|'[^'\n]*'|[^\s,}]+)`)

// Redact returns the text of a configuration with Hidden for each secret.
func Redact(source []byte) ([]byte, error) {
	secrets, err := secretsOf(source)
	if err != nil {
		return nil, err
	}
	text, err := exchange(source, secrets, func(secret) string { return `"` + Hidden + `"` })
	return commented.ReplaceAll(text, []byte("${1}"+Hidden)), err
}

// Restore returns a text with the secrets of others for what is Hidden in it: an
// entry of a list is known by its name. Its error is of type Problems where a
// Hidden stands for nothing.
func Restore(path string, text []byte, others ...[]byte) ([]byte, error) {
	hidden, err := secretsOf(text)
	if err != nil {
		return text, nil // reading it will say what is wrong
	}
	hidden = slices.DeleteFunc(hidden, func(s secret) bool { return s.value != Hidden })
	known := map[string]string{}
	for _, other := range slices.Backward(others) {
		secrets, err := secretsOf(other)
		if err != nil {
			continue
		}
		for _, s := range secrets {
			known[s.id] = s.raw
		}
	}
	var problems Problems
	for _, s := range hidden {
		if _, ok := known[s.id]; !ok {
			problems = append(problems, Problem{File: path, Line: s.line, Text: fmt.Sprintf("%s: there is no secret that %s could stand for", s.id, Hidden)})
		}
	}
	if len(problems) > 0 {
		return nil, problems.sorted()
	}
	return exchange(text, hidden, func(s secret) string { return known[s.id] })
}

// secret is one in a text: which one, its value, and as it is written there.
type secret struct {
	id, value, raw string
	line, column   int
}

// secretsOf finds the secrets of a text, in its order.
func secretsOf(source []byte) ([]secret, error) {
	tree, err := parser.ParseBytes(source, 0, parser.AllowDuplicateMapKey())
	if err != nil || len(tree.Docs) == 0 {
		return nil, errSecrets
	}
	var all []secret
	err = collect("", tree.Docs[0].Body, reflect.TypeFor[File](), &all)
	return all, err
}

// collect descends into what the struct of this type holds.
func collect(path string, node ast.Node, typ reflect.Type, into *[]secret) error {
	if list, ok := node.(*ast.SequenceNode); ok && typ.Kind() == reflect.Slice {
		for _, entry := range list.Values {
			name := ""
			pairs, _ := pairsOf(entry)
			if pair := pairOf(pairs, "name"); pair != nil {
				name, _ = textOf(pair.Value)
			}
			if err := collect(path+"["+name+"]", entry, typ.Elem(), into); err != nil {
				return err
			}
		}
	}
	pairs, _ := pairsOf(node)
	if typ.Kind() != reflect.Struct {
		return nil
	}
	known := fieldsOf(typ)
	for _, pair := range pairs {
		key := pair.Key.GetToken().Value
		f, ok := known.find(key)
		if !ok {
			continue
		}
		if !f.secret {
			if err := collect(join(path, key), pair.Value, f.typ, into); err != nil {
				return err
			}
			continue
		}
		value, ok := textOf(pair.Value)
		if _, block := pair.Value.(*ast.LiteralNode); !ok || block {
			return fmt.Errorf("line %d: %w", line(pair.Value), errSecrets)
		}
		t := pair.Value.GetToken()
		*into = append(*into, secret{id: join(path, key), value: value, raw: strings.TrimSpace(t.Origin), line: t.Position.Line, column: t.Position.Column})
	}
	return nil
}

// exchange writes something else for each secret, from the last to the first, so
// that those before stay where they are.
func exchange(source []byte, secrets []secret, by func(secret) string) ([]byte, error) {
	for _, s := range slices.Backward(secrets) {
		text, err := edit(strings.SplitAfter(string(source), "\n"), s.line, s.column, s.raw, by(s))
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", s.line, errSecrets)
		}
		source = text
	}
	return source, nil
}
