#!/usr/bin/env bash
# Builds the fuzz targets with clang (AddressSanitizer, UndefinedBehaviorSanitizer) and runs each for SECONDS.
# Usage: tools/fuzz.sh [SECONDS=60] [TARGET...]
set -euo pipefail
cd "$(dirname "$0")/.."
seconds="${1:-60}"
shift || true
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  mapfile -t targets < <(find src -name '*_fuzz.cpp' -exec basename {} .cpp \; | sort)
fi
cmake --preset fuzz >/dev/null
cmake --build build/fuzz --target "${targets[@]}"
for target in "${targets[@]}"; do
  program=$(find build/fuzz/src -name "$target" -type f -perm -u+x | head -n 1)
  corpus="build/fuzz/corpus/$target"
  mkdir -p "$corpus"
  seeds=$(find src -type d -path "*/testdata/fuzz/$target" | head -n 1)
  printf '%s: ' "$target"
  if "$program" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=0 \
      -artifact_prefix="build/fuzz/$target-" "$corpus" ${seeds:+"$seeds"} >"build/fuzz/$target.log" 2>&1; then
    grep -o 'Done [0-9]* runs.*' "build/fuzz/$target.log" | tail -n 1
  else
    echo "FAILED"
    tail -n 40 "build/fuzz/$target.log"
    exit 1
  fi
done
