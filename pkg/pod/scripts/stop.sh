#!/bin/sh
# preStop: a primary hands its role to its best replica before it goes, then serves on for 3 s as a replica, so that
# clients follow a MOVED instead of meeting a closed socket. Without it, replicas stay out of sync for about a minute
# behind kube-proxy: their reconnect goes to the dead pod and hangs until repl-timeout.
#
# A replica that is behind does not get the role: the primary restarts with all data, which is slower but loses nothing. (Within
# its limit CLUSTER FAILOVER itself waits, with writes paused, until the replica has everything.)
#
# Bounded: 2 s to ask, 2 s to tell the replica, 5 s for the change of role, 3 s as a replica. It never fails the stop.
set -u

# shellcheck source=pkg/pod/scripts/common.sh
. "${KUBECTL_REDIS_CONFIG_DIR:-/etc/redis}/common.sh"
read_password
# A replica whose last acknowledgement is older does not take part.
max_lag_seconds=5

# A hook's own output is thrown away; process 1 writes the pod's log.
say() { printf 'guard: %s\n' "$*" 2>/dev/null >"${KUBECTL_REDIS_LOG:-/proc/1/fd/1}" || :; }

replication() { timeout 2 "$cli" -h "$host" -p "$port" info replication 2>/dev/null; }

# field NAME LINE: sets value to what NAME has in `slave0:ip=10.0.0.1,port=6379,state=online,offset=14,lag=0`.
field() {
  value=",${2#*:},"
  case $value in
    *",$1="*) value=${value#*",$1="} && value=${value%%,*} ;;
    *) value= ;;
  esac
}

# Sets best_host and best_port to the online replica with the highest offset; empty when there is none.
find_best_replica() {
  best_host=
  best_port=
  best_offset=-1
  return_char=$(printf '\r')
  while IFS= read -r line; do
    line=${line%"$return_char"}
    case $line in slave[0-9]*:*state=online*) ;; *) continue ;; esac
    field lag "$line"
    case $value in '' | *[!0-9]*) continue ;; esac
    [ "$value" -le "$max_lag_seconds" ] || continue
    field offset "$line"
    [ "${value:-0}" -gt "$best_offset" ] || continue
    best_offset=$value
    field ip "$line" && best_host=$value
    field port "$line" && best_port=$value
  done <<END
$1
END
}

await_replica_role() {
  deadline=$(($(date +%s) + 5))
  until case $(replication) in *role:slave*) true ;; *) false ;; esac do
    [ "$(date +%s)" -lt "$deadline" ] || return 1
    sleep 0.1
  done
}

[ ! -e "$run_dir/guard-waiting" ] || exit 0
answer=$(replication)
case $answer in *role:master*) ;; *) exit 0 ;; esac
find_best_replica "$answer"
if [ -z "$best_host" ]; then
  case $answer in
    *slave0:*) say "stopping as primary: no replica is in step, and one that is behind must not take over" ;;
    *) say "stopping as primary without a replica" ;;
  esac
  exit 0
fi
reply=$(timeout 2 "$cli" -h "$best_host" -p "$best_port" cluster failover 2>&1)
if [ "$reply" != OK ]; then
  say "stopping as primary: replica $best_host:$best_port did not take over: $reply"
  exit 0
fi
if await_replica_role; then
  say "handed the role of primary to $best_host:$best_port"
  sleep 3
else
  say "stopping as primary: replica $best_host:$best_port did not take over within 5 s"
fi
exit 0
