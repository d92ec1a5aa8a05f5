#!/usr/bin/env bash
# Builds the fuzzer with stable Rust and runs its targets: first their committed inputs, then new
# ones. What fails is kept under fuzz/artifacts.
#
# usage: fuzz/run.sh [--seconds N] [target…]     (N = 0: committed inputs only)
set -euo pipefail

cd "$(dirname "$0")"
seconds=10
targets=()
while (($#)); do
    case $1 in
        --seconds) seconds=${2:?--seconds wants a number}; shift 2 ;;
        -*) echo "usage: fuzz/run.sh [--seconds N] [target…]" >&2; exit 2 ;;
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

if ((${#targets[@]} == 0)); then
    mapfile -t targets < <(REHEARSAL_FUZZ_TARGET=list "$fuzzer" 2>/dev/null)
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p artifacts
export seconds fuzzer work

# run TARGET ARGUMENT…: what the fuzzer says goes to the target's log.
run() {
    local target=$1
    shift
    # A fixed seed: the same program tries the same inputs, so that a run says the same twice.
    REHEARSAL_FUZZ_TARGET=$target TMPDIR=$work/$target "$fuzzer" \
        -rss_limit_mb=1024 -timeout=5 -seed=1 -max_len=65536 \
        -artifact_prefix="$PWD/artifacts/$target-" "$@" >"$work/$target/log" 2>&1
}

# fail TARGET WHAT INPUT
fail() {
    echo "$1: FAILED $2: $3"
    grep -m 1 -A 5 -E 'panicked at|ERROR: libFuzzer' "$work/$1/log" | sed 's/^/    /'
    return 1
}

# try TARGET: its committed inputs, then new ones.
try() {
    local target=$1 inputs=() input line runs
    mkdir -p "$work/$target/corpus"
    if [[ -d corpus/$target ]]; then
        mapfile -t inputs < <(find "corpus/$target" -type f | LC_ALL=C sort)
    fi
    if ((${#inputs[@]})) && ! run "$target" "${inputs[@]}"; then
        input=$(sed -n 's/^Running: //p' "$work/$target/log" | tail -n 1)
        fail "$target" "on a committed input" "fuzz/$input"
        return
    fi
    line="$target: ${#inputs[@]} corpus inputs"
    if ((seconds > 0)); then
        ((${#inputs[@]})) && cp "${inputs[@]}" "$work/$target/corpus"
        if ! run "$target" -max_total_time="$seconds" -print_final_stats=1 "$work/$target/corpus"; then
            input=$(sed -n 's/.*Test unit written to //p' "$work/$target/log" | tail -n 1)
            fail "$target" "on a new input" "${input:-none was kept}"
            return
        fi
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$target/log")
        line+=", $(LC_ALL=C printf '%d' "$runs" | sed ':a;s/\B[0-9]\{3\}\>/,&/;ta') runs in $seconds s"
    fi
    echo "$line, ok"
}
export -f run fail try

# One for each core at a time, each with what it says in one piece.
printf '%s\n' "${targets[@]}" |
    xargs -P "$(nproc)" -I{} bash -c 'said=$(try "$1"); code=$?; echo "$said"; exit "$code"' fuzz {}
