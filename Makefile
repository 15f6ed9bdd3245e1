# make test    every test of every module, quickly
# make check   the one gate, the same here and in CI: format, vet, staticcheck, the import arrows,
#              tests with the race detector, all short inputs and a short fuzz for each decoder,
#              every example
# make fuzz-count  fuzzes each decoder for FUZZTIME and prints how many executions that were
# make many    gives each decoder MANY mutated inputs, or as many as there is time for in MANYTIME, without the fuzzing
#              engine, which is some ten times as fast, and adds them up
# make exhaustive-3  every input of up to three bytes for every decoder
# make soak    the long runs, bounded: every test 20 times, the seeded bugs, each decoder fuzzed for 5 minutes
#              and given mutated inputs for as long, all inputs of up to three bytes
# make mutants the seeded bugs alone: one guard after the other is removed, and a test must fail. NAMES="a b"
#              runs those whose names begin so; "make check" only looks whether they all still apply

SHELL := /bin/bash -o pipefail
.SHELLFLAGS := -eu -o pipefail -c
export GOFLAGS ?= -buildvcs=false
# e2e, bench and mutants stay outside of go.work; each nested module builds by itself, too.
export GOWORK := off

MODULES    := . serialdaemon examples/restart examples/logd/logclient examples/logd e2e bench mutants
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
DEPGUARD    := github.com/OpenPeeDeeP/depguard/v2/cmd/depguard@v2.3.0
FUZZTIME   ?= 5s
GO         ?= go

.PHONY: test check deps format vet staticcheck arrows modules race exhaustive exhaustive-3 fuzz fuzz-count many examples flakes mutants soak

test: deps
	@for m in $(MODULES); do echo "== test $$m"; (cd $$m && $(GO) test ./...); done

check: deps format modules vet staticcheck arrows race exhaustive fuzz examples
	@echo "check: all passed"

# What the checks need beside Go: a C compiler for the race detector, Python for its client.
deps:
	@need=""; command -v cc >/dev/null || command -v gcc >/dev/null || need="$$need gcc libc6-dev"; \
	command -v python3 >/dev/null || need="$$need python3"; \
	if [ -n "$$need" ]; then echo "installing:$$need"; apt-get update -q && apt-get install -y -q $$need; fi

format:
	@echo "== format"; out=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$out" ]; then echo "gofmt would change:"; echo "$$out"; exit 1; fi

# go.mod and go.sum say exactly what is needed, and the root module no more than it may.
modules:
	@echo "== modules"; for m in $(MODULES); do (cd $$m && $(GO) mod tidy -diff && $(GO) mod verify >/dev/null); done
	@allowed="github.com/pkg/errors go.uber.org/zap github.com/stretchr/testify golang.org/x/sync"; \
	for d in $$($(GO) list -m -f '{{if not .Indirect}}{{if not .Main}}{{.Path}}{{end}}{{end}}' all); do \
		case " $$allowed " in *" $$d "*) ;; *) echo "the root module requires $$d"; exit 1;; esac; done

vet:
	@for m in $(MODULES); do echo "== vet $$m"; (cd $$m && $(GO) vet ./...); done
	@for os in darwin windows; do echo "== vet $$os"; GOOS=$$os CGO_ENABLED=0 $(GO) vet ./...; done

staticcheck:
	@for m in $(MODULES); do echo "== staticcheck $$m"; (cd $$m && $(GO) run $(STATICCHECK) ./...); done

arrows:
	@echo "== arrows"; $(GO) run $(DEPGUARD) ./binaryutil ./serial ./internal/... ./serialserver ./serialclient ./serialtest
	@GOWORK=$(CURDIR)/go.work $(GO) run $(DEPGUARD) ./serialdaemon ./examples/logd/... ./examples/logd/logclient/...

race:
	@for m in $(MODULES); do echo "== test -race $$m"; (cd $$m && $(GO) test -race -timeout 10m ./...); done

