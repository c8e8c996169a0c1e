#!/bin/sh
# Entry point of every Redis pod: the guard, then the server. POSIX sh (dash, busybox ash).
#
# A stable address needs a guard: an EMPTY server that answers at a dead primary's address makes that primary's replicas
# resync from it, and the shard's data is gone while everything says ok. So, in this order (the order matters):
#   1 find the address that this node announces; wait where nothing says it yet
#   2 the volume can be written, and no other process uses it
#   3 render the configuration for the version that this image has; never without the password that was asked for
#   4 wait while peers still count on the data that this volume lost, or have more of it. No wait ends in a start by time,
#     but for a replica that is silent (history.sh).
#   5 exec the server, through the image's own entry point where there is one; beside it, where the node lost its place in
#     the cluster, rejoin.sh; and links.sh, for those who still dial the pod before
# Log lines start with `guard:`; those of a wait with `guard: waiting`. While it waits, the file guard-waiting says why.
set -u

# shellcheck source=pkg/pod/scripts/common.sh
. "${KUBECTL_REDIS_CONFIG_DIR:-/etc/redis}/common.sh"
# shellcheck source=pkg/pod/scripts/peers.sh
. "$config_dir/peers.sh"
# shellcheck source=pkg/pod/scripts/volume.sh
. "$config_dir/volume.sh"
# shellcheck source=pkg/pod/scripts/heir.sh
. "$config_dir/heir.sh"
# shellcheck source=pkg/pod/scripts/history.sh
. "$config_dir/history.sh"
# shellcheck source=pkg/pod/scripts/guard.sh
. "$config_dir/guard.sh"
command_hint="kubectl redis create ${KUBECTL_REDIS_CLUSTER:-NAME} -n ${KUBECTL_REDIS_POD_NAMESPACE:-${KUBECTL_REDIS_NAMESPACE:-NAMESPACE}}"

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
# Sets home: the namespace that the record says it is of.
is_own_record() {
  home=
  [ ! -r "$state_dir/namespace" ] || read -r home <"$state_dir/namespace"
  [ -z "$home" ] || [ "${KUBECTL_REDIS_POD_NAMESPACE:-$home}" = "$home" ]
}

# `create` writes it into the StatefulSet's template. In a template that has lost it, because a manifest was applied again, and in pods that
# were completed without a cluster at hand (`inject -f`), it is that of the table.
find_address() {
  address=${KUBECTL_REDIS_ANNOUNCE_IP:-}
  # An address in the template is that of a Service of one namespace. In a copy of it elsewhere, with or without its volumes, this node
  # would enter the cluster that it was copied from.
  home=${KUBECTL_REDIS_NAMESPACE:-}
  while [ -n "$address" ] && [ -n "$home" ] && [ "${KUBECTL_REDIS_POD_NAMESPACE:-$home}" != "$home" ]; do
    waiting "because this is a copy of a node of namespace $home, with its address, in namespace $KUBECTL_REDIS_POD_NAMESPACE: delete its StatefulSet and ConfigMaps here, keep its volumes, and run $command_hint"
  done
  # A table that was copied has addresses of that namespace, too: whoever asked by it would meet the nodes of another cluster.
  until is_own_record; do
    waiting "because ConfigMap ${KUBECTL_REDIS_CLUSTER:-NAME}-state here is a copy of that of namespace $home, with its addresses; to have it written for this one: $command_hint"
  done
  service=${KUBECTL_REDIS_CLUSTER:-NAME}-$node
  while [ -z "$address" ]; do
    choose_table
    address=$(awk -v me="$node" '$1 == me && NF >= 3 && $3 != "-" { print $3; exit }' "$node_table")
    [ -n "$address" ] ||
      waiting "for the address of Service $service, which this node announces$(emptiness); to finish: $command_hint"
  done
  printf '%s\n' "$address" >"$run_dir/address"
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
  printf '%s %s\n' "$product" "$version" >"$run_dir/server"
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
    'appendonly '*) appendonly=yes ;;
    'aof-use-rdb-preamble '*[nN][oO]*) preamble=no ;;
    'aof-use-rdb-preamble '*) preamble=yes ;;
    'save ""') snapshots=no ;;
    'save '[0-9]*) snapshots=yes ;;
    'maxmemory '*) maxmemory=yes ;;
    'proc-title-template '*) titled=yes ;;
    'cluster-node-timeout '*) printf '%s\n' "${1#* }" >"$run_dir/node-timeout" ;;
    'repl-timeout '*) printf '%s\n' "${1#* }" >"$run_dir/repl-timeout" ;;
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
      # The server goes there while it still reads; outside of a container nobody else may.
      'dir /var/lib/redis') [ "$data_dir" = /var/lib/redis ] || continue ;;
    esac
    note_directive "$line"
    printf '%s\n' "$line"
  done <"$config_dir/redis.conf"
  render_own
  printf 'cluster-announce-ip %s\nreplica-announce-ip %s\n' "$address" "$address"
  [ "$port" = 6379 ] || printf 'port %s\n' "$port"
  [ "$data_dir" = /var/lib/redis ] || printf 'dir "%s"\n' "$data_dir"
  # The password goes through a pipe into a file of mode 600, never into arguments.
  [ -z "$password" ] || printf 'requirepass "%s"\nmasterauth "%s"\n' "$password" "$password"
}

