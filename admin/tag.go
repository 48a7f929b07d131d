package admin

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
)

// tagOf is what a document is known by.
func tagOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// tagOfValue is what a value is known by, as JSON.
func tagOfValue(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return "none" // what is shown always can be
	}
	return tagOf(text)
}

// show answers a GET of /v1 with a document, or with 304 where the caller has it
// already. version is what If-Match is to be held against later, before all of
// the document; "" where nothing can be changed.
func (c *call) show(document any, version string) *problem {
	text, err := json.Marshal(document)
	if err != nil {
		return &problem{Type: kindInternal, Title: "not shown", Status: http.StatusInternalServerError, Detail: err.Error()}
	}
	tag := tagOf(text)
	if version != "" {
		tag = version + "-" + tag
	}
	c.w.Header().Set("ETag", `"`+tag+`"`)
	c.w.Header().Set("Cache-Control", "no-cache")
	if (c.Method == http.MethodGet || c.Method == http.MethodHead) && listed(c.Header.Get("If-None-Match"), func(t string) bool { return t == tag }) {
		c.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	c.w.Header().Set("Content-Type", "application/json")
	c.w.WriteHeader(c.status())
	// A client that has gone needs no answer.
	_, _ = c.w.Write(append(text, '\n'))
	return nil
}

// status is what a call that went well is answered with.
func (c *call) status() int {
	if c.done.Status == 0 {
		return http.StatusOK
	}
	return c.done.Status
}

// match holds If-Match against the version of what is to be changed.
func (c *call) match(version string) *problem {
	given := c.Header.Get("If-Match")
	if given == "" || listed(given, func(tag string) bool { return tag == version || strings.HasPrefix(tag, version+"-") }) {
		return nil
	}
	return &problem{Type: kindStale, Title: "changed meanwhile", Status: http.StatusPreconditionFailed,
		Detail: "If-Match names another state than the present one", Remedy: "read it again, and decide anew"}
}

// listed reports whether a header of tags has one that is meant.
func listed(header string, meant func(tag string) bool) bool {
	for tag := range strings.SplitSeq(header, ",") {
		tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
		if tag == "*" || tag != "" && meant(strings.Trim(tag, `"`)) {
			return true
		}
	}
	return false
}
