package golden

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sample = `# A heading alone.

# What it shows.
@facts autocommit=0
SELECT 1
> FROM t
= read
= master
# no comment here
= x

# Input that looks like an option.
@@x
= x
`

func TestParse(t *testing.T) {
	want := []Case{
		{Line: 1, Comments: []string{"# A heading alone."}},
		{
			Line: 3, Comments: []string{"# What it shows."}, Options: []Option{{"facts", "autocommit=0"}},
			Steps: []Step{
				{Input: "SELECT 1\nFROM t", Want: []string{"read", "master"}},
				{Input: "# no comment here", Want: []string{"x"}},
			},
		},
		{
			Line: 12, Comments: []string{"# Input that looks like an option."},
			Steps: []Step{{Input: "@@x", Want: []string{"x"}}},
		},
	}
	if diff := cmp.Diff(want, Parse(sample)); diff != "" {
		t.Error(diff)
	}
}

func TestFormatIsParsesInverse(t *testing.T) {
	if got := Format(Parse(sample)); got != sample {
		t.Errorf("got %q", got)
	}
}
