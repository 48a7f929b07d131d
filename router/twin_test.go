package router

import (
	"regexp"
	"strings"
)

// piece is one token as the twin sees it.
type piece struct {
	kind  string // word, quoted, string, number, punct, odd
	text  string // as written
	space bool   // blank or comment before it
}

// twin is a slow and obvious tokenizer: what the fast one must agree with. It
// knows nothing of stripping. Executable comments are read like the rest; odd is
// set where a server may see something else.
func twin(sql string, d Dialect) (pieces []piece, odd bool) {
	exec, space := false, false
	for sql != "" {
		skip, next, strange := twinBlank(sql, &exec)
		odd = odd || strange
		if skip {
			sql, space = next, true
			continue
		}
		kind, n := twinToken(sql, d, pieces, space)
		odd = odd || kind == "odd"
		pieces = append(pieces, piece{kind, sql[:n], space})
		sql, space = sql[n:], false
	}
	return pieces, odd || exec
}

var (
	twinExec    = regexp.MustCompile(`^/\*[mM]?![0-9]{0,6}`)
	twinDashes  = regexp.MustCompile(`^--($|[\x00-\x20\x7f])`)
	twinLine    = regexp.MustCompile(`^[^\n]*`)
	twinHex     = regexp.MustCompile(`^(0x[0-9a-fA-F]+|0b[01]+)($|[^0-9a-zA-Z_$\x80-\xff])`)
	twinPoint   = regexp.MustCompile(`^([0-9]+\.[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?`)
	twinExp     = regexp.MustCompile(`^[0-9]+[eE][+-]?[0-9]+`)
	twinInteger = regexp.MustCompile(`^[0-9]+($|[^0-9a-zA-Z_$\x80-\xff])`)
	twinWord    = regexp.MustCompile(`^[0-9a-zA-Z_$]+`)
)

// twinBlank skips a blank or a comment at the beginning of sql.
func twinBlank(sql string, exec *bool) (skip bool, rest string, odd bool) {
	switch {
	case strings.ContainsRune(" \t\n\v\f\r", rune(sql[0])):
		return true, sql[1:], false
	case twinExec.MatchString(sql):
		odd = *exec
		*exec = true
		return true, sql[len(twinExec.FindString(sql)):], odd
	case *exec && strings.HasPrefix(sql, "*/"):
		*exec = false
		return true, sql[2:], false
	case strings.HasPrefix(sql, "/*"):
		end := strings.Index(sql[2:], "*/")
		if end < 0 {
			return true, "", true
		}
		body := sql[2 : 2+end]
		return true, sql[2+end+2:], strings.ContainsAny(body, "\x00'\"`")
	case sql[0] == '#' || twinDashes.MatchString(sql):
		line := twinLine.FindString(sql)
		return true, sql[len(line):], strings.ContainsRune(line, 0)
	}
	return false, sql, false
}

// twinToken says what the token at the beginning of sql is and how long.
func twinToken(sql string, d Dialect, before []piece, space bool) (string, int) {
	last := piece{}
	if len(before) > 0 {
		last = before[len(before)-1]
	}
	joined := !space && (last.kind == "word" || last.kind == "quoted")
	behindDot := !space && last.text == "."
	c := sql[0]
	switch {
	case c >= 0x80 || c < ' ' || c == 0x7f || c == '\\':
		return "odd", 1
	case c == '`' || c == '"' && d.ANSIQuotes:
		return twinQuoted(sql, "quoted", false)
	case c == '\'' || c == '"':
		return twinQuoted(sql, "string", !d.NoBackslashEscapes)
	case !behindDot && twinHex.MatchString(sql):
		return "number", len(twinHex.FindStringSubmatch(sql)[1])
	case (!behindDot || c == '.') && !joined && twinPoint.MatchString(sql):
		return "number", len(twinPoint.FindString(sql))
	case !behindDot && twinExp.MatchString(sql):
		return "number", len(twinExp.FindString(sql))
	case !behindDot && twinInteger.MatchString(sql):
		return "number", len(regexp.MustCompile(`^[0-9]+`).FindString(sql))
	case twinWord.MatchString(sql):
		return "word", len(twinWord.FindString(sql))
	}
	return "punct", 1
}

// twinQuoted walks a quoted piece byte by byte.
func twinQuoted(sql, kind string, backslash bool) (string, int) {
	for i := 1; i < len(sql); i++ {
		switch {
		case backslash && sql[i] == '\\':
			i++
		case sql[i] == sql[0] && i+1 < len(sql) && sql[i+1] == sql[0]:
			i++
		case sql[i] == sql[0]:
			return kind, i + 1
		}
	}
	return "odd", len(sql)
}

// locks reports whether the pieces have FOR UPDATE, FOR SHARE or LOCK IN SHARE
// as words of the statement.
func locks(pieces []piece) bool {
	var b strings.Builder
	for i, p := range pieces {
		word := "\x00"
		if p.kind == "word" && (i == 0 || pieces[i-1].text != ".") {
			word = strings.ToLower(p.text)
		}
		b.WriteString(" " + word)
	}
	text := b.String() + " "
	return strings.Contains(text, " for update ") || strings.Contains(text, " for share ") ||
		strings.Contains(text, " lock in share ")
}
