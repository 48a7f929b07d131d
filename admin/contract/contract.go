// Package contract holds answers of the admin address against its OpenAPI
// document, for tests.
package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Contract is an OpenAPI document that answers are held against. It is safe for
// concurrent use.
type Contract struct {
	paths map[string]map[string]operation

	mu       sync.Mutex
	compiler *jsonschema.Compiler
	seen     map[string]bool // "get /v1/nodes 200"
}

type operation struct {
	Responses map[string]response `json:"responses"`
}

type response struct {
	Ref     string                     `json:"$ref"`
	Content map[string]json.RawMessage `json:"content"`
	Headers map[string]json.RawMessage `json:"headers"`
}

// name is what the document is called where schemas refer to it.
const name = "openapi.json"

// New reads a document.
func New(document []byte) (*Contract, error) {
	var read struct {
		Paths map[string]map[string]operation `json:"paths"`
	}
	if err := json.Unmarshal(document, &read); err != nil {
		return nil, fmt.Errorf("read the contract: %w", err)
	}
	whole, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		return nil, fmt.Errorf("read the contract: %w", err)
	}
	c := &Contract{paths: read.Paths, compiler: jsonschema.NewCompiler(), seen: map[string]bool{}}
	c.compiler.DefaultDraft(jsonschema.Draft2020)
	c.compiler.AssertFormat()
	if err := c.compiler.AddResource(name, whole); err != nil {
		return nil, fmt.Errorf("read the contract: %w", err)
	}
	return c, nil
}

// problemSchema is where the schema of error documents is.
const problemSchema = name + "#/components/schemas/Problem"

// Check says what of an answer is not as the document has it. The path is without
// a query.
func (c *Contract) Check(method, path string, status int, header http.Header, body []byte) error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("%s %s, %d: %w", method, path, status, fmt.Errorf(format, args...))
	}
	if method == http.MethodOptions {
		return nil
	}
	template, o, known := c.find(strings.ToLower(method), path)
	if !known {
		if status != http.StatusNotFound && status != http.StatusMethodNotAllowed {
			return wrong("the document has no such call")
		}
		return c.problem(status, header, body)
	}
	code := strconv.Itoa(status)
	answer, documented := o.Responses[code]
	if !documented {
		if _, other := o.Responses["default"]; !other || status < http.StatusBadRequest {
			return wrong("the document has no such status")
		}
		if method == http.MethodHead {
			return nil // the others have it
		}
		return c.problem(status, header, body)
	}
	c.note(strings.ToLower(method) + " " + template + " " + code)
	for h := range answer.Headers {
		if header.Get(h) == "" {
			return wrong("the header %s is missing", h)
		}
	}
	if len(answer.Content) == 0 || method == http.MethodHead {
		if len(body) > 0 {
			return wrong("it has a body: %s", body)
		}
		return nil
	}
	kind, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if _, listed := answer.Content[kind]; err != nil || !listed {
		return wrong("its kind is %q", header.Get("Content-Type"))
	}
	if kind != "application/json" {
		return nil
	}
	at := "#/paths/" + escaped(template) + "/" + strings.ToLower(method) + "/responses/" + code + "/content/" + escaped(kind) + "/schema"
	if err := c.hold(name+at, body); err != nil {
		return wrong("%w", err)
	}
	return nil
}

// problem holds an error document against what one is.
func (c *Contract) problem(status int, header http.Header, body []byte) error {
	var p struct{ Status int }
	switch err := json.Unmarshal(body, &p); {
	case header.Get("Content-Type") != "application/problem+json":
		return fmt.Errorf("an error is %q: %s", header.Get("Content-Type"), body)
	case err != nil:
		return fmt.Errorf("an error is no JSON: %w: %s", err, body)
	case p.Status != status:
		return fmt.Errorf("an error says %d and is %d", p.Status, status)
	}
	return c.hold(problemSchema, body)
}

// hold holds a document against a schema.
func (c *Contract) hold(schema string, body []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	compiled, err := c.compiler.Compile(schema)
	if err != nil {
		return err
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("it is no JSON: %w: %s", err, body)
	}
	if err := compiled.Validate(document); err != nil {
		return fmt.Errorf("%w\n%s", err, body)
	}
	return nil
}

// find returns the call that a path is of.
func (c *Contract) find(method, path string) (template string, o operation, ok bool) {
	if method == "head" {
		method = "get"
	}
	if o, ok = c.paths[path][method]; ok {
		return path, o, true
	}
	for template, methods := range c.paths {
		if o, ok = methods[method]; ok && matches(template, path) {
			return template, o, true
		}
	}
	return "", operation{}, false
}

// matches says whether a path is of a template.
func matches(template, path string) bool {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(got) || !strings.Contains(template, "{") {
		return false
	}
	for i := range want {
		if want[i] != got[i] && (!strings.HasPrefix(want[i], "{") || got[i] == "") {
			return false
		}
	}
	return true
}

// escaped is a key as a pointer in a fragment has it.
func escaped(key string) string {
	return url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(key))
}

func (c *Contract) note(answer string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[answer] = true
}

// Unseen returns the answers that the document has and nobody has given yet, but
// for errors, as "get /v1/nodes 200".
func (c *Contract) Unseen() (out []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for path, methods := range c.paths {
		for method, o := range methods {
			for status := range o.Responses {
				if answer := method + " " + path + " " + status; status != "default" && !c.seen[answer] {
					out = append(out, answer)
				}
			}
		}
	}
	return out
}
