package config

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWithFeed(t *testing.T) {
	for _, c := range []struct{ name, before, after string }{
		{"not there", minimal, minimal + "\nreplication:\n  feed: relay\n"},
		{"not there, a comment and no end of line", minimal + "# end", minimal + "# end\n\nreplication:\n  feed: relay\n"},
		{"there", minimal + "replication:\n  # which\n  feed: direct  # the master\n  policy: durable\n",
			minimal + "replication:\n  # which\n  feed: relay  # the master\n  policy: durable\n"},
		{"quoted", minimal + "replication:\n  policy: durable\n  feed: \"direct\"\n", minimal + "replication:\n  policy: durable\n  feed: relay\n"},
		{"in braces", minimal + "replication: {policy: durable, feed: direct} # ä\n", minimal + "replication: {policy: durable, feed: relay} # ä\n"},
		{"braces without", minimal + "replication: {policy: durable}\n", minimal + "replication: {feed: relay, policy: durable}\n"},
		{"empty braces", minimal + "replication: {}\nreads: {max_lag: 1s}\n", minimal + "replication: {feed: relay}\nreads: {max_lag: 1s}\n"},
		{"other keys", minimal + "replication:\n    # why\n    policy: durable\nlog: {level: debug}\n",
			minimal + "replication:\n    # why\n    feed: relay\n    policy: durable\nlog: {level: debug}\n"},
		{"no value", minimal + "replication:\nlog: {level: debug}\n", minimal + "replication:\n  feed: relay\nlog: {level: debug}\n"},
		{"it is so already", minimal + "replication: {feed: relay}\n", minimal + "replication: {feed: relay}\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := WithFeed("x.yaml", []byte(c.before), "relay")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.after, string(got)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// Of the whole example one word changes, and back.
func TestWithFeedOfTheExample(t *testing.T) {
	source, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	got, err := WithFeed(example, source, "relay")
	if err != nil || string(got) != strings.Replace(string(source), "\n  feed: direct", "\n  feed: relay", 1) {
		t.Fatalf("%v\n%s", err, got)
	}
	if back, err := WithFeed(example, got, "direct"); err != nil || string(back) != string(source) {
		t.Errorf("and back: %v\n%s", err, back)
	}
}

// What cannot be edited safely, or would not work, is refused.
func TestWithFeedRefuses(t *testing.T) {
	for source, want := range map[string]string{
		`{state_dir: s, operator: {user: o}, nodes: [{name: a, address: "h:1"}]}`: "by hand",
		minimal + "replication: {stored_log: {file_size: 1KB}}\n":                 "file_size",
		minimal + "replikation: {}\n":                                             "unknown key",
	} {
		if got, err := WithFeed("x.yaml", []byte(source), "relay"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\nerror %v, want %q\n%s", source, err, want, got)
		}
	}
}
