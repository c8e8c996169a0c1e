#!/bin/sh
# Entry point of every Redis pod: the guard, then the server. POSIX sh (dash, busybox ash).
#
# A stable address needs a guard: an EMPTY server that answers at a dead primary's address makes that primary's replicas
# resync from it, and the shard's data is gone while everything says ok. So, in this order (the order matters):
#   1 wait for the address that this node announces (not known yet in the YAML of `create --dry-run`)
#   2 the volume can be written, and no other process uses it
#   3 render the configuration for the version that this image has
#   4 wait while peers still count on the data that this volume lost. No wait ends in a start by time.
#   5 exec the server, through the image's own entry point where there is one
# Log lines start with `guard:`; those of a wait with `guard: waiting`. While it waits, the file guard-waiting says why.
set -u

config_dir=${KUBECTL_REDIS_CONFIG_DIR:-/etc/redis}
data_dir=${KUBECTL_REDIS_DATA_DIR:-/var/lib/redis}
run_dir=${KUBECTL_REDIS_RUN_DIR:-/tmp}
auth_file=${KUBECTL_REDIS_AUTH_FILE:-/etc/redis-auth/password}
port=${KUBECTL_REDIS_PORT:-6379}
node=${KUBECTL_REDIS_NODE:-0}
command_hint="kubectl redis create ${KUBECTL_REDIS_CLUSTER:-NAME} -n ${KUBECTL_REDIS_NAMESPACE:-NAMESPACE}"

say() { printf 'guard: %s\n' "$*"; }

fail() {
  say "$*"
  exit 1
}

# As process 1 a shell without a trap would ignore SIGTERM, and with one it acts on it only between commands or in `wait`.
child=
trap '[ -z "$child" ] || kill "$child" 2>/dev/null; exit 143' TERM INT

pause() {
  sleep "$1" &
  child=$!
  wait "$child"
  child=
}

# waiting REASON: one second of waiting; logs the reason when it is new and every 5 s, and leaves it for the probes.
last_reason=
ticks=0
waiting() {
  if [ "$1" != "$last_reason" ]; then
    last_reason=$1
    ticks=0
    printf '%s\n' "$1" >"$run_dir/guard-waiting"
  fi
  [ $((ticks % 5)) -ne 0 ] || say "waiting $1"
  ticks=$((ticks + 1))
  pause 1
}

# ------------------------------------------------------------------------------------------------ 1 the address
# `create` writes it into the StatefulSet's template and replaces a pod that an older template made, so this wait ends with
# the pod.
find_address() {
  address=${KUBECTL_REDIS_ANNOUNCE_IP:-}
  while [ -z "$address" ]; do
    waiting "for the address of Service ${KUBECTL_REDIS_CLUSTER:-NAME}-$node, which this node announces; to finish: $command_hint"
  done
}

# ------------------------------------------------------------------------------------------------- 2 the volume
# The lock lives on file descriptor 9, which the server inherits: it ends with the last process that uses the volume.
lock_volume() {
  lock_file=$data_dir/.kubectl-redis.lock
  echo "$node" 2>/dev/null >"$lock_file" ||
    fail "cannot write to the volume at $data_dir as user $(id -u), group $(id -g): it is full, read-only, or its files belong to others"
  exec 9>>"$lock_file"
  if ! command -v flock >/dev/null; then
    say "this image has no flock: a second process on the same volume would not be noticed"
    return
  fi
  until flock -n 9; do
    # 1 is "taken"; anything else means that this file system has no locks.
    [ $? -eq 1 ] || { say "the volume has no locks: a second process on it would not be noticed" && return; }
    waiting "for another process that still uses the volume at $data_dir"
  done
}

# ------------------------------------------------------------------------------------------ 3 the configuration
find_programs() {
  # Valkey first: its images have redis-server as a second name, but their entry point knows only the first.
  if command -v valkey-server >/dev/null; then
    server=valkey-server
  elif command -v redis-server >/dev/null; then
    server=redis-server
  else
    fail "this image has no redis-server and no valkey-server: choose another with --image"
  fi
  if command -v valkey-cli >/dev/null; then cli=valkey-cli; else cli=redis-cli; fi
}

