#!/usr/bin/env bash
# Installs BUILD into a folder of its own, builds the example against it from outside, and runs it.
# Usage: run.sh BUILD [MODEL_FOLDER]
set -euo pipefail
build="$(realpath "$1")"
source="$(realpath "$(dirname "$0")")"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cmake --install "$build" --prefix "$work/prefix" >"$work/install.log"
cmake -S "$source" -B "$work/build" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" >"$work/configure.log"
cmake --build "$work/build" >"$work/build.log" || { cat "$work/build.log"; exit 1; }
"$work/prefix/bin/hearth" --version
# Without a model the program must link, start and say what is wrong.
if "$work/build/generate" /absent/folder hello 2>"$work/error"; then exit 1; fi
grep -q /absent/folder "$work/error"
if [ $# -gt 1 ]; then "$work/build/generate" "$2" "What is gravity?"; fi
