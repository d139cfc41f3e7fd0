# aiOS. Everything beyond getting Bun is done by Bun; each target says itself what it does.
.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help run test check deps kernel image client container bench faults soak reproduce fuzz mutate clean

BUN := node_modules/.bin/bun
PROFILE ?= edge

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: asroot settings image client ## build all, boot it in QEMU, open the live view; CONFIG=aios.yaml, NET=1 a way out, FRESH=1 forgets the last run
	@$(BUN) test-vm/run.ts $(WANTED)

container: asroot settings root client ## the same root and PID 1 in namespaces of this machine (as root), and the live view; CONFIG=, FRESH=1
	@$(BUN) test-vm/run.ts $(WANTED)

run container: WANTED = $(KIND) $(if $(FRESH),--fresh) $(if $(NET),--net) $(if $(CONFIG),--config "$(CONFIG)")
run: KIND = machine
container: KIND = container

# Said before anything is built
.PHONY: settings
settings: deps
	@$(BUN) test-vm/run.ts $(WANTED) --check

test: deps ## all tests: check, unit, container and virtual machine; AIOS_LONG=1 for the long ones
	@$(BUN) test-vm/test.ts all

check: deps ## the quick gate: types, lint, import direction, unit tests
	@$(BUN) test-vm/test.ts check

# Said before a kernel has been compiled for a quarter of an hour
.PHONY: asroot
asroot:
	@[ "$$(id -u)" -eq 0 ] || { echo "building the image failed: its files belong to root, so this needs root; run: sudo make $(MAKECMDGOALS)" >&2; exit 1; }

deps: ## install what is missing: Debian packages (as root), npm packages, Bun
	@tooling/bootstrap.sh

kernel: deps ## build/kernel/x86_64/vmlinuz
	@$(BUN) kernel-config/build.ts

.PHONY: root
root: asroot deps
	@$(BUN) image/build.ts root --profile $(PROFILE)

image: asroot kernel ## build/root, build/root.erofs and build/disk.raw; PROFILE=core without a language model (edge has a small one)
	@$(BUN) image/build.ts all --profile $(PROFILE)

client: deps ## build/bin/aiosctl
	@$(BUN) image/build.ts client

bench: image client ## AREA=boot|supervise|tools|console|intelligence|memory|faults (all without AREA): measure, write build/bench/AREA.json
	@$(BUN) test-vm/bench/main.ts $(AREA)

faults: asroot root client ## real faults in a running system, each twice; goes on where it was: FAULTS=name,name PACE=30 FRESH=1 WITHOUT_PLAYBOOKS=1
	@$(BUN) test-vm/faults/main.ts

soak: asroot root client ## random faults for SOAK_MINUTES=120 (SEED= the same again): no leak, no dead tier, every incident ended
	@$(BUN) test-vm/soak/main.ts

reproduce: deps ## build root and disk twice from nothing and compare bit by bit; KERNEL=1 compiles the kernel twice, too
	@$(BUN) image/reproduce.ts $(if $(KERNEL),--kernel)

fuzz: deps ## CASES=100000 (or more) at each: config, console API, what services say to PID 1 and each other, sd_notify, log lines
	@$(BUN) test-vm/fuzz.ts $(CASES)

mutate: deps ## remove each duty of PID 1 and see that its tests miss it; DUTY=id for one, AIOS_LONG=1 for all
	@$(BUN) tooling/duties/mutate.ts $(DUTY)

clean: ## remove build/ (what is slow to make stays in ~/.cache/aios)
	@rm -rf build
