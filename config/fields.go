package config

import (
	"reflect"
	"strings"
)

// field is one key of a struct of the configuration. Its tags are
//
//	yaml:"key"       the key's name
//	oneof:"a b c"    the words it takes
//	reload:"live"    a reload applies it to the running process; without the
//	                 tag a change waits for a restart
//	reload:"ignored" it counts at the very first start only
//	secret:"true"    its value is never printed
type field struct {
	name   string
	index  []int
	typ    reflect.Type
	oneOf  string
	live   bool
	first  bool // counts at the very first start only
	secret bool
}

type fields []field

// fieldsOf lists the keys of a struct, those of embedded structs among them.
func fieldsOf(t reflect.Type) fields {
	var all fields
	for _, f := range reflect.VisibleFields(t) {
		name := f.Tag.Get("yaml")
		if name == "" || f.Anonymous {
			continue
		}
		all = append(all, field{
			name: name, index: f.Index, typ: f.Type,
			oneOf: f.Tag.Get("oneof"), live: f.Tag.Get("reload") == "live", first: f.Tag.Get("reload") == "ignored",
			secret: f.Tag.Get("secret") == "true",
		})
	}
	return all
}

func (all fields) find(name string) (field, bool) {
	for _, f := range all {
		if f.name == name {
			return f, true
		}
	}
	return field{}, false
}

func (all fields) names() []string {
	names := make([]string, len(all))
	for i, f := range all {
		names[i] = f.name
	}
	return names
}

// homesOf returns the paths of the structs below t that have the key, so that
// a key in the wrong place is told where it belongs.
func homesOf(t reflect.Type, key string) []string {
	var homes []string
	for _, f := range fieldsOf(t) {
		below := f.typ
		if below.Kind() == reflect.Slice {
			below = below.Elem()
		}
		if below.Kind() != reflect.Struct {
			continue
		}
		if _, ok := fieldsOf(below).find(key); ok {
			homes = append(homes, f.name)
		}
		for _, deeper := range homesOf(below, key) {
			homes = append(homes, join(f.name, deeper))
		}
	}
	return homes
}

// nearest returns the word that is closest to a mistyped one, or "" where
// none is close enough to be meant.
func nearest(word string, known []string) string {
	best, least := "", max(1, len(word)/3)+1
	for _, candidate := range known {
		if d := distance(word, candidate); d < least {
			best, least = candidate, d
		}
	}
	return best
}

// distance counts the letters to insert, delete, replace or swap with their
// neighbour to get from a to b.
func distance(a, b string) int {
	a, b = strings.ToLower(a), strings.ToLower(b)
	before, previous := []int{}, make([]int, len(b)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(previous[j]+1, row[j-1]+1, previous[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, previous = previous, row
	}
	return previous[len(b)]
}
