package admin

import (
	"net/url"
	"slices"
	"strconv"
)

// query holds the parameters of a GET. It serves one goroutine.
type query struct {
	url.Values
	wrong *problem // the first one that was not what it may be
}

// query reads the parameters of a call that has these; another is an error.
func (c *call) query(names ...string) (*query, *problem) {
	values, err := url.ParseQuery(c.URL.RawQuery)
	if err != nil {
		return nil, badParameter("the query cannot be read: %v", err)
	}
	for name, given := range values {
		switch {
		case !slices.Contains(names, name):
			return nil, badParameter("unknown parameter %q", name)
		case len(given) > 1:
			return nil, badParameter("%s: comes twice", name)
		}
	}
	return &query{Values: values}, nil
}

// count is a whole number from 1 on.
func (q *query) count(name string, otherwise int) int {
	text := q.Get(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		q.fault("%s: %q is not a whole number from 1 on", name, text)
	}
	return n
}

// flag is true or false, which is also what it is where it is not given.
func (q *query) flag(name string) bool {
	switch text := q.Get(name); text {
	case "true", "1":
		return true
	case "", "false", "0":
	default:
		q.fault("%s: %q is neither true nor false", name, text)
	}
	return false
}

func (q *query) fault(format string, args ...any) {
	if q.wrong == nil {
		q.wrong = badParameter(format, args...)
	}
}
