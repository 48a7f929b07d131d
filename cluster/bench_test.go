package cluster

import "testing"

func BenchmarkContainsSet(b *testing.B) {
	have := mustGTID(b, FlavourMySQL, uuidA+":1-1000000:1000005-2000000,"+uuidB+":1-77")
	want := mustGTID(b, FlavourMySQL, uuidA+":1500000")
	b.ReportAllocs()
	for b.Loop() {
		if !have.ContainsSet(want) {
			b.Fatal("not contained")
		}
	}
}

func BenchmarkReport(b *testing.B) {
	store := NewStore(three())
	b.ReportAllocs()
	for b.Loop() {
		store.Report(func(d *ReportDraft) { d.SetCondition("db2", "db2:3306", Condition{Health: HealthUp}) })
	}
}
