package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// parse reads a call's parameters into a struct, from the body of what is not a
// GET, or else from the query. A parameter that the call does not have is an error.
func (c *call) parse(into any) *problem {
	body, p := c.body()
	if p != nil {
		return p
	}
	query, err := url.ParseQuery(c.URL.RawQuery)
	if err != nil {
		return badParameter("the query cannot be read: %v", err)
	}
	switch {
	case len(body) == 0:
		if body, p = fromQuery(query); p != nil {
			return p
		}
	case len(query) > 0:
		return badParameter("there are parameters in the query and in the body: choose one")
	}
	return decode(body, into)
}

// body returns the JSON of what is not a GET; nothing where there is none.
func (c *call) body() ([]byte, *problem) {
	if c.Method == http.MethodGet || c.Method == http.MethodHead {
		return nil, nil
	}
	body, err := io.ReadAll(c.Body)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, &problem{Type: kindBody, Title: "body too large", Status: http.StatusRequestEntityTooLarge,
			Detail: fmt.Sprintf("the body has more than %d bytes", large.Limit), Remedy: "send less at a time, or raise admin.max_body"}
	case err != nil:
		return nil, &problem{Type: kindBody, Title: "body not read", Status: http.StatusBadRequest, Detail: err.Error()}
	case len(bytes.TrimSpace(body)) == 0:
		return nil, nil
	}
	// A form of another page's may send text, but not JSON.
	if kind, _, err := mime.ParseMediaType(c.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, &problem{Type: kindBody, Title: "no JSON", Status: http.StatusUnsupportedMediaType,
			Detail: "the body is " + c.Header.Get("Content-Type"), Remedy: "send JSON with Content-Type: application/json"}
	}
	return body, nil
}

// fromQuery makes an object of JSON of a query.
func fromQuery(query url.Values) ([]byte, *problem) {
	object := make(map[string]string, len(query))
	for name, values := range query {
		if len(values) > 1 {
			return nil, badParameter("%s: comes twice", name)
		}
		object[name] = values[0]
	}
	text, err := json.Marshal(object)
	if err != nil {
		return nil, badParameter("the query cannot be read: %v", err) // strings always can
	}
	return text, nil
}

func decode(text []byte, into any) *problem {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil && d.More() {
		err = errors.New("there is more behind the object")
	}
	var wrong *json.UnmarshalTypeError
	var broken *json.SyntaxError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong) && wrong.Field == "":
		return badParameter("the parameters are to be one object of JSON, and this is of the type %s", wrong.Value)
	case errors.As(err, &wrong):
		return badParameter("%s: cannot be of the type %s", wrong.Field, wrong.Value)
	case errors.As(err, &broken):
		return badParameter("the body is no JSON: %v, at byte %d", broken, broken.Offset)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return badParameter("the body is no JSON: it ends too early")
	}
	return badParameter("%s", strings.TrimPrefix(err.Error(), "json: "))
}

func badParameter(format string, args ...any) *problem {
	return &problem{Type: kindRefused, Title: "refused", Status: http.StatusBadRequest, Detail: fmt.Sprintf(format, args...)}
}

// count is a number that may come as a string, as a query has it.
type count uint64

// UnmarshalJSON takes a whole number of no sign.
func (c *count) UnmarshalJSON(data []byte) error {
	n, err := strconv.ParseUint(strings.Trim(string(data), `"`), 10, 63)
	if err != nil {
		return fmt.Errorf("limit and offset are whole numbers from 0 on, and %s is none", data)
	}
	*c = count(n)
	return nil
}
