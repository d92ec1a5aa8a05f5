#!/usr/bin/env bash
# Sets up what the tests need, and runs every test.
#
#   ./test.sh            everything
#   ./test.sh STEP...    some steps: lint unit e2e real suites fuzz
#
# What is missing is installed with apt-get when we may (as root, or by sudo without a password);
# otherwise it is named. With CI=true a missing part is a failure. Without it, the steps that need
# the part fail too, and the others run: no test is skipped in silence.
set -uo pipefail
cd "$(dirname "$0")"

export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-auto}
steps=("$@")
[[ ${#steps[@]} -gt 0 ]] || steps=(lint unit e2e real suites fuzz)
profile=ci
began=$SECONDS
failed=()

say() { printf '\n== %s (%d s)\n' "$*" $((SECONDS - began)); }

# Each part: the command that shows it is there, and the package that has it.
parts=(
  "cc gcc" "make make" "git git" "curl curl" "python3 python3" "go golang-go" "node nodejs"
  "npm npm" "javac default-jdk-headless" "java default-jre-headless" "haproxy haproxy"
  "mvn maven" "mariadbd mariadb-server" "mariadb mariadb-client" "mariadb_config libmariadb-dev"
  "pkg-config pkg-config" "redis-server redis-server"
  "redis-cli redis-tools" "memcached memcached" "memcslap libmemcached-tools" "openssl openssl"
  "php php-cli" "ruby ruby" "chromium chromium" "nghttp nghttp2-client" "h2load nghttp2-client" "sysbench sysbench"
)
# Debian keeps servers where an ordinary user does not look.
export PATH=$PATH:/usr/sbin

missing() {
  local part
  for part in "${parts[@]}"; do
    command -v "${part% *}" >/dev/null || echo "${part#* }"
  done
  python3 -c 'import ensurepip' 2>/dev/null || echo python3-venv
  # A driver for Python is compiled against the headers of both.
  python3 -c 'import os, sysconfig as s; exit(not os.path.exists(s.get_path("include") + "/Python.h"))' 2>/dev/null ||
    echo python3-dev
  [[ -e /usr/include/stdio.h ]] || echo libc6-dev
  compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || echo postgresql
}

install() {
  local sudo=()
  mapfile -t packages < <(missing)
  [[ ${#packages[@]} -gt 0 ]] || return 0
  if [[ $(id -u) -ne 0 ]]; then
    if ! sudo -n true 2>/dev/null; then
      echo "test.sh: install these packages, or run as root: ${packages[*]}" >&2
      return 1
    fi
    sudo=(sudo -n)
  fi
  say "install ${packages[*]}"
  "${sudo[@]}" apt-get update -qq &&
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      "${packages[@]}" >/dev/null
}

lint() {
  # The fuzzer has a lock file of its own, which a new dependency leaves behind.
  cargo metadata --locked --format-version 1 --manifest-path fuzz/Cargo.toml >/dev/null &&
    cargo fmt --all --check &&
    cargo clippy --workspace --all-targets --profile "$profile" --quiet -- -D warnings || return
  if command -v cargo-deny >/dev/null; then
    # It reads the crates of every system that we build for, and cargo has fetched those of this one.
    cargo fetch --quiet && cargo deny --offline check bans licenses sources
  else
    echo "cargo-deny is not installed: the licences of dependencies are not checked here"
  fi
}

unit() {
  cargo test --workspace --exclude rehearsal --profile "$profile" --no-fail-fast
}

# The features of a dependency are those that all selected crates ask of it. So each step selects the
# whole workspace and then names its programs: with `-p rehearsal` two dozen crates, ours and rustls
# and regex, would be compiled once more.
end_to_end() {
  local path names=(--bin rehearsal)
  for path in crates/cli/tests/*.rs crates/cli/tests/*/main.rs; do
    [[ -e $path ]] || continue
    path=${path%/main.rs}
    names+=(--test "$(basename "$path" .rs)")
  done
  cargo test --workspace --profile "$profile" --no-fail-fast "${names[@]}" "$@"
}

e2e() {
  fixtures/build.sh && end_to_end
}

real() {
  end_to_end --no-run && REHEARSAL=$PWD/target/$profile/rehearsal tests/real/run.py
}

suites() {
  end_to_end --no-run &&
    REHEARSAL=$PWD/target/$profile/rehearsal tests/suites.py --repeat 3 --except real
}

fuzz() {
  fuzz/run.sh
}

install || { [[ ${CI:-} == true ]] && exit 1; }
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for step in "${steps[@]}"; do
  say "$step"
  if ! "$step" 2>&1 | tee -a "$log"; then
    failed+=("$step")
  fi
done

# Every runner prints its own counts; these are those of the Rust tests together.
awk -v failed="${failed[*]:-}" '
  /^test result:/ { passed += $4; broken += $6; ignored += $8 }
  END { printf "\nRust tests: %d passed, %d failed, %d ignored\n", passed, broken, ignored }
' "$log"
if [[ ${#failed[@]} -gt 0 ]]; then
  # The end of a long log is what one sees of it, so what failed is told there once more.
  grep -a -A 6 -E 'FAILED|panicked at|^error|Traceback' "$log" | grep -a -v '^test .* ok$' | cut -c1-300 | tail -n 80
  echo "FAILED: ${failed[*]} ($((SECONDS - began)) s)"
  exit 1
fi
echo "All steps passed: ${steps[*]} ($((SECONDS - began)) s)"
