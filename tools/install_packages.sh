#!/usr/bin/env bash
# Installs what is missing of the Debian packages in tools/packages.txt. Says nothing and changes nothing when none is.
# Usage: tools/install_packages.sh [build]      build: only what ./try needs
set -euo pipefail
list="$(dirname "$0")/packages.txt"
kinds="build|check"
[ "${1:-}" = build ] && kinds="build"
mapfile -t packages < <(sed -nE "s/^($kinds) +//p" "$list")

if ! command -v dpkg-query >/dev/null; then
  echo "This is not Debian; make sure that these are installed, under whatever names: ${packages[*]}" >&2
  exit 0
fi

installed="$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${packages[@]}" 2>/dev/null || true)"
missing=()
for package in "${packages[@]}"; do
  grep -qx "$package installed" <<<"$installed" || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "Installing ${missing[*]}" >&2
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "Not root, and there is no sudo. As root, run: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
install() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install --yes --no-install-recommends -o Dpkg::Use-Pty=0 "${missing[@]}" >&2
}
# The package lists may be absent or out of date; fetching them costs seconds, so only when the first attempt fails.
install 2>/dev/null || { "${as_root[@]}" apt-get update >&2 && install; }
