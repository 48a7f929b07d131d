#!/usr/bin/env bash
# Fetches real servers and tools for the demo, the tests and the benchmarks,
# without root and without a question.
#
#   scripts/servers.sh [mysql] [mariadb] [promtool] [haproxy] [sysbench] [all]
#
# Without an argument: mysql and mariadb. Each comes as Debian or Ubuntu
# packages through a private apt state (the machine's own apt settings and
# mirrors, nothing of its package database) and is unpacked, never installed,
# into a folder of its own with the libraries it needs:
#
#   $BELLWETHER_SERVERS, or $XDG_CACHE_HOME/bellwether/servers,
#   or ~/.cache/bellwether/servers
#
# MySQL is that of Debian unstable; it brings unstable's libc and runs through
# its own loader. The rest is of the machine's own suite. <folder>/bin holds
# small scripts that start each program (mysqld, mysql, mariadbd, mariadb,
# mysqldump, mariadb-dump, mysqlbinlog, mariadb-binlog, promtool, haproxy, sysbench).
set -euo pipefail

# Raise this when what is unpacked changes: older caches are then fetched again.
readonly LAYOUT=1

if [[ "${XDG_CACHE_HOME:-}" != /* ]]; then
  XDG_CACHE_HOME=${HOME:-$(unset HOME; echo ~)}/.cache
fi
ROOT=${BELLWETHER_SERVERS:-$XDG_CACHE_HOME/bellwether/servers}

say() { printf 'servers: %s\n' "$*" >&2; }

die() {
  say "$1"
  say "to install it by hand: $2"
  exit 1
}

# by_hand NAME: what a person does where this script cannot.
by_hand() {
  case $1 in
    mysql) echo "put mysqld 8.0.26 or newer on PATH (Debian unstable: apt install mysql-server-core mysql-client-core; others: https://dev.mysql.com/downloads/mysql/)" ;;
    mariadb) echo "put mariadbd 10.5 or newer on PATH (Debian, Ubuntu: apt install mariadb-server-core mariadb-client-core; others: https://mariadb.org/download/)" ;;
    promtool) echo "apt install prometheus, or put promtool on PATH (https://prometheus.io/download/)" ;;
    *) echo "apt install $1" ;;
  esac
}

# ready NAME: whether NAME is there already, in this layout.
ready() {
  local line
  [[ -r $ROOT/$1/install.env ]] || return 1
  while read -r line; do
    [[ $line == "layout=$LAYOUT" ]] && return 0
  done <"$ROOT/$1/install.env"
  return 1
}

# private_apt DIR: an apt configuration whose state lives in DIR. The empty
# status file makes apt fetch every library, whatever the machine has.
private_apt() {
  mkdir -p "$1/lists/partial" "$1/archives/partial" "$1/etc"
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
APT::Install-Suggests "false";
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

# debian_source DIR: prints a source line for Debian unstable, from the
# machine's own mirror and keyring where it is a Debian.
debian_source() {
  local uri keyring
  uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    grep -E '^https?://.*/debian(/|$)' | head -n 1 || true)
  keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  if [[ ! -r $keyring ]]; then
    keyring=$1/usr/share/keyrings/debian-archive-keyring.gpg
    fetch_keyring "$1" || return 1
  fi
  echo "deb [signed-by=$keyring] ${uri:-http://deb.debian.org/debian} sid main"
}

# fetch_keyring DIR: Debian's archive keys, as the machine's own archive
# (Ubuntu) packages and signs them.
fetch_keyring() {
  say "fetching debian-archive-keyring from this machine's archive"
  private_apt "$1/keyring"
  run_apt "$1/keyring" update || true
  if ! (cd "$1/keyring" && run_apt "$1/keyring" download debian-archive-keyring); then
    say "no debian-archive-keyring: apt install it, or see below"
    return 1
  fi
  dpkg -x "$1"/keyring/debian-archive-keyring_*.deb "$1"
}

# run_apt DIR ARG...: apt-get on DIR's state; its talk goes to DIR/log.
run_apt() {
  local dir=$1
  shift
  apt-get -c "$dir/apt.conf" -o Dpkg::Use-Pty=0 -qq "$@" >>"$dir/log" 2>&1
}

# newest DIR NAME: NAME itself or its newest NAME-<version> in DIR's lists
# (older Ubuntus version their MariaDB packages).
newest() {
  apt-cache -c "$1/apt.conf" pkgnames "$2" |
    grep -Ex "${2}(-[0-9.]+)?" | sort -V |
    awk -v exact="$2" '$0 == exact { found = 1 } { last = $0 } END { if (found) print exact; else print last }'
}

# unpack DIR TREE: every fetched package into TREE, with a merged /usr (tar,
# because dpkg -x would replace its links by the folders of older packages).
unpack() {
  local deb
  mkdir -p "$2"/usr/{bin,sbin,lib,lib64}
  ln -s usr/bin usr/sbin usr/lib usr/lib64 "$2"
  for deb in "$1"/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$2" --keep-directory-symlink --no-same-owner || return 1
    dpkg-deb -f "$deb" Package Version Architecture | awk '{ printf "%s%s", $2, NR % 3 ? " " : "\n" }'
  done >"$2/packages.txt"
}

# first FILE...: the first that exists (arguments come from a glob).
first() {
  local f
  for f in "$@"; do
    [[ -e $f ]] && echo "$f" && return
  done
  return 1
}

# version TREE PROGRAM FLAG: runs PROGRAM through its own loader and prints
# the first version number it tells.
version() {
  local tree=$1 loader
  loader=$(first "$tree"/usr/lib/*-linux-gnu*/ld-linux*.so.*)
  "$loader" --library-path "$(libraries "$tree")" "$tree/$2" "$3" 2>/dev/null |
    grep -Eo '[0-9]+\.[0-9]+\.[0-9]+(-MariaDB)?' | head -n 1
}

libraries() {
  local triple
  triple=$(first "$1"/usr/lib/*-linux-gnu*/ld-linux*.so.*)
  echo "${triple%/*}:$1/usr/lib/mysql/private"
}

# wrapper NAME TREE PROGRAM SETTINGS [ARG...]: bin/NAME runs PROGRAM of TREE
# through its own loader, with SETTINGS (VAR=value, or "") in its environment.
wrapper() {
  local name=$1 tree=$2 program=$3 settings=$4 loader
  shift 4
  [[ -e $tree/$program ]] || return 0
  loader=$(first "$tree"/usr/lib/*-linux-gnu*/ld-linux*.so.*)
  mkdir -p "$ROOT/bin"
  {
    echo '#!/bin/sh'
    echo '# Made by scripts/servers.sh.'
    [[ -z $settings ]] || printf 'export %s\n' "$settings"
    printf "exec '%s' --library-path '%s' '%s'" "$loader" "$(libraries "$tree")" "$tree/$program"
    [[ $# == 0 ]] || printf " '%s'" "$@"
    # shellcheck disable=SC2016
    echo ' "$@"'
  } >"$ROOT/bin/$name.new.$$"
  chmod +x "$ROOT/bin/$name.new.$$"
  mv "$ROOT/bin/$name.new.$$" "$ROOT/bin/$name"
}

wrappers() {
  local tree=$ROOT/$1 share name
  share=$(first "$tree"/usr/share/{mariadb,mysql}/english || true)
  share=${share%/english}
  case $1 in
    mysql)
      wrapper mysqld "$tree" usr/sbin/mysqld "" --no-defaults --basedir="$tree/usr" \
        --lc-messages-dir="$share" --character-sets-dir="$share/charsets" --plugin-dir="$tree/usr/lib/mysql/plugin" --secure-file-priv=
      for name in mysql mysqldump mysqladmin mysqlbinlog mysqlslap; do
        wrapper $name "$tree" usr/bin/$name ""
      done
      ;;
    mariadb)
      wrapper mariadbd "$tree" usr/sbin/mariadbd "" --no-defaults --basedir="$tree/usr" \
        --lc-messages-dir="$share" --character-sets-dir="$share/charsets" --plugin-dir="$tree/usr/lib/mysql/plugin" --secure-file-priv=
      for name in mariadb mariadb-dump mariadb-admin mariadb-binlog mariadb-slap; do
        wrapper $name "$tree" usr/bin/$name "MARIADB_PLUGIN_DIR='$(client_plugins "$tree")'"
      done
      ;;
    promtool) wrapper promtool "$tree" usr/bin/promtool "" ;;
    haproxy) wrapper haproxy "$tree" usr/sbin/haproxy "" ;;
    sysbench)
      wrapper sysbench "$tree" usr/bin/sysbench \
        "MARIADB_PLUGIN_DIR='$(client_plugins "$tree")' LUA_PATH='./?.lua;$tree/usr/share/sysbench/?.lua;;'"
      ;;
  esac
}

