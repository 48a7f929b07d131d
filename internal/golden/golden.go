// Package golden runs tests that are text files. A file is a row of cases,
// with blank lines between them:
//
//	# What the case shows, in words.
//	@option value
//	a step's input
//	> its second line
//	= what comes out of it, one line or several
//	the next step's input
//	= what comes out of it
//
// go test -update writes what comes out into the file, which a person then
// reads as a diff.
package golden

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// update is the flag -update of a test that imports this package.
var update = flag.Bool("update", false, "write what comes out into the golden files")

// Case is one case of a file. It is a value.
type Case struct {
	// Line is the number of the first line, from 1.
	Line int
	// Comments are the lines that begin with #, as written.
	Comments []string
	// Options are the lines that begin with @, without it: the word, then the rest.
	Options []Option
	// Steps are the other lines, in their order.
	Steps []Step
}

// Step is one input of a case and what comes out of it.
type Step struct {
	// Input is one line, or several, each further one written behind "> ".
	Input string
	// Want are the lines behind it that begin with "= ", without that.
	Want []string
}

// Option is one @ line.
type Option struct{ Word, Rest string }

// Run runs every case of every file that matches pattern (filepath.Glob) and
// compares what it wants with what answer returns: the lines for each step. A
// file without cases, or no file at all, is a failure.
func Run(t *testing.T, pattern string, answer func(*testing.T, Case) [][]string) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden file matches %s", pattern)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) { runFile(t, name, answer) })
	}
}

func runFile(t *testing.T, name string, answer func(*testing.T, Case) [][]string) {
	cases, err := Load(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		got := answer(t, c)
		for i := range c.Steps {
			if !*update {
				compare(t, name, c, i, got[i])
			}
			c.Steps[i].Want = got[i]
		}
	}
	if *update {
		if err := os.WriteFile(name, []byte(Format(cases)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func compare(t *testing.T, name string, c Case, step int, got []string) {
	t.Helper()
	want := strings.Join(c.Steps[step].Want, "\n")
	if have := strings.Join(got, "\n"); have != want {
		t.Errorf("%s:%d: step %d: %s\nwant %s\ngot  %s", name, c.Line, step+1, c.Steps[step].Input, want, have)
	}
}

// Load reads the cases of a file.
func Load(name string) ([]Case, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read golden file: %w", err)
	}
	cases := Parse(string(text))
	if len(cases) == 0 {
		return nil, fmt.Errorf("read golden file %s: it has no cases", name)
	}
	return cases, nil
}

// Parse reads the cases of a text. A block of comments alone belongs to no
// case and is one without steps.
func Parse(text string) []Case {
	var cases []Case
	open := false
	for i, line := range strings.Split(text, "\n") {
		if line == "" {
			open = false
			continue
		}
		if !open {
			cases = append(cases, Case{Line: i + 1})
			open = true
		}
		cases[len(cases)-1].add(line)
	}
	return cases
}

func (c *Case) add(line string) {
	last := len(c.Steps) - 1
	switch {
	case last < 0 && (strings.HasPrefix(line, "# ") || line == "#"):
		c.Comments = append(c.Comments, line)
	case last < 0 && line[0] == '@' && len(line) > 1 && line[1] >= 'a' && line[1] <= 'z':
		word, rest, _ := strings.Cut(line[1:], " ")
		c.Options = append(c.Options, Option{word, rest})
	case last >= 0 && strings.HasPrefix(line, "= "):
		c.Steps[last].Want = append(c.Steps[last].Want, line[2:])
	case last >= 0 && strings.HasPrefix(line, "> "):
		c.Steps[last].Input += "\n" + line[2:]
	default:
		c.Steps = append(c.Steps, Step{Input: line})
	}
}

// Format writes cases as Parse reads them.
func Format(cases []Case) string {
	var b strings.Builder
	for i, c := range cases {
		if i > 0 {
			b.WriteByte('\n')
		}
		for _, line := range c.Comments {
			fmt.Fprintln(&b, line)
		}
		for _, o := range c.Options {
			fmt.Fprintln(&b, strings.TrimSpace("@"+o.Word+" "+o.Rest))
		}
		for _, s := range c.Steps {
			fmt.Fprintln(&b, strings.ReplaceAll(s.Input, "\n", "\n> "))
			for _, line := range s.Want {
				fmt.Fprintln(&b, "= "+line)
			}
		}
	}
	return b.String()
}
