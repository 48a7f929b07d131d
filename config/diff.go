package config

import (
	"fmt"
	"reflect"
)

// Change is one difference between two configurations.
type Change struct {
	// Text is the difference in words, without secrets.
	Text string
	// Restart says that a running process cannot take it over.
	Restart bool
	// Ignored says that a running process does not look at it: it counts at the
	// first start only, until a master is recorded.
	Ignored bool
}

// Diff lists what is different in next, in the order of the example file. It
// is empty where nothing is.
func Diff(old, next *File) []Change {
	return compare("", reflect.ValueOf(*old), reflect.ValueOf(*next), field{})
}

// compare descends to the values that differ; f describes the key they are of.
func compare(path string, old, next reflect.Value, f field) []Change {
	if nodes, ok := old.Interface().([]Node); ok {
		return compareLists(path, nodes, next.Interface().([]Node), func(n Node) string { return n.Name })
	}
	if users, ok := old.Interface().([]User); ok {
		return compareLists(path, users, next.Interface().([]User), func(u User) string { return u.Name })
	}
	if tokens, ok := old.Interface().([]Token); ok {
		return compareLists(path, tokens, next.Interface().([]Token), func(t Token) string { return t.Name })
	}
	if old.Kind() != reflect.Struct {
		return compareValues(path, old, next, f)
	}
	var changes []Change
	for _, key := range fieldsOf(old.Type()) {
		changes = append(changes, compare(join(path, key.name), old.FieldByIndex(key.index), next.FieldByIndex(key.index), key)...)
	}
	return append(changes, compareSecrets(path, old, next)...)
}

// compareSecrets sees a secret whose file or variable has another content.
func compareSecrets(path string, old, next reflect.Value) []Change {
	if _, ok := old.Type().FieldByName("Password"); !ok {
		return nil
	}
	before, after := old.FieldByName("Password").Interface().(Password), next.FieldByName("Password").Interface().(Password)
	if before.value == after.value || before.Inline != after.Inline {
		return nil
	}
	return []Change{{Text: path + ": the secret has changed"}}
}

func compareValues(path string, old, next reflect.Value, f field) []Change {
	if reflect.DeepEqual(old.Interface(), next.Interface()) {
		return nil
	}
	text := fmt.Sprintf("%s: %s → %s", path, show(old), show(next))
	if f.secret {
		text = path + ": the secret has changed"
	}
	return []Change{{Text: text, Restart: !f.live && !f.first, Ignored: f.first}}
}

func show(v reflect.Value) string {
	if v.Kind() == reflect.String || v.Kind() == reflect.Slice {
		return fmt.Sprintf("%q", v.Interface())
	}
	return fmt.Sprint(v.Interface())
}

// compareLists matches entries by their name. Entries come and go, and change
// places, without a restart.
func compareLists[T any](path string, old, next []T, name func(T) string) []Change {
	var changes []Change
	before := make(map[string]T)
	for _, entry := range old {
		before[name(entry)] = entry
	}
	for _, entry := range next {
		was, ok := before[name(entry)]
		if !ok {
			changes = append(changes, Change{Text: fmt.Sprintf("%s: %s is new", path, name(entry))})
			continue
		}
		delete(before, name(entry))
		at := fmt.Sprintf("%s[%s]", path, name(entry))
		changes = append(changes, compare(at, reflect.ValueOf(was), reflect.ValueOf(entry), field{})...)
	}
	for _, entry := range old {
		if _, gone := before[name(entry)]; gone {
			changes = append(changes, Change{Text: fmt.Sprintf("%s: %s is gone", path, name(entry))})
		}
	}
	return changes
}
