package failover

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/golden"
)

// told is a story's view in the making.
type told struct {
	*testing.T
	view    View
	flavour cluster.Flavour
	print   bool // plans are not abridged
}

var storyNow = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// stories returns every case that has steps.
func stories(t *testing.T) (out []golden.Case) {
	files, err := filepath.Glob("testdata/stories/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		cases, err := golden.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			if len(c.Steps) > 0 {
				out = append(out, c)
			}
		}
	}
	return out
}

// hear reads what stands before the steps.
func hear(t *testing.T, c golden.Case) *told {
	s := &told{T: t, flavour: cluster.FlavourMySQL}
	s.view = View{Now: storyNow, Writes: cluster.WritesOpen,
		Policy: Policy{Automatic: true, Window: 30 * time.Second, Frozen: 2 * time.Second, Rejoin: RejoinCopy, DataCentre: map[string]string{}},
		Stream: StreamView{Known: true, Connected: true, Whole: true, Since: ago("1h"), Heard: ago("100ms"), Stored: ago("200ms")}}
	for _, o := range c.Options {
		if o.Word == "mariadb" {
			s.flavour = cluster.FlavourMariaDB
		}
	}
	s.view.Stream.End = s.set("default")
	for _, o := range c.Options {
		s.option(o)
	}
	return s
}

// option reads one @ line.
func (s *told) option(o golden.Option) {
	switch o.Word {
	case "mariadb":
	case "node":
		s.node(o.Rest)
	case "stream":
		s.stream(o.Rest)
	case "policy":
		s.policy(o.Rest)
	case "writes":
		s.view.Writes = map[string]cluster.Writes{"open": cluster.WritesOpen, "held": cluster.WritesHeld, "refused": cluster.WritesRefused}[o.Rest]
	case "last":
		s.view.Last = ago(o.Rest)
	case "lock":
		s.view.Lock = o.Rest
	case "record":
		s.record(o.Rest)
	default:
		s.Fatalf("no such option: @%s", o.Word)
	}
}

func ago(text string) time.Time {
	d, err := time.ParseDuration(text)
	if err != nil {
		panic(err)
	}
	return storyNow.Add(-d)
}

// letters stand for servers.
const letters = "abcdef"

func uuidOf(letter byte) string {
	l := string(letter)
	return strings.Repeat(l, 8) + strings.Repeat("-"+strings.Repeat(l, 4), 3) + "-" + strings.Repeat(l, 12)
}

// shortened puts the letters back.
func shortened(text string) string {
	for i := range len(letters) {
		text = strings.ReplaceAll(text, uuidOf(letters[i]), letters[i:i+1])
	}
	return text
}

// set reads a:1-100,b:7 or 0-1-100; "default" is what everybody has, "unknown" nil.
func (s *told) set(text string) *cluster.GTIDSet {
	switch {
	case text == "unknown":
		return nil
	case text == "default" && s.flavour == cluster.FlavourMariaDB:
		text = "0-1-100"
	case text == "default":
		text = "a:1-100"
	}
	if s.flavour == cluster.FlavourMySQL {
		for i := range len(letters) {
			text = strings.ReplaceAll(text, letters[i:i+1]+":", "\x00"+strconv.Itoa(i)+":")
		}
		for i := range len(letters) {
			text = strings.ReplaceAll(text, "\x00"+strconv.Itoa(i), uuidOf(letters[i]))
		}
	}
	set, err := cluster.ParseGTIDSet(s.flavour, text)
	if err != nil {
		s.Fatal(err)
	}
	return set
}

// identity of the server of a letter, or the text itself.
func identity(text string) string {
	if len(text) == 1 {
		return uuidOf(text[0])
	}
	return text
}

// record reads [none] [master=x] [fenced=node/identity] [promotion=kind/from/end].
func (s *told) record(rest string) {
	for _, word := range strings.Fields(rest) {
		key, value, _ := strings.Cut(word, "=")
		fields := strings.Split(value, "/")
		switch key {
		case "none":
			s.view.Record = State{}
		case "master":
			s.view.Record.Master, s.view.Record.Identity = fields[0], identity(fields[1])
		case "fenced":
			s.view.Record.Fenced = append(s.view.Record.Fenced, Fenced{Node: fields[0], Identity: identity(fields[1])})
		case "promotion":
			s.view.Record.Promotion = &Promotion{Kind: fields[0], From: fields[1], End: s.set(fields[2]).String()}
		default:
			s.Fatalf("no such record: %s", word)
		}
	}
}

// policy reads automatic=off, window=, max_loss=, prefer=a,b, never=, frozen=,
// rejoin=leave and dc=node:place,node:place.
func (s *told) policy(rest string) {
	p := &s.view.Policy
	for _, word := range strings.Fields(rest) {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "automatic":
			p.Automatic = value == "on"
		case "window":
			p.Window = storyNow.Sub(ago(value))
		case "max_loss":
			p.MaxLoss = s.number(value)
		case "prefer":
			p.Prefer = strings.Split(value, ",")
		case "never":
			p.Never = strings.Split(value, ",")
		case "frozen":
			p.Frozen = storyNow.Sub(ago(value))
		case "rejoin":
			p.Rejoin = map[string]Rejoin{"copy": RejoinCopy, "leave": RejoinLeave}[value]
		case "dc":
			for _, pair := range strings.Split(value, ",") {
				name, place, _ := strings.Cut(pair, ":")
				p.DataCentre[name] = place
			}
		default:
			s.Fatalf("no such policy: %s", word)
		}
	}
}

func (s *told) number(text string) uint64 {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		s.Fatal(err)
	}
	return n
}

// stream reads direct, unknown, partial, broken=, running=, heard=, stored=,
// end=SET, and behind | why the stored log fails.
func (s *told) stream(rest string) {
	head, failing, fails := strings.Cut(rest, "| failing ")
	v := &s.view.Stream
	if fails {
		v.Failing = failing
	}
	for _, word := range strings.Fields(head) {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "direct":
			*v = StreamView{Direct: true}
		case "unknown":
			*v = StreamView{}
		case "partial":
			v.Whole = false
		case "broken":
			v.Connected, v.Since = false, ago(value)
			v.Heard, v.Stored = v.Since, v.Since
		case "running":
			v.Connected, v.Since, v.Heard, v.Stored = true, ago(value), storyNow, storyNow
		case "heard":
			v.Heard, v.Stored = ago(value), ago(value)
		case "stored":
			v.Stored = ago(value)
		case "end":
			v.End = s.set(value)
		default:
			s.Fatalf("no such stream: %s", word)
		}
	}
}
