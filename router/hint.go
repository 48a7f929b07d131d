package router

import "strings"

// hintConsistency begins a hint for what a read may not miss.
const hintConsistency = "consistency="

// parseHint reads what stands behind "bellwether:", of which the blanks are
// gone: master, slave or the name of a node, and consistency=..., by commas.
func parseHint(words string) (h Hint) {
	for word := range strings.SplitSeq(words, ",") {
		h.join(parseHintWord(word))
	}
	return h
}

func parseHintWord(word string) Hint {
	switch folded := strings.ToLower(word); {
	case folded == "":
		return Hint{}
	case folded == "master":
		return Hint{Target: TargetMaster}
	case folded == "slave":
		return Hint{Target: TargetSlave}
	case strings.HasPrefix(folded, hintConsistency):
		c, err := ParseConsistency(folded[len(hintConsistency):])
		if err != nil {
			return Hint{Wrong: err.Error()}
		}
		return Hint{Consistency: c}
	}
	return Hint{Target: TargetNode, Node: word}
}

// join adds another hint of the same statement: of several, the safest.
func (h *Hint) join(other Hint) {
	if other.Target != TargetNone && h.Target != TargetMaster {
		h.Target, h.Node = other.Target, other.Node
	}
	h.Consistency = max(h.Consistency, other.Consistency)
	if h.Wrong == "" {
		h.Wrong = other.Wrong
	}
}
