#!/usr/bin/env bash
# Builds the fuzzer with stable Rust and runs its targets: first their committed inputs, then new
# ones, which are the same in every run. What fails is kept under fuzz/artifacts.
#
# usage: fuzz/run.sh [--explore SECONDS] [target…]
#
#   --explore SECONDS   as many new inputs as that time allows, other ones in every run (0: none)
set -euo pipefail

cd "$(dirname "$0")"
explore=
targets=()
while (($#)); do
    case $1 in
        --explore) explore=${2:?--explore wants a number of seconds}; shift 2 ;;
        -*) echo "usage: fuzz/run.sh [--explore SECONDS] [target…]" >&2; exit 2 ;;
        *) targets+=("$1"); shift ;;
    esac
done

# The flags count edges for libFuzzer. With --target they reach the crates but not build scripts,
# which are not linked with it.
host=$(rustc -vV | sed -n 's/^host: //p')
export CARGO_TARGET_DIR=$PWD/target
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module \
-Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares"
cargo build --quiet --release --locked --target "$host"
fuzzer=$CARGO_TARGET_DIR/$host/release/rehearsal-fuzz

mapfile -t known < <(REHEARSAL_FUZZ_TARGET=list "$fuzzer" 2>/dev/null)
if ((${#targets[@]} == 0)); then
    targets=("${known[@]% *}")
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p artifacts
seed=$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')
list=$(printf '%s\n' "${known[@]}")
export explore fuzzer work seed list

# run TARGET ARGUMENT…: what the fuzzer says goes to the target's log.
run() {
    local target=$1
    shift
    REHEARSAL_FUZZ_TARGET=$target TMPDIR=$work/$target "$fuzzer" \
        -rss_limit_mb=1024 -timeout=10 -max_len=65536 \
        -artifact_prefix="$PWD/artifacts/$target-" "$@" >"$work/$target/log" 2>&1
}

# fail TARGET WHAT INPUT
fail() {
    echo "$1: FAILED $2: $3"
    grep -a -m 1 -A 8 -E 'panicked at|ERROR: libFuzzer' "$work/$1/log" | cut -c1-2000 | sed 's/^/    /'
    return 1
}

# try TARGET: its committed inputs, then new ones.
try() {
    local target=$1 inputs=() how input runs began=$SECONDS
    mkdir -p "$work/$target/corpus"
    if [[ -d corpus/$target ]]; then
        mapfile -t inputs < <(find "corpus/$target" -type f | LC_ALL=C sort)
    fi
    if ((${#inputs[@]})) && ! run "$target" "${inputs[@]}"; then
        input=$(sed -n 's/^Running: //p' "$work/$target/log" | tail -n 1)
        fail "$target" "on a committed input" "fuzz/$input"
        return
    fi
    if [[ $explore == 0 ]]; then
        echo "$target: ${#inputs[@]} corpus inputs, ok"
        return
    fi
    # A run that is repeated must say the same, so it ends by a count and not by the clock, and takes
    # no hints from compared values, among which are addresses.
    how=(-seed=1 -use_cmp=0 -reload=0 "-runs=$(sed -n "s/^$target //p" <<<"$list")")
    [[ -z $explore ]] || how=("-seed=$seed" "-max_total_time=$explore")
    ((${#inputs[@]})) && cp "${inputs[@]}" "$work/$target/corpus"
    if ! run "$target" "${how[@]}" -print_final_stats=1 "$work/$target/corpus"; then
        input=$(sed -n 's/.*Test unit written to //p' "$work/$target/log" | tail -n 1)
        fail "$target" "on a new input" "${input:-none was kept}"
        return
    fi
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$target/log")
    runs=$(LC_ALL=C printf '%d' "$runs" | sed ':a;s/\B[0-9]\{3\}\>/,&/;ta')
    echo "$target: ${#inputs[@]} corpus inputs, $runs runs in $((SECONDS - began)) s, ok"
}
export -f run fail try

# One for each core at a time, each with what it says in one piece.
printf '%s\n' "${targets[@]}" |
    xargs -P "$(nproc)" -I{} bash -c 'said=$(try "$1"); code=$?; echo "$said"; exit "$code"' fuzz {}
