package contract

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

const document = `{"openapi": "3.1.0", "paths": {
  "/a/{id}": {"get": {"responses": {
    "200": {"headers": {"ETag": {}}, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}, "text/csv": {}}},
    "304": {}, "default": {}}}},
  "/b": {"post": {"responses": {"204": {}}}}},
 "components": {"schemas": {
  "A": {"type": "object", "required": ["at"], "properties": {"at": {"type": "string", "format": "date-time"}}, "additionalProperties": false},
  "Problem": {"type": "object", "required": ["title", "status"], "properties": {"title": {"type": "string"}, "status": {"type": "integer"}}, "additionalProperties": false}}}}`

// The rules are only worth something if they refuse.
func TestCheck(t *testing.T) {
	c, err := New([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	const problem = `{"title":"x","status":404}`
	for _, k := range []struct {
		method, path string
		status       int
		kind, body   string
		wrong        string // "" for nothing
	}{
		{"GET", "/a/1", 200, "application/json", `{"at":"2026-11-23T10:00:00Z"}`, ""},
		{"GET", "/a/1", 200, "application/json; charset=utf-8", `{"at":"2026-11-23T10:00:00.5Z"}`, ""},
		{"HEAD", "/a/1", 200, "application/json", "", ""},
		{"GET", "/a/1", 200, "text/csv", "x", ""},
		{"GET", "/a/1", 304, "", "", ""},
		{"GET", "/a/1", 404, "application/problem+json", problem, ""},
		{"GET", "/nowhere", 404, "application/problem+json", problem, ""},
		{"OPTIONS", "/a/1", 204, "", "", ""},
		{"GET", "/a/1", 200, "application/json", `{"at":"today"}`, "date-time"},
		{"GET", "/a/1", 200, "application/json", `{}`, "missing"},
		{"GET", "/a/1", 200, "application/json", `{"at":"2026-11-23T10:00:00Z","more":1}`, "more"},
		{"GET", "/a/1", 200, "application/json", `{`, "no JSON"},
		{"GET", "/a/1", 200, "text/html", "", "its kind"},
		{"GET", "/a/1", 304, "", "x", "has a body"},
		{"GET", "/a/1", 202, "application/json", `{}`, "no such status"},
		{"GET", "/a/1", 404, "text/plain", "404", "an error is"},
		{"GET", "/a/1", 500, "application/problem+json", problem, "says 404"},
		{"GET", "/a/1", 404, "application/problem+json", `{"status":404}`, "missing"},
		{"GET", "/a/", 200, "application/json", `{}`, "no such call"},
		{"GET", "/a/1/2", 200, "application/json", `{}`, "no such call"},
		{"POST", "/b", 404, "application/problem+json", problem, "no such status"},
	} {
		header := http.Header{"Content-Type": {k.kind}, "Etag": {"x"}}
		err := c.Check(k.method, k.path, k.status, header, []byte(k.body))
		if (err == nil) != (k.wrong == "") || err != nil && !strings.Contains(err.Error(), k.wrong) {
			t.Errorf("%+v: %v", k, err)
		}
	}
	if err := c.Check("GET", "/a/1", 200, http.Header{"Content-Type": {"text/csv"}}, nil); err == nil || !strings.Contains(err.Error(), "ETag is missing") {
		t.Error(err)
	}
	if unseen := c.Unseen(); !slices.Equal(unseen, []string{"post /b 204"}) {
		t.Errorf("%v", unseen)
	}
}
