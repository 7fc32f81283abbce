# What there is to do here: make help

CARGO ?= cargo
PREFIX ?= $(HOME)/.cargo

.PHONY: help demo test servers check fmt lint doc install

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' $(MAKEFILE_LIST) | expand -t 18

demo: ## the whole path on a sample mailbox, no account needed
	$(CARGO) run --release --locked -- demo

test: servers ## everything, end to end against Dovecot and Postfix too
	ONWARD_TEST_REQUIRE=all CI=true $(CARGO) test --locked --all-targets

servers: ## the mail servers for the tests (as root on Debian; elsewhere it says what to install)
	@tests/install-servers.sh

check: fmt lint doc ## what a change has to pass besides the tests

fmt: ## formatting
	$(CARGO) fmt --check

lint: ## clippy, warnings are errors, with and without the keyring
	$(CARGO) clippy --locked --all-targets -- -D warnings
	$(CARGO) clippy --locked --features keyring -- -D warnings

doc: ## documentation, warnings are errors
	RUSTDOCFLAGS=-Dwarnings $(CARGO) doc --locked --no-deps --document-private-items

install: ## the binary to PREFIX/bin and the unit for your own systemd
	$(CARGO) install --locked --path . --root "$(PREFIX)"
	install -D -m 644 systemd/onward.service "$(HOME)/.config/systemd/user/onward.service"
	@echo "Next: onward config example, then systemctl --user enable --now onward"
