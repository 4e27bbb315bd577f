# Everything there is to do with this checkout. `make install` and `make test` are all a newcomer needs.

HOST := $(shell rustc -vV | sed -n 's/^host: //p')
BINARY := target/gatelodge
DIST := target/dist

# A static binary needs an explicit target: what runs at build time cannot be linked that way.
ifneq (,$(findstring linux,$(HOST)))
LINKING := "-C","target-feature=+crt-static",
endif

# Functions that are the same are in the program once, and what moves with its address takes a bit each.
# LLD can do that, which is the linker of this target. A libc before 2.36 cannot read the latter.
ifeq ($(HOST),x86_64-unknown-linux-gnu)
LINKING += "-C","link-arg=-Wl,--icf=all",
ifneq (,$(shell getconf GNU_LIBC_VERSION | sed 's/.* //' | { echo 2.36; cat; } | sort -VC && echo newer))
LINKING += "-C","link-arg=-Wl,-z,pack-relative-relocs",
endif
endif

# No path of this machine is in the program: two builds of one commit are the same, byte for byte.
CARGO_HOME ?= $(HOME)/.cargo
PREFIXES := $(CURDIR)=gatelodge $(CARGO_HOME)=cargo
comma := ,
RUSTFLAGS_OF_RELEASE := --config 'target.$(HOST).rustflags=[$(LINKING)$(PREFIXES:%="--remap-path-prefix=%"$(comma))]'
CFLAGS_OF_RELEASE := CFLAGS="$(PREFIXES:%=-ffile-prefix-map=%)"

# What `gatelodge version` says of the commit; nothing where there is none.
COMMIT := $(shell git log -1 --abbrev=12 --date=short \
	--format='GATELODGE_COMMIT=%h GATELODGE_COMMIT_DATE=%cd' 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help install run build dist reproduce packages test interop lint doc bench size flood fuzz clean

help: ## say what there is
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile

install: dist ## build, and install for you, without root: a new terminal finds gatelodge
	sh $(DIST)/install.sh --from $(DIST)/gatelodge-*.tar.gz

run: build ## build, and start the server on its defaults
	@command -v gatelodge >/dev/null || echo "other terminals find gatelodge by its name after: make install"
	./$(BINARY)

build: ## the static release binary, at target/gatelodge
	env -u RUSTFLAGS $(COMMIT) $(CFLAGS_OF_RELEASE) \
		cargo build --release --locked --bin gatelodge --target $(HOST) $(RUSTFLAGS_OF_RELEASE)
	cp target/$(HOST)/release/gatelodge $(BINARY).new && mv $(BINARY).new $(BINARY)

dist: build ## everything that is given away, at target/dist
	rm -rf $(DIST)
	assets/dist/make $(BINARY) $(DIST)

reproduce: ## build this commit twice, and compare what is given away; takes two builds
	assets/dist/reproduce target/reproduce

packages: build ## the packages for npm and PyPI, at target/packages
	rm -rf target/packages
	assets/packages/make $(BINARY) target/packages

test: ## every test; fetches the browser where it can
	tests/browser/fetch
	cargo test --locked

interop: build ## client programs of others against the binary; fetches and builds them
	tests/interop/fetch
	tests/interop/run $(BINARY)

lint: ## formatting, clippy, docs
	cargo fmt --all --check
	cargo clippy --locked --all-targets -- --deny warnings
	RUSTDOCFLAGS='--deny warnings' cargo doc --locked --no-deps --document-private-items

doc: ## the crate's documentation
	cargo doc --locked --no-deps --open

bench: ## the benchmarks: parts and pages, and operations over HTTP beside their limits
	cargo bench --locked --bench gatelodge
	cargo bench --locked --bench gatelodge -- operations

size: build ## size, start-up and idle memory of the binary
	tests/bench/size.py $(BINARY)

flood: build ## a minute of each flood, while a person signs in; takes 35 minutes
	cargo test --locked --bench flood -- $(BINARY)

fuzz: ## fuzz every parser for a minute each; needs a nightly toolchain
	fuzz/run 60

clean: ## remove what was built
	cargo clean
