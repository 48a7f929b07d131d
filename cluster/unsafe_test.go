package cluster

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestUnsafeNames(t *testing.T) {
	functions := []function{{"d", "F"}, {"d", "odd name"}, {"", "udf"}, {"e", "tick`y z"}}
	tests := []struct {
		name  string
		views []view
		safe  string
		want  string
	}{
		{"functions alone", nil, "", "f odd name tick`y z udf"},
		{"a view that calls one", []view{{"d", "V", "select `d`.`f`() AS `x`"}}, "", "f odd name tick`y z udf v"},
		{"a view that calls none", []view{{"d", "v", "select `d`.`t`.`fx` AS `x` from `d`.`t`"}}, "", "f odd name tick`y z udf"},
		{"a chain, in any order", []view{{"d", "c", "select x from `d`.`b`"}, {"d", "b", "select x from `d`.`a`"}, {"d", "a", "select `udf`(1) x"}}, "", "a b c f odd name tick`y z udf"},
		{"a name that needs quotes", []view{{"d", "v", "select `d`.`Odd Name`()"}, {"d", "w", "select `e`.`tick``y z`()"}}, "", "f odd name tick`y z udf v w"},
		{"a text that cannot be read", []view{{"d", "v", " "}, {"d", "w", "select * from v"}}, "", "f odd name tick`y z udf v w"},
		{"safe by name", []view{{"d", "v", "select `d`.`f`()"}}, "f udf", "odd name tick`y z"},
		{"safe by schema and name", []view{{"d", "v", "select `d`.`f`()"}}, "D.F", "odd name tick`y z udf"},
		{"safe in another schema only", []view{{"d", "v", "select `d`.`f`()"}}, "x.f", "f odd name tick`y z udf v"},
		{"a safe view hides what it reaches", []view{{"d", "v", "select `d`.`f`()"}, {"d", "w", "select * from `d`.`v`"}}, "d.v", "f odd name tick`y z udf"},
		{"two views of one name", []view{{"d", "v", "select 1"}, {"e", "v", "select `d`.`f`()"}}, "", "f odd name tick`y z udf v"},
		{"views in a circle", []view{{"d", "v", "select * from w"}, {"d", "w", "select * from v"}}, "", "f odd name tick`y z udf"},
	}
	for _, test := range tests {
		names := unsafeNames(definitions{functions, test.views}, strings.Fields(test.safe))
		if got := strings.Join(slices.Sorted(maps.Keys(names)), " "); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestPackageFunctions(t *testing.T) {
	text := "PACKAGE BODY `p` AS\n FUNCTION `F1`(a INT) RETURN INT AS BEGIN RETURN 1; END;\n procedure q as begin null; end; function f2 return int as begin return 2; end; END"
	if got := fmt.Sprint(packageFunctions(text)); got != "[f1 f2]" {
		t.Error(got)
	}
}

func TestCatalogueEqual(t *testing.T) {
	make := func(name, charset string) *Catalogue {
		return &Catalogue{Unsafe: map[string]struct{}{name: {}}, Collations: map[uint16]Collation{1: {"a", charset}}}
	}
	if !make("f", "x").equal(make("f", "x")) || make("f", "x").equal(make("g", "x")) || make("f", "x").equal(make("f", "y")) {
		t.Error("equal")
	}
}

func TestSomeNamesIsBounded(t *testing.T) {
	set := func(names ...string) map[string]struct{} {
		out := map[string]struct{}{}
		for _, name := range names {
			out[name] = struct{}{}
		}
		return out
	}
	for _, c := range []struct {
		now, before map[string]struct{}
		want        string
	}{
		{nil, nil, ""},
		{set("b", "a"), nil, "a, b"},
		{set("b", "a", "c"), set("a", "gone"), "b, c"},
		{set("g", "f", "e", "d", "c", "b", "a"), set("b"), "a, c, d, e, f and 1 more"},
	} {
		if got := someNames(c.now, c.before); got != c.want {
			t.Errorf("someNames(%v, %v) = %q, want %q", c.now, c.before, got, c.want)
		}
	}
}