client_plugins() { first "$1"/usr/lib/*-linux-gnu*/libmariadb3/plugin || true; }

# packages NAME DIR: what NAME is made of, by the names in DIR's lists.
packages() {
  case $1 in
    mysql) echo mysql-server-core mysql-client-core ;;
    mariadb) echo "$(newest "$2" mariadb-server-core)" "$(newest "$2" mariadb-client-core)" ;;
    promtool) echo prometheus ;;
    *) echo "$1" ;;
  esac
}

# extras NAME DIR: packages of which only single programs are wanted
# (mariadb-dump, mariadb-binlog), so without what they depend on.
extras() {
  [[ $1 == mariadb ]] || return 0
  (cd "$2/archives" && run_apt "$2" download "$(newest "$2" mariadb-client)") ||
    say "mariadb: without mariadb-dump and mariadb-binlog"
}

# program NAME: what is run to check NAME, and how it tells its version.
program() {
  case $1 in
    mysql) echo usr/sbin/mysqld --version ;;
    mariadb) echo usr/sbin/mariadbd --version ;;
    promtool) echo usr/bin/promtool --version ;;
    haproxy) echo usr/sbin/haproxy -v ;;
    sysbench) echo usr/bin/sysbench --version ;;
  esac
}

suite() {
  [[ $1 == mysql ]] && echo "Debian unstable (sid)" && return
  # shellcheck disable=SC1091
  (. /etc/os-release && echo "${PRETTY_NAME:-this machine}, its own archive")
}