# What this node alone is told: the last of several values wins.
render_own() {
  while IFS= read -r line; do
    case $line in '' | '#'*) continue ;; esac
    note_directive "$line"
    printf '%s\n' "$line"
  done <<END
${KUBECTL_REDIS_CONFIG:-}
END
  [ -z "${KUBECTL_REDIS_MAXMEMORY:-}" ] || [ -n "$maxmemory" ] || printf 'maxmemory %s\n' "$KUBECTL_REDIS_MAXMEMORY"
}

# A server without the password that was asked for would let everybody in. Asked for: the template says so, or a Secret is mounted that holds
# something else. Sets reason.
password_is_there() {
  [ ! -s "$auth_file" ] || return 0
  found=
  for entry in "${auth_file%/*}"/*; do [ ! -e "$entry" ] || found="$found${found:+, }${entry##*/}"; done
  [ -n "$found" ] || [ "${KUBECTL_REDIS_AUTH:-no}" = yes ] || return 0
  reason="for the password: Secret ${KUBECTL_REDIS_CLUSTER:-NAME}-auth has no key ${auth_file##*/}, or an empty one (its keys: ${found:-none}); kubectl edit secret ${KUBECTL_REDIS_CLUSTER:-NAME}-auth -n ${KUBECTL_REDIS_NAMESPACE:-NAMESPACE}"
  return 1
}

render_config() {
  appendonly=yes
  preamble=yes
  snapshots=no
  maxmemory=
  titled=
  password=
  until password_is_there; do waiting "$reason"; done
  if [ -s "$auth_file" ]; then
    password=$(sed 's/[\\"]/\\&/g' <"$auth_file")
    read_password
  fi
  umask 077
  render_lines >"$run_dir/redis.conf"
  umask 022
}

# ------------------------------------------------------------------------------------------------- 5 the server
# Pods cannot read each other's volumes. A directive whose text is free and that only `ps` shows is how this one tells the others
#   heard:  when it last heard the others (validity.sh): the latest time, and those who were silent by then with theirs. Whom the
#           cluster had declared failed since the last look was silent for more than a node timeout.
#   followed: and served:  how far it had followed its primary, and what it led (history.sh; the probe tells it anew)
#   data:   of when the data is that it starts with (heir.sh)
tell_others() {
  rm -f "$title_parts" "$told_file"
  [ -z "$titled" ] && [ "$version" -ge 602 ] || return 0
  if [ "$appendonly" = no ]; then kind=rdb; else kind=aof; fi
  told_time=
  if find_data_time "$kind"; then
    [ -n "$stamped" ] || read_stamp
    [ -z "$stamped" ] || [ "$stamped" -ge "$data_time" ] || data_time=$stamped
    printf '%s\n' "$data_time" >"$data_stamp"
    told_time="data:$data_time"
  fi
  before="{title} {listen-addr} {server-mode}$(list_heard)"
  printf '%s\n%s\n' "$before" "$told_time" >"$title_parts"
  find_histories
  printf 'proc-title-template "%s"\n' "$before$histories${told_time:+ $told_time}" >>"$run_dir/redis.conf"
}

list_heard() {
  [ -s "$heard" ] && read_node_timeout || return 0
  [ -r "$nodes_conf" ] && failed=$nodes_conf || failed=
  awk -v timeout="$node_timeout" '
    BEGIN { timeout = int(timeout / 1000) }
    NF == 2 && $1 ~ /^[0-9a-fA-F:.]+$/ && $2 ~ /^[0-9]+$/ { sign[$1] = $2; if ($2 + 0 > last + 0) last = $2 }
    '"$node_line"'
    $3 ~ /(^|,)fail(,|$)/ && at in sign { failed[at] = 1 }
    END {
      if (!last) exit
      for (at in sign) {
        if (at in failed && sign[at] > last - 2 * timeout - 2) sign[at] = last - 2 * timeout - 2
        if (sign[at] < last - timeout) silent = silent "," at "=" sign[at]
      }
      printf " heard:%s%s", last, silent
    }' "$heard" ${failed:+"$failed"}
}

start_server() {
  [ ! -e "$run_dir/guard-waiting" ] || rm -f "$run_dir/guard-waiting"
  # It outlives this shell, which becomes the server; the lock on descriptor 9 is the server's alone.
  [ ! -e "$joining" ] || start_rejoin "$$" "$address"
  # (Nobody has dialed a node that was never in a cluster.)
  if [ -s "$nodes_conf" ] || [ -e "$joining" ]; then start_links "$$"; fi
  if [ -e "$start_old" ] && was_primary && find_data_time "$(old_kind)"; then note_loaded "$data_time"; fi
  # They were for this start.
  for name in "$ended" "$start_old" "$be_that_node"; do [ ! -e "$name" ] || rm -f "$name"; done
  tell_others
  unset REDISCLI_AUTH
  if command -v docker-entrypoint.sh >/dev/null; then
    exec docker-entrypoint.sh "$server" "$run_dir/redis.conf"
  fi
  exec "$server" "$run_dir/redis.conf"
}

[ ! -e "$run_dir/guard-waiting" ] || rm -f "$run_dir/guard-waiting"
[ ! -e "$stopping" ] || rm -f "$stopping"
find_programs
find_address
lock_volume
find_version
render_config
guard
start_server