# Sets number to MAJOR * 100 + MINOR of a version like 7.0.15.
to_number() {
  minor=${1#*.}
  number=$((${1%%.*} * 100 + ${minor%%.*}))
}

find_version() {
  text=$("$server" --version 2>&1) || fail "$server does not run in this image: $text"
  case $text in
    Valkey*) product=valkey ;;
    *) product=redis ;;
  esac
  case $text in
    *v=[0-9]*.[0-9]*) text=${text#*v=} && to_number "${text%% *}" && version=$number ;;
    *) version=500 && say "cannot read the version of $server: only directives that every version knows are used" ;;
  esac
}

# applies MARK: whether a line marked `>=7.0`, `<7.0`, `redis>=8.4` or `valkey>=9.0` is for this server.
applies() {
  mark=$1
  case $mark in
    redis*) [ "$product" = redis ] || return 1 ;;
    valkey*) [ "$product" = valkey ] || return 1 ;;
  esac
  mark=${mark#"${mark%%[<>]*}"}
  case $mark in
    '>='*) to_number "${mark#>=}" && [ "$version" -ge "$number" ] ;;
    '<'*) to_number "${mark#<}" && [ "$version" -lt "$number" ] ;;
    *) return 1 ;;
  esac
}

# Facts that the guard and the probes need from the configuration.
note_directive() {
  case $1 in
    'appendonly '*[nN][oO]*) appendonly=no ;;
    'save '[0-9]*) snapshots=yes ;;
    'cluster-node-timeout '*) printf '%s\n' "${1#* }" >"$run_dir/node-timeout" ;;
  esac
}

render_lines() {
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in
      '#'*[\<\>]*\ *)
        mark=${line%% *}
        case $mark in '#' | *[!a-z0-9.#\<\>=]*) continue ;; esac
        line=${line#* }
        applies "${mark#?}" || continue
        ;;
      '#'* | '') continue ;;
    esac
    note_directive "$line"
    printf '%s\n' "$line"
  done <"$config_dir/redis.conf"
  printf 'cluster-announce-ip %s\nreplica-announce-ip %s\n' "$address" "$address"
  [ "$port" = 6379 ] || printf 'port %s\n' "$port"
  [ "$data_dir" = /var/lib/redis ] || printf 'dir "%s"\n' "$data_dir"
  # The password goes through a pipe into a file of mode 600, never into arguments.
  [ -z "$password" ] || printf 'requirepass "%s"\nmasterauth "%s"\n' "$password" "$password"
}

render_config() {
  appendonly=yes
  snapshots=no
  password=
  if [ -s "$auth_file" ]; then
    password=$(sed 's/[\\"]/\\&/g' <"$auth_file")
    IFS= read -r REDISCLI_AUTH <"$auth_file" || :
    export REDISCLI_AUTH
  fi
  umask 077
  render_lines >"$run_dir/redis.conf"
  umask 022
}

# ------------------------------------------------------------------------------------------------- 4 the guard
# Whether the volume holds what the server will load. A dump.rdb does not count with AOF on: Redis then ignores it and
# starts empty; and only 7.0 and later read appendonlydir.
has_data() {
  if [ "$appendonly" = no ]; then
    [ -s "$data_dir/dump.rdb" ]
  else
    [ -e "$data_dir/appendonly.aof" ] ||
      { [ "$version" -ge 700 ] && [ -s "$data_dir/appendonlydir/appendonly.aof.manifest" ]; }
  fi
}

# Only a file that says `false` counts as never formed: a missing one may be a mistake.
never_formed() {
  formed=
  [ ! -r "$config_dir/formed" ] || read -r formed <"$config_dir/formed"
  [ "$formed" = false ]
}

