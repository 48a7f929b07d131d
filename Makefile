# Bellwether's tasks. `make` alone prints them.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
REVISION ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
LDFLAGS  := -s -w -X main.version=$(VERSION) -X main.revision=$(REVISION)

# How long each fuzz target runs, how often the chaos plays each fault, how many
# sessions the soak plays, how long it replicates and how often it kills, and
# which ones (the same seed makes the same again).
FUZZTIME ?= 30s
ROUNDS   ?= 10
PROGRAMS ?= 5000
SOAK     ?= 10m
KILLS    ?= 200
SEED     ?= $(shell echo $$RANDOM)
# Which faults the chaos plays, and on which servers, as regular expressions, and
# how many switchovers in a row.
FAULTS   ?=
SWITCHOVERS ?= 100
SERVERS  ?=
# One package to test or fuzz: make test PKG=./wire
PKG ?= ./...
# Flags of the demo and the bench, as in: make demo ARGS="--servers mariadb --slaves 3"
ARGS ?=

.PHONY: help build demo test lint fuzz chaos soak bench clean servers promtool browser go compiler

help: ## print this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1|/' | awk -F'|' '{ printf "  make %-8s %s\n", $$1, $$2 }'

build: go ## build bin/bellwether, one static binary
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o bin/bellwether ./cmd/bellwether

demo: build servers ## start a master, two slaves and Bellwether in front of them
	exec bin/bellwether demo $(ARGS)

test: lint servers promtool browser compiler ## check the style, then run every test with the race detector
	@mkdir -p bin; echo 'go test -race -count 1 -timeout 14m $(PKG)'; \
	go test -race -count 1 -timeout 14m $(PKG) 2>&1 | tee bin/test.log || { \
	  echo; echo 'What failed; bin/test.log has all of it:'; \
	  grep -aE -A 6 '^ *--- FAIL|^panic:|^WARNING: DATA RACE|running tests:' bin/test.log | cut -c 1-300 | head -80; \
	  grep -aE '^FAIL\s' bin/test.log; exit 1; }
	go test -count 1 -run 'Alloc' ./proxy ./wire ./router ./cluster

lint: go bin/staticcheck ## check formatting, go vet, staticcheck and the house's own rules
	@unformatted=$$(gofmt -l .); \
	if [[ -n $$unformatted ]]; then echo "not formatted, run gofmt -w on:" $$unformatted >&2; exit 1; fi
	go vet $(PKG)
	bin/staticcheck $(PKG)
	go vet -tags chaos ./internal/acceptance
	go test ./internal/layout

fuzz: go ## run every fuzz target for FUZZTIME (30s) each
	@go list -f '{{.Dir}}' $(PKG) | while read -r dir; do \
	  { grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$$dir"/*_test.go 2>/dev/null || true; } | sed 's/^func //' | while read -r target; do \
	    echo "fuzz $$dir $$target"; \
	    (cd "$$dir" && go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) . </dev/null); \
	  done; \
	done

chaos: go servers compiler ## break real servers under load, each fault ROUNDS (10) times on each family; FAULTS and SERVERS choose
	BELLWETHER_ROUNDS=$(ROUNDS) BELLWETHER_SEED=$(SEED) BELLWETHER_FAULTS='$(FAULTS)' BELLWETHER_FLAVOUR='$(SERVERS)' BELLWETHER_SWITCHOVERS=$(SWITCHOVERS) \
	  go test -tags chaos -timeout 0 -count 1 -v -run '^Test(JudgeSees|Chaos|Switchovers)$$' ./internal/acceptance

soak: go servers compiler ## compare PROGRAMS (5000) random sessions; sysbench, idle clients, connects; replicate for SOAK (10m); figures
	scripts/servers.sh sysbench
	go vet -tags soak ./internal/acceptance ./replicator/... ./cmd/bellwether
	BELLWETHER_SOAK=$(SOAK) go test -tags soak -timeout 0 -count 1 -v -run '^Test(Soak|CommitLatency|Kills|CatchUp|ReaderFigures|KilledInsideDefinitions)$$' ./replicator/...
	BELLWETHER_SOAK=$(SOAK) BELLWETHER_ROUNDS=$(KILLS) BELLWETHER_SEED=$(SEED) go test -tags soak -timeout 0 -count 1 -v -run '^Test(Replication(Soak|Kills)|NeverStale|OwnWriteRead|BackPressure)$$' ./internal/acceptance
	go test -tags soak -timeout 0 -count 1 -v -run '^Test(Sysbench|IdleClients|ConnectAndLeave)$$' ./internal/acceptance
	go test -tags soak -timeout 0 -count 1 -v -run '^TestSelectMillion$$' ./cmd/bellwether
	BELLWETHER_PROGRAMS=$(PROGRAMS) BELLWETHER_SEED=$(SEED) go test -timeout 0 -count 1 -v -run '^TestDifferential$$' ./internal/acceptance

bench: build ## measure against a straight connection and HAProxy
	scripts/servers.sh mysql haproxy
	go run ./bench $(ARGS)

clean: ## remove what was built; the fetched servers stay in the cache
	rm -rf bin dist

servers: ## fetch MySQL and MariaDB into a cache, without root
	@scripts/servers.sh

promtool: ## fetch promtool into a cache, without root, for the test of the alerts
	@scripts/servers.sh promtool

browser: ## fetch Chromium into a cache, without root, for the dashboard's test
	@scripts/browser.sh

bin/staticcheck: tools/go.mod tools/go.sum | go
	@go -C tools build -o ../bin/staticcheck honnef.co/go/tools/cmd/staticcheck

go:
	@command -v go >/dev/null || { echo "Go is missing: install Go 1.26 or newer from https://go.dev/dl/ and put it on PATH" >&2; exit 1; }

# The race detector is linked by a C compiler.
compiler: go
	@command -v "$$(go env CC)" >/dev/null || { echo "a C compiler is missing, which go test -race needs: apt install build-essential" >&2; exit 1; }
