package acceptance

import (
	"bufio"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// theme is one group of lines of testdata/themes.txt.
type theme struct {
	name   string
	weight int
	lines  []string
}

// readThemes returns the themes of one flavour.
func readThemes(path, flavour string) ([]theme, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open themes: %w", err)
	}
	defer file.Close()
	var themes []theme
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "theme "):
			words := strings.Fields(line)
			weight, err := strconv.Atoi(words[2])
			if err != nil {
				return nil, fmt.Errorf("read theme %s: %w", words[1], err)
			}
			themes = append(themes, theme{name: words[1], weight: weight})
		default:
			if line, ours := forFlavour(line, flavour); ours {
				last := &themes[len(themes)-1]
				last.lines = append(last.lines, line)
			}
		}
	}
	return themes, lines.Err()
}

// forFlavour strips a line's "[flavour]" and says whether the line is for it.
func forFlavour(line, flavour string) (string, bool) {
	if !strings.HasPrefix(line, "[") {
		return line, true
	}
	mark, rest, _ := strings.Cut(line[1:], "] ")
	return rest, mark == flavour
}

// leaveOut drops the lines that match, and the themes that have no line left.
func leaveOut(themes []theme, what *regexp.Regexp) []theme {
	var kept []theme
	for _, t := range themes {
		t.lines = slices.DeleteFunc(t.lines, what.MatchString)
		if len(t.lines) > 0 {
			kept = append(kept, t)
		}
	}
	return kept
}
