package config

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with a configuration file.
type Problem struct {
	File string
	Line int // 0 where no line is to blame
	Text string
}

// Error returns the problem as "file:line: text".
func (p Problem) Error() string {
	if p.Line == 0 {
		return fmt.Sprintf("%s: %s", p.File, p.Text)
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text)
}

// Key returns the key that is to blame, "" where none is, and what is wrong.
func (p Problem) Key() (key, says string) {
	key, says, ok := strings.Cut(p.Text, ": ")
	if !ok || strings.ContainsAny(key, " \"") {
		return "", p.Text
	}
	return key, says
}

// Problems is everything that is wrong with a file, in the order of its lines.
type Problems []Problem

// Error returns the problems one a line.
func (all Problems) Error() string {
	lines := make([]string, len(all))
	for i, p := range all {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

func (all Problems) sorted() Problems {
	slices.SortStableFunc(all, func(a, b Problem) int { return a.Line - b.Line })
	return all
}