# Every input of up to two or three bytes, which the race detector makes too slow.
exhaustive:
	@echo "== every short input"; $(GO) test -run EveryShort ./serial ./binaryutil ./serialserver ./serialclient

# What takes minutes: three bytes for those that try two otherwise. The collector runs when there is something to collect.
exhaustive-3:
	@echo "== every input of up to three bytes"; GOGC=off GOMEMLIMIT=256MiB $(GO) test -p 1 -count=1 -timeout 2h -run EveryShort -v \
		./binaryutil ./serialserver ./serialclient -exhaustive 3 | grep --line-buffered -v '^=== \|    --- PASS'

# SEED=n makes the inputs of an earlier run again; it is printed.
MANY     ?= 100000000
MANYTIME ?= 10m
SEED     ?= 0
DECODERS := ./serial ./binaryutil ./serialserver ./serialclient
many:
	@echo "== mutated inputs"; GOGC=off GOMEMLIMIT=256MiB $(GO) test -p 1 -count=1 -timeout 4h -run '^TestMany(Decoder|Reader|RoundTrip|Requests|Responses)$$' -v $(DECODERS) \
		-many $(MANY) -many.time $(MANYTIME) -many.seed $(SEED) | grep --line-buffered -v '^=== \|    --- PASS' | \
		awk '{ print; fflush() } / many: /{ n += $$3 } END { printf "many: %d executions in total, MANY=$(MANY) MANYTIME=$(MANYTIME)\n", n; exit n == 0 }'

# Each fuzz target of each package, for FUZZTIME. By default the engine tries for up to a minute to make each input
# that covers something new smaller; FUZZSHRINK bounds that to a few executions, so that it goes on to look for more.
FUZZSHRINK ?= 10x
fuzz:
	@for p in $$($(GO) list ./...); do \
		for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz' || true); do \
			echo "== fuzz $$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime $(FUZZSHRINK) $$p | tail -n 2; done; done

# The same, counted: go test logs the executions of each target; the total is what docs/reliability.md adds up.
# FUZZPARALLEL bounds the workers, which are one for each core otherwise; FUZZED are the packages.
FUZZED ?= ./...
fuzz-count:
	@total=0; for p in $$($(GO) list $(FUZZED)); do \
		for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz' || true); do \
			out=$$($(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime $(FUZZSHRINK) $(if $(FUZZPARALLEL),-parallel $(FUZZPARALLEL)) $$p) || { echo "$$out"; exit 1; }; \
			n=$$(echo "$$out" | sed -n 's/^fuzz: elapsed: .*, execs: \([0-9]*\) .*/\1/p' | tail -n 1); \
			if [ "$${n:-0}" -eq 0 ]; then echo "$$out"; echo "fuzz-count: $$p $$f logged no execution"; exit 1; fi; \
			echo "fuzz-count: $$n executions of $$p $$f"; total=$$((total + n)); done; done; \
	echo "fuzz-count: $$total executions in total, FUZZTIME=$(FUZZTIME)"

# The README's first command, as a newcomer types it.
examples:
	@echo "== examples"; $(GO) run ./examples/quickstart

# The whole suite, often: no flake. The random sessions of e2e are 5,000 in each of the 20 runs.
flakes:
	@echo "== 20 runs of ."; $(GO) test -race -count=20 -timeout 60m ./...
	@echo "== 20 runs of e2e"; cd e2e && $(GO) test -race -count=20 -timeout 60m . -rapid.checks=5000

# One line for each, and a total; fails if one survives.
mutants:
	@echo "== mutants"; cd mutants && $(GO) run . $(NAMES)

