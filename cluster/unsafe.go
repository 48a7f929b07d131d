package cluster

import (
	"maps"
	"slices"
	"strings"
)

// definitions are what the nodes' schemas hold that may make a read unsafe.
type definitions struct {
	functions []function
	views     []view
}

// function is a stored or loadable function, or a package that may hold some.
type function struct{ schema, name string }

// view is a view and its text; an empty text could not be read.
type view struct{ schema, name, text string }

// unsafeNames returns, in lower case, the names of all functions, and of all
// views that may reach one: whose text mentions the name of a function or of
// such a view, anywhere, or cannot be read. A name that the configuration
// lists as safe counts as harmless, as "name" or "schema.name", and what it
// reaches with it.
func unsafeNames(d definitions, safe []string) map[string]struct{} {
	harmless := make(map[string]bool, len(safe))
	for _, name := range safe {
		harmless[strings.ToLower(name)] = true
	}
	isSafe := func(schema, name string) bool {
		name = strings.ToLower(name)
		return harmless[name] || harmless[strings.ToLower(schema)+"."+name]
	}
	out := map[string]struct{}{}
	for _, f := range d.functions {
		if !isSafe(f.schema, f.name) {
			out[strings.ToLower(f.name)] = struct{}{}
		}
	}
	views := slices.DeleteFunc(slices.Clone(d.views), func(v view) bool { return isSafe(v.schema, v.name) })
	spread(out, views)
	return out
}

// spread adds the views that reach a name of the set, until none is left. Each
// view is cut into words once; then a change runs along the mentions.
func spread(found map[string]struct{}, views []view) {
	mentions := map[string][]string{} // a word, and the views whose text has it
	var queue []string
	add := func(name string) {
		if _, known := found[name]; !known {
			found[name] = struct{}{}
			queue = append(queue, name)
		}
	}
	queue = slices.AppendSeq(queue, maps.Keys(found))
	texts := make(map[string][]string, len(views)) // by view name, for names that are no words
	for _, v := range views {
		name, text := strings.ToLower(v.name), strings.ToLower(v.text)
		if strings.TrimSpace(text) == "" {
			add(name)
			continue
		}
		texts[name] = append(texts[name], text)
		for word := range words(text) {
			mentions[word] = append(mentions[word], name)
		}
	}
	for len(queue) > 0 {
		name := queue[0]
		queue = queue[1:]
		for _, reached := range reaching(name, mentions, texts) {
			add(reached)
		}
	}
}

// reaching returns the views that mention a name. A name that is not one word,
// which must be quoted in SQL, is looked for in the plain text.
func reaching(name string, mentions map[string][]string, texts map[string][]string) (views []string) {
	if !strings.ContainsFunc(name, isSeparator) {
		return mentions[name]
	}
	quoted := strings.ReplaceAll(name, "`", "``")
	for view, all := range texts {
		if slices.ContainsFunc(all, func(text string) bool {
			return strings.Contains(text, quoted) || strings.Contains(text, name)
		}) {
			views = append(views, view)
		}
	}
	return views
}

// words returns each run of characters that an unquoted identifier may have.
// It does not care about quotes and comments: a word in a string makes a view
// unsafe for nothing, a misread quote would make one safe for nothing.
func words(text string) map[string]struct{} {
	out := map[string]struct{}{}
	for word := range strings.FieldsFuncSeq(text, isSeparator) {
		out[word] = struct{}{}
	}
	return out
}

func isSeparator(r rune) bool {
	word := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '$' || r >= 0x80
	return !word
}

// packageFunctions returns the names that a package's text declares as
// functions: whatever follows the word FUNCTION.
func packageFunctions(text string) (names []string) {
	fields := strings.FieldsFunc(strings.ToLower(text), isSeparator)
	for i, word := range fields {
		if word == "function" && i+1 < len(fields) {
			names = append(names, fields[i+1])
		}
	}
	return names
}
