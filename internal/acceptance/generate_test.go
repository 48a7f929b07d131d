package acceptance

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// program is what one client does from its login to its end.
type program struct {
	seed   uint64
	client client
	steps  []step
}

// client is how a program's client connects.
type client struct {
	deprecateEOF, sessionTrack, multi, foundRows, tls, schema bool
	collation                                                 byte
}

// String prints the program so that a person can read and repeat it.
func (p program) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "program of seed %d, client %+v\n", p.seed, p.client)
	for i, s := range p.steps {
		fmt.Fprintf(&b, "%3d  %s\n", i+1, clipped(string(s), 400))
	}
	return b.String()
}

func clipped(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return fmt.Sprintf("%s...(%d bytes)", s[:n], len(s))
}

// generator makes one program. Every choice comes from its seed.
type generator struct {
	random *rand.Rand
	themes []theme
	total  int
}

// generate returns the program of a seed: length steps out of some of the
// themes, so that steps of one theme meet each other.
func generate(seed uint64, flavour string, themes []theme, length int) program {
	random := rand.New(rand.NewPCG(seed, 2))
	g := &generator{random: random}
	for i, t := range themes {
		if i == 0 || random.IntN(5) < 2 {
			g.themes = append(g.themes, t)
			g.total += t.weight
		}
	}
	p := program{seed: seed, client: g.client(flavour)}
	// FOUND_ROWS() before the first SELECT is left over from another client on MariaDB.
	p.steps = append(p.steps, "SELECT COUNT(*) FROM {db}.t1")
	if !p.client.schema {
		p.steps = append(p.steps, "USE {db}")
	}
	for len(p.steps) < length {
		p.steps = append(p.steps, g.line(0)...)
	}
	p.steps = p.steps[:length]
	return p
}

func (g *generator) client(flavour string) client {
	often := func() bool { return g.random.IntN(4) > 0 }
	seldom := func() bool { return g.random.IntN(16) == 0 }
	collations := []byte{45, 45, 45, 8, 33, 224}
	if flavour == "mysql" {
		collations[2] = 255
	}
	return client{
		deprecateEOF: often(), sessionTrack: often(), multi: often(), schema: often(),
		foundRows: !often(), tls: seldom(),
		collation: collations[g.random.IntN(len(collations))],
	}
}

// line returns one line's steps, with others in between where it allows them.
func (g *generator) line(depth int) []step {
	line := g.pick()
	fixed := map[string]string{}
	var steps []step
	for i, part := range strings.Split(line, " ~> ") {
		for range g.between(i, depth) {
			steps = append(steps, g.line(depth+1)...)
		}
		for _, text := range strings.Split(part, " => ") {
			steps = append(steps, step(g.expand(text, fixed)))
		}
	}
	return steps
}

func (g *generator) between(part, depth int) int {
	if part == 0 || depth > 1 {
		return 0
	}
	return g.random.IntN(3)
}

func (g *generator) pick() string {
	at := g.random.IntN(g.total)
	for _, t := range g.themes {
		if at < t.weight {
			return t.lines[g.random.IntN(len(t.lines))]
		}
		at -= t.weight
	}
	return "SELECT 1"
}

// expand replaces the {...} of a line; fixed keeps the names that stay the
// same along it.
func (g *generator) expand(text string, fixed map[string]string) string {
	var b strings.Builder
	for {
		head, rest, found := strings.Cut(text, "{")
		b.WriteString(head)
		if !found {
			return b.String()
		}
		name, tail, closed := strings.Cut(rest, "}")
		if value, ok := g.value(name, fixed); closed && ok {
			b.WriteString(value)
			text = tail
			continue
		}
		b.WriteByte('{')
		text = rest
	}
}

// value is what a {name} stands for; false leaves it as it is.
func (g *generator) value(name string, fixed map[string]string) (string, bool) {
	names := map[string][]string{
		"h": {"h1", "h2", "h3", "h4"}, "p": {"s1", "s2"}, "k": {"k1", "k2", "k3"}, "u": {"@u1", "@u2", "@u3"},
	}
	switch name {
	case "n":
		return fmt.Sprint(1 + g.random.IntN(12)), true
	case "N":
		return fmt.Sprint(1 + g.random.IntN(2000)), true
	case "f":
		return fmt.Sprintf("%.2f", g.random.Float64()*100), true
	case "s":
		words := []string{"'apple'", "'pear'", "'it''s'", "'größe'", "''", "NULL", "'a\\\\b'", "'x y z'", "'日本'", "\"quoted\""}
		return words[g.random.IntN(len(words))], true
	case "args":
		return g.arguments(), true
	case "h", "p", "k", "u":
		if fixed[name] == "" {
			fixed[name] = names[name][g.random.IntN(len(names[name]))]
		}
		return fixed[name], true
	}
	if choices := strings.Split(name, "|"); len(choices) > 1 {
		return choices[g.random.IntN(len(choices))], true
	}
	return "", false
}

func (g *generator) arguments() string {
	all := []string{"i:7", "i:-3", "l:12", "y:200", "d:2.5", "s:text", "s:ä", "b:blob", "t:2023", "null", "s:12"}
	var words []string
	for range g.random.IntN(4) {
		words = append(words, all[g.random.IntN(len(all))])
	}
	return strings.Join(words, " ")
}