# fetch NAME: the work itself, in a folder that is moved into place once it
# has been checked. Its caller asks for its result, which switches set -e off.
fetch() {
  local name=$1 work=$ROOT/.$1.new tree=$ROOT/.$1.new/tree sources=() wanted got check
  rm -rf "$work"
  mkdir -p "$work"
  private_apt "$work"
  if [[ $name == mysql ]]; then
    debian_source "$work" >"$work/sources.list" || return 1
    mkdir -p "$work/none"
    printf 'Dir::Etc::sourcelist "%s";\nDir::Etc::sourceparts "%s";\nDir::Etc::preferences "%s";\nDir::Etc::preferencesparts "%s";\n' \
      "$work/sources.list" "$work/none" "$work/none/none" "$work/none" >>"$work/apt.conf"
    say "mysql: $(cat "$work/sources.list")"
  fi
  say "$name: fetching from $(suite "$name") into $ROOT/$name"
  run_apt "$work" update || say "$name: apt-get update had errors, going on with what it got"
  read -r -a wanted <<<"$(packages "$name" "$work")"
  if [[ ${#wanted[@]} == 0 ]] || ! run_apt "$work" -d install "${wanted[@]}"; then
    tail -n 5 "$work/log" >&2
    return 1
  fi
  extras "$name" "$work"
  unpack "$work" "$tree" || return 1
  read -r -a check <<<"$(program "$name")"
  if ! got=$(version "$tree" "${check[@]}"); then
    say "$name: unpacked, but ${check[0]} does not run"
    return 1
  fi
  place "$name" "$tree" "$got" || return 1
  rm -rf "$work"
  say "$name: $got ready ($(wc -l <"$ROOT/$name/packages.txt") packages, $(du -sh "$ROOT/$name" | cut -f1))"
}

# place NAME TREE VERSION: moves the tree to its name and records it. The
# record is written last: without it the tree does not count.
place() {
  local tree=$ROOT/$1 loader
  rm -rf "$tree"
  mv "$2" "$tree"
  rm -rf "$tree"/usr/share/{doc,man,locale,info,lintian}
  [[ $1 != promtool ]] || rm -rf "$tree"/usr/share "$tree"/usr/bin/prometheus # what comes with it
  wrappers "$1"
  loader=$(first "$tree"/usr/lib/*-linux-gnu*/ld-linux*.so.*)
  {
    echo "layout=$LAYOUT"
    echo "name=$1"
    echo "version=$3"
    echo "suite=$(suite "$1")"
    echo "fetched=$(date -u +%Y-%m-%dT%H:%M:%SZ)"
    echo "loader=${loader#"$tree"/}"
  } >"$tree/install.env.new"
  mv "$tree/install.env.new" "$tree/install.env"
}

# on_path NAME: whether a server of NAME's flavour is on PATH, to fall back on.
on_path() {
  case $1 in
    mysql) mysqld --version 2>/dev/null | grep -vqi mariadb ;;
    mariadb) mariadbd --version >/dev/null 2>&1 ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

# provide NAME: makes sure that NAME is there. Runs in a subshell that holds
# NAME's lock, so that two callers fetch it once.
provide() {
  local name=$1
  if ready "$name"; then
    say "$name: ready in $ROOT/$name"
    return
  fi
  local need
  mkdir -p "$ROOT" || die "$name: no folder $ROOT" "$(by_hand "$name")"
  for need in apt-get dpkg flock; do
    if ! command -v $need >/dev/null; then
      on_path "$name" && say "$name: using the one on PATH ($need is missing, so nothing is fetched)" && return
      die "$name: cannot be fetched without $need (this works on Debian and Ubuntu)" "$(by_hand "$name")"
    fi
  done
  exec 9>"$ROOT/.$name.lock"
  flock 9
  if ready "$name"; then
    say "$name: ready in $ROOT/$name"
  elif fetch "$name"; then
    :
  elif on_path "$name"; then
    say "$name: could not be fetched, using the one on PATH"
  else
    die "$name: could not be fetched (the log of apt is $ROOT/.$name.new/log)" "$(by_hand "$name")"
  fi
  exec 9>&-
}

main() {
  local names=("$@") name
  [[ $# -gt 0 ]] || names=(mysql mariadb)
  [[ " ${names[*]} " != *" all "* ]] || names=(mysql mariadb promtool haproxy sysbench)
  for name in "${names[@]}"; do
    case $name in
      mysql | mariadb | promtool | haproxy | sysbench) ;;
      *) say "unknown: $name (mysql, mariadb, promtool, haproxy, sysbench, all)"; exit 2 ;;
    esac
  done
  for name in "${names[@]}"; do
    provide "$name"
  done
}

main "$@"