# Asks every other node's address for CLUSTER NODES, 2 s each, side by side. Sets peers to how many there are. The table
# `nodes` of the ConfigMap has lines `N NODE-NAME ADDRESS`, with `-` for an address that is not known.
ask_peers() {
  rm -rf "$run_dir/peers"
  mkdir "$run_dir/peers"
  true >"$run_dir/peers/none"
  peers=0
  [ -r "$config_dir/nodes" ] || return 0
  while read -r number _ ip; do
    [ "$number" != "$node" ] || continue
    peers=$((peers + 1))
    [ "$ip" != - ] || continue
    timeout 2 "$cli" -h "$ip" -p "$port" cluster nodes >"$run_dir/peers/$number" 2>/dev/null </dev/null 9>&- &
  done <"$config_dir/nodes"
  wait
}

# Reads the answers and sets: answered (peers), formed_peers (that know others and an owner of slots), holder (id of a
# node at my address, or without any, that owns slots or is followed), holder_slots and holder_followers (yes or no).
judge_peers() {
  verdict=$(awk -v me="$address" '
    length($1) != 40 || $1 ~ /[^0-9a-f]/ || NF < 8 { next }
    {
      at = $2; sub(/@.*/, "", at); sub(/:[0-9]*$/, "", at)
      if (!(FILENAME in known)) answered++
      known[FILENAME]++
      owns = 0
      for (i = 9; i <= NF; i++) if ($i !~ /^\[/) owns = 1
      if (owns) { owners[FILENAME] = 1; slots[$1] = 1 }
      if ($4 != "-") followed[$4] = 1
      if ((at == me || at == "" && $3 !~ /myself/) && $3 !~ /handshake/) mine[$1] = 1
    }
    END {
      for (file in owners) if (known[file] > 1) formed++
      for (id in mine) if ((id in slots) || (id in followed))
        { holder = id; s = (id in slots) ? "yes" : s; f = (id in followed) ? "yes" : f }
      print answered + 0, formed + 0, holder == "" ? "-" : holder, s == "" ? "no" : s, f == "" ? "no" : f
    }' "$run_dir"/peers/*)
  read -r answered formed_peers holder holder_slots holder_followers <<END
$verdict
END
}

# Whether it is safe to start without data. Sets reason when it is not.
safe_without_data() {
  why="nobody counts on it"
  ! never_formed || { why="the cluster was never formed" && return 0; }
  ask_peers
  judge_peers
  if [ "$holder" != - ]; then
    # No persistence on purpose, nobody who could hold a copy, and the identity is here: there is nothing to protect.
    if [ "$appendonly" = no ] && [ "$snapshots" = no ] && [ "$holder_followers" = no ] && [ -s "$data_dir/nodes.conf" ]; then
      return 0
    fi
    reason="for the cluster to let go of node $holder at $address: this volume has no data, and other nodes still show it"
    [ "$holder_slots" = no ] || reason="$reason as owner of slots"
    [ "$holder_followers" = no ] || reason="$reason with replicas"
    return 1
  fi
  # One formed peer knows everybody; and where all answered, nobody is left who could follow this node.
  [ "$formed_peers" -eq 0 ] && [ "$answered" -lt "$peers" ] || return 0
  reason="for a node of the cluster to answer: this volume has no data, the cluster was formed, and $answered of $peers other nodes answer"
  return 1
}

guard() {
  [ ! -s "$data_dir/nodes.conf" ] || ! has_data || return 0
  until safe_without_data; do
    waiting "$reason"
  done
  say "no data on this volume, and $why: starting empty"
}

# ------------------------------------------------------------------------------------------------- 5 the server
start_server() {
  [ ! -e "$run_dir/guard-waiting" ] || rm -f "$run_dir/guard-waiting"
  unset REDISCLI_AUTH
  if command -v docker-entrypoint.sh >/dev/null; then
    exec docker-entrypoint.sh "$server" "$run_dir/redis.conf"
  fi
  exec "$server" "$run_dir/redis.conf"
}

[ ! -e "$run_dir/guard-waiting" ] || rm -f "$run_dir/guard-waiting"
find_programs
find_address
lock_volume
find_version
render_config
guard
start_server
