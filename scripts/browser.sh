#!/usr/bin/env bash
# Fetches Chromium for the dashboard's test, without root and without a question.
#
#   scripts/browser.sh
#
# It is Debian's chromium-headless-shell of the machine's own suite: Chromium
# without windows, a third smaller. It comes, with the libraries and the font it
# needs (about 170 MB), through a private apt state as the servers do
# (scripts/servers.sh), and is unpacked, never installed, into
#
#   $BELLWETHER_BROWSERS, or $XDG_CACHE_HOME/bellwether/browser,
#   or ~/.cache/bellwether/browser
#
# where the script `chromium` starts it. The second time nothing is fetched.
# Where there is no such package (Ubuntu's chromium is a snap), a Chromium or
# Chrome on PATH does; $BELLWETHER_BROWSER names another.
set -euo pipefail

# Raise this when what is unpacked changes: older caches are then fetched again.
readonly LAYOUT=1

if [[ "${XDG_CACHE_HOME:-}" != /* ]]; then
  XDG_CACHE_HOME=${HOME:-$(unset HOME; echo ~)}/.cache
fi
ROOT=${BELLWETHER_BROWSERS:-$XDG_CACHE_HOME/bellwether/browser}

say() { printf 'browser: %s\n' "$*" >&2; }

die() {
  say "$1"
  say "to install it by hand: apt install chromium (Debian), or Chrome from https://www.google.com/chrome/, so that it is on PATH; or name it in BELLWETHER_BROWSER"
  exit 1
}

# on_path: prints the Chromium of this machine.
on_path() {
  local name
  for name in chromium-headless-shell chromium google-chrome google-chrome-stable chromium-browser; do
    command -v "$name" && return
  done
  return 1
}

ready() { [[ -x $ROOT/chromium ]] && grep -qx "layout=$LAYOUT" "$ROOT/install.env" 2>/dev/null; }

# private_apt DIR: an apt configuration whose state lives in DIR. The empty
# status file makes apt fetch every library, whatever the machine has.
private_apt() {
  mkdir -p "$1/lists/partial" "$1/archives/partial"
  : >"$1/status"
  cat >"$1/apt.conf" <<CONF
Dir::State "$1";
Dir::State::Lists "$1/lists";
Dir::State::status "$1/status";
Dir::State::extended_states "$1/extended_states";
Dir::Cache "$1";
Dir::Cache::archives "$1/archives";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
APT::Sandbox::User "$(id -un)";
APT::Get::Assume-Yes "true";
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
Acquire::Retries "3";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::Keep-Downloaded-Packages;
CONF
}

# run_apt DIR ARG...: apt-get on DIR's state; its talk goes to DIR/log.
run_apt() {
  local dir=$1
  shift
  apt-get -c "$dir/apt.conf" -o Dpkg::Use-Pty=0 -qq "$@" >>"$dir/log" 2>&1
}

# unpack DIR TREE: every fetched package into TREE, but for the C library, which
# must be the machine's, as its loader is (Chromium starts itself again, so it
# cannot be run through a loader of its own).
unpack() {
  local deb
  mkdir -p "$2"/usr/{bin,sbin,lib,lib64}
  ln -s usr/bin usr/sbin usr/lib usr/lib64 "$2"
  for deb in "$1"/archives/*.deb; do
    case ${deb##*/} in
      libc6_* | libc-bin_* | debconf_*) continue ;;
      libllvm* | libz3* | libgl1-mesa-dri_*) continue ;; # drivers of screens: nothing is shown here
    esac
    dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$2" --keep-directory-symlink --no-same-owner || return 1
  done
  rm -rf "$2"/usr/share/{doc,man,locale,info,lintian}
}

# starter TREE ROOT: prints the script that starts the Chromium of TREE with
# TREE's libraries and fonts, once TREE is at its place in ROOT.
starter() {
  local triple program
  triple=$(cd "$1" && echo usr/lib/*-linux-gnu*)
  program=$(cd "$1" && find usr/lib/chromium* -type f -name '*headless*shell' | head -n 1)
  [[ -n $program ]] || return 1
  cat <<RUN
#!/bin/sh
# Made by scripts/browser.sh.
export LD_LIBRARY_PATH='$2/tree/$triple:$2/tree/$triple/nss:$2/tree/$triple/pulseaudio'
export FONTCONFIG_FILE='$2/fonts.conf'
exec '$2/tree/$program' "\$@"
RUN
}

fonts() {
  cat <<CONF
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <dir>$ROOT/tree/usr/share/fonts</dir>
  <cachedir>$ROOT/fontcache</cachedir>
  <alias binding="same"><family>system-ui</family><prefer><family>Inter</family></prefer></alias>
  <alias binding="same"><family>sans-serif</family><prefer><family>Inter</family></prefer></alias>
  <alias binding="same"><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
CONF
}

# fetch: the work itself; the record is written last, and without it what is
# there does not count.
fetch() {
  local work=$ROOT/.new version
  rm -rf "$work"
  mkdir -p "$work"
  private_apt "$work"
  say "fetching chromium-headless-shell from this machine's archive into $ROOT"
  run_apt "$work" update || say "apt-get update had errors, going on with what it got"
  run_apt "$work" -d install chromium-headless-shell fonts-inter || { tail -n 3 "$work/log" >&2; return 1; }
  unpack "$work" "$work/tree" || return 1
  rm -rf "$ROOT/tree" "$ROOT/install.env"
  mv "$work/tree" "$ROOT/tree"
  fonts >"$ROOT/fonts.conf"
  starter "$ROOT/tree" "$ROOT" >"$ROOT/chromium" || return 1
  chmod +x "$ROOT/chromium"
  version=$("$ROOT/chromium" --no-sandbox --version 2>>"$work/log") || { say "unpacked, but it does not run"; tail -n 3 "$work/log" >&2; return 1; }
  printf 'layout=%s\nversion=%s\nfetched=%s\n' "$LAYOUT" "$version" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >"$ROOT/install.env"
  rm -rf "$work"
  say "$version ready ($(du -sh "$ROOT" | cut -f1))"
}

main() {
  local need
  [[ -z ${BELLWETHER_BROWSER:-} ]] || { say "using $BELLWETHER_BROWSER"; return; }
  ready && { say "ready in $ROOT"; return; }
  for need in apt-get dpkg-deb flock; do
    command -v $need >/dev/null && continue
    on_path >/dev/null || die "Chromium cannot be fetched without $need (this works on Debian)"
    say "using $(on_path) ($need is missing, so nothing is fetched)"
    return
  done
  mkdir -p "$ROOT" || die "no folder $ROOT"
  exec 9>"$ROOT/.lock"
  flock 9
  if ready || fetch; then
    return
  fi
  on_path >/dev/null || die "Chromium could not be fetched (the log of apt is $ROOT/.new/log)"
  say "could not be fetched, using $(on_path)"
}

main "$@"