soak: flakes mutants
	@echo "== a million tasks over connections that go idle"; cd e2e && $(GO) test -timeout 30m -run TestNoWakeUpIsLost -v . -idle.tasks=1000000
	@echo "== exchanges cut at every byte over TCP"; cd e2e && $(GO) test -timeout 30m -run TestExchangesCutOverTCP -v . -cut.all
	@echo "== 1,000 restarts of servers under a pool"; cd e2e && $(GO) test -timeout 30m -run TestPoolOverRestarts -v . -pool.restarts=334
	@echo "== 100,000 stops under load"; cd e2e && $(GO) test -timeout 30m -run TestShutdownRaces -v . -races 100000
	@echo "== 10,000 attackers"; cd e2e && $(GO) test -timeout 30m -run 'TestSlowClients|TestEndlessSenders|TestStarvedOfDescriptors' -v . -attackers 10000 -attack.time 10s -attack.window 10s
	@$(MAKE) logd-soak
	@$(MAKE) exhaustive-3
	@$(MAKE) many MANYTIME=5m
	@$(MAKE) fuzz-count FUZZTIME=5m

# Serialkit beside its peers, in one run; needs a quiet machine. Redis takes part where redis-server is
# on the PATH. bench writes docs/performance.md, in about 20 minutes; bench-quick prints where it wrote
# a subset, in about two.
.PHONY: bench bench-quick bench-compare
QUICK_OUT ?= /tmp/serialkit-bench

bench:
	@cd bench && $(GO) run . run -out ../docs -command "make bench"

# The micro-benchmarks beside the code, this tree against the revision BASE, interleaved.
BENCHSTAT := golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da
BASE ?= HEAD
ROUNDS ?= 6
BENCH ?= .
BENCHED ?= ./binaryutil ./serial ./internal/transport ./serialserver ./serialclient

bench-compare:
	@base=$$(mktemp -d); trap 'git worktree remove --force $$base' EXIT; git worktree add -q --detach $$base $(BASE); \
	for i in $$(seq $(ROUNDS)); do \
		(cd $$base && $(GO) test -run '^$$' -bench '$(BENCH)' -benchtime 200ms $(BENCHED)) >> $$base/old.txt; \
		$(GO) test -run '^$$' -bench '$(BENCH)' -benchtime 200ms $(BENCHED) >> $$base/new.txt; \
	done; cd bench && $(GO) run $(BENCHSTAT) $(BASE)=$$base/old.txt now=$$base/new.txt

bench-quick:
	@cd bench && $(GO) run . run -quick -out $(QUICK_OUT) -command "make bench-quick"
	@echo "bench-quick: $(QUICK_OUT)/performance.md"

# logd: ingestion beside a plain Pebble writer in the same run, needles among 10 million records, and many producers and
# tails; about four minutes and 5 GiB in the directory for temporary files.
.PHONY: logd-bench
INGEST_ROUNDS  ?= 5
INGEST_TIME    ?= 5s
NEEDLE_RECORDS ?= 10000000

# The long runs of examples/logd/docs/reliability.md, about fifteen minutes.
.PHONY: logd-soak
logd-soak:
	@echo "== 10,000 power cuts"; cd examples/logd && $(GO) test -timeout 40m -run 'PowerCuts$$' -v ./store -cuts 10000
	@echo "== 1,000 kills"; cd examples/logd && $(GO) test -timeout 60m -run Killed -v ./crashtest -kill.cycles 460
	@echo "== outages"; cd examples/logd && $(GO) test -timeout 30m -run Away -v ./crashtest -outage.rounds 10
	@echo "== ship, killed"; cd examples/logd && $(GO) test -timeout 30m -run TestShipIsKilled -v . -ship-kills 300
	@echo "== a million lines"; cd examples/logd && $(GO) test -timeout 30m -run 'TestTheMachinesOwnLogs|TestManyJSONLines' -v . -lines 1000000

logd-bench:
	@cd examples/logd && $(GO) test -timeout 15m -run TestIngestion -v . -load.rounds $(INGEST_ROUNDS) -load.time $(INGEST_TIME)
	@cd examples/logd && $(GO) test -timeout 15m -run TestNeedles -v . -needle.records $(NEEDLE_RECORDS)
	@cd examples/logd && $(GO) test -timeout 15m -run TestManyProducersAndTails -v . -soak.producers 1000 -soak.tails 100 -soak.time 30s
