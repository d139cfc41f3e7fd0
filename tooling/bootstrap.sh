#!/bin/sh
# Gets a Debian 12 or 13 machine to where Bun can take over: Debian packages, npm packages, Bun itself.
# Quick when nothing is missing. As an ordinary user it installs no Debian packages but says how to.
set -eu
cd "$(dirname "$0")/.."

say() { echo "[deps] $*" >&2; }

heart=
trap '[ -z "$heart" ] || kill "$heart" 2> /dev/null' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# patiently WHAT HOW_FAR COMMAND…: says when COMMAND begins and ends, and every 15 s between what HOW_FAR prints.
patiently() {
  what=$1 how_far=$2
  shift 2
  begin=$(date +%s)
  say "$what …"
  while sleep 15 2> /dev/null && kill -0 $$ 2> /dev/null; do
    say "$what: $("$how_far"), $(($(date +%s) - begin)) s so far"
  done < /dev/null > /dev/null &
  heart=$!
  status=0
  "$@" || status=$?
  kill "$heart" 2> /dev/null || true
  heart=
  [ "$status" -ne 0 ] || say "$what: done in $(($(date +%s) - begin)) s"
  return "$status"
}

# --- Debian packages: what the rooms list, and npm where there is none -----------------------------------------------

wanted=$(cat kernel-config/apt-packages.txt image/apt-packages.txt models/apt-packages.txt test-vm/apt-packages.txt | sed 's/#.*//' | tr -s ' \t' '\n' | sed '/^$/d' | sort -u)
if ! command -v npm > /dev/null; then wanted="$wanted npm"; fi

missing=
for package in $wanted; do
  case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null || true) in
    installed) ;;
    *) missing="$missing $package" ;;
  esac
done

if [ -n "$missing" ]; then
  if [ "$(id -u)" -ne 0 ]; then
    say "installing Debian packages failed: this is not root. Run this, then the same command again:"
    say "  sudo apt-get update && sudo apt-get install -y --no-install-recommends$missing"
    exit 1
  fi
  count=$(echo "$missing" | wc -w)
  say "Debian packages: installing $count:$missing"
  mkdir -p build/log
  export DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2086 # a list of words
  install() { { apt-get update && apt-get install -y --no-install-recommends $missing; } > build/log/apt.log 2>&1; }
  last_line() { tail -n 1 build/log/apt.log | cut -c 1-100; }
  if ! patiently "Debian packages" last_line install; then
    tail -n 20 build/log/apt.log >&2
    say "installing Debian packages failed: the whole output is in build/log/apt.log"
    exit 1
  fi
fi

# --- npm packages, exactly those of the lockfile. None of their scripts runs -----------------------------------------

stamp=$(sha256sum package.json package-lock.json | sha256sum | cut -d ' ' -f 1)
if [ "$(cat node_modules/.aios-stamp 2> /dev/null || true)" != "$stamp" ]; then
  installed() { echo "$(du -sm node_modules 2> /dev/null | cut -f 1 | grep . || echo 0) MB"; }
  fetch() { npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2; }
  patiently "npm packages of package-lock.json" installed fetch
fi

# --- Bun: its npm package has a placeholder until its script has run; this does the same ------------------------------

if ! node_modules/.bin/bun --version > /dev/null 2>&1; then
  native=node_modules/@oven/bun-linux-x64/bin/bun
  grep -qw avx2 /proc/cpuinfo || native=node_modules/@oven/bun-linux-x64-baseline/bin/bun
  [ -x "$native" ] || native=node_modules/@oven/bun-linux-x64-baseline/bin/bun
  ln -f "$native" node_modules/bun/bin/bun.exe
  ln -f "$native" node_modules/bun/bin/bunx.exe
  if ! version=$(node_modules/.bin/bun --version); then
    say "starting Bun failed: \"$native\" does not run here; this project is built on x86-64"
    exit 1
  fi
  say "Bun $version"
fi

echo "$stamp" > node_modules/.aios-stamp
