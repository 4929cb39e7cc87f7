#!/bin/sh
# Set-up and tests in one: installs what is missing, then format, lints, the light tests of the language, all tests.
# Recordings are read from MLIOT_DATA; tests that need them say so and pass where it is not set.
set -eu
cd "$(dirname "$0")/.."

need() { # need COMMAND COMPONENT
  cargo "$1" --version >/dev/null 2>&1 || rustup component add "$2"
}

step() {
  printf '\n== %s\n' "$*"
  "$@"
}

need fmt rustfmt
need clippy clippy

step cargo fmt --check
step cargo test --quiet --no-default-features --test lang
step cargo clippy --all-targets --quiet -- -D warnings
step cargo test --quiet
