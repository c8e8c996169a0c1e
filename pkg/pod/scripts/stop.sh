#!/bin/sh
# preStop: a primary hands its role to its best replica before it goes, then serves on for 3 s as a replica, so that
# clients follow a MOVED instead of meeting a closed socket. Without it, replicas stay out of sync for about a minute
# behind kube-proxy: their reconnect goes to the dead pod and hangs until repl-timeout.
#
# A replica that is behind does not get the role: the primary restarts with all data, which is slower but loses nothing. (Within
# its limit CLUSTER FAILOVER itself waits, with writes paused, until the replica has everything.) Nor does one that has heard all and
# has fewer keys: somebody wrote to it, or it evicted keys by itself (evidence/lacking-keys.ts).
#
# Bounded: 1 s for its turn, 2 s to ask, 4 s to count (a replica that does not say is taken), 2 s to tell the replica, 7 s for the change of
# role (11 s where servers are frozen), 3 s as a replica. It never fails the stop.
set -u

# shellcheck source=pkg/pod/scripts/common.sh
. "${KUBECTL_REDIS_CONFIG_DIR:-/etc/redis}/common.sh"
read_password
# A replica whose last acknowledgement is older does not take part.
max_lag_seconds=5

say() { printf 'guard: %s\n' "$*" 2>/dev/null >"$log" || :; }

replication() { bounded 2 "$cli" -h "$host" -p "$port" info replication 2>/dev/null; }

# field NAME LINE: sets value to what NAME has in `slave0:ip=10.0.0.1,port=6379,state=online,offset=14,lag=0`.
field() {
  value=",${2#*:},"
  case $value in
    *",$1="*) value=${value#*",$1="} && value=${value%%,*} ;;
    *) value= ;;
  esac
}

# Sets best_host and best_port to the online replica with the highest offset, but for those in passed; empty when there is none.
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
    offset=${value:-0}
    [ "$offset" -gt "$best_offset" ] || continue
    field ip "$line" && at_host=$value
    field port "$line" && at_port=$value
    case $passed in *" $at_host:$at_port "*) continue ;; esac
    best_offset=$offset
    best_host=$at_host
    best_port=$at_port
  done <<END
$1
END
}

# keys_in INFO: prints how many keys it tells of, and at which offset.
keys_in() {
  printf '%s\n' "$1" | awk -F '[:=,\r]' '
    /^db[0-9]+:keys=/ { keys += $3 }
    /^# Keyspace/ { told = 1 }
    /^slave_repl_offset:/ { offset = $2; heard = 1 }
    /^master_repl_offset:/ && !heard { offset = $2 }
    END { if (told && offset != "") print keys + 0, offset }'
}

# Whether the best replica has as many keys as this node, but for what is on its way: what makes a key takes 7 bytes or more. Who does not
# say is taken at its offset.
has_all_keys() {
  own=$(keys_in "$(bounded 2 "$cli" -h "$host" -p "$port" info 2>/dev/null)")
  theirs=$(keys_in "$(tell info)")
  [ -n "$own" ] && [ -n "$theirs" ] || return 0
  printf '%s %s\n' "$own" "$theirs" | awk '{ gap = $2 - $4; if (gap < 0) gap = -gap; exit ($1 - $3 > gap / 7) }'
}

# Two replicas that ask for votes at the same moment take the same epoch, and one gets no majority; Redis would try again only
# after four node timeouts, with the writes paused for 5 s, and would block an election for as long when this node is gone. So
# nodes of one host, which are drained at once, begin one after the other; and a replica that has not taken over after a
# second is told again, with a shorter timeout: it then tries again 4 s after its first try. (Newer servers do at once.)
await_replica_role() {
  deadline=$(($(date +%s) + 7))
  tries=0
  until case $(replication) in *role:slave*) true ;; *) false ;; esac do
    [ "$(date +%s)" -lt "$deadline" ] || return 1
    tries=$((tries + 1))
    [ $((tries % 10)) -ne 0 ] || hurry
    sleep 0.1
  done
}

tell() { bounded 2 "$cli" -h "$best_host" -p "$best_port" "$@" 2>&1; }

hurried=
hurry() {
  hurried=yes
  tell config set cluster-node-timeout 1000 >/dev/null
  tell cluster failover >/dev/null
}

# (The replica's own readiness probe would put it back as well, some seconds later.)
calm_down() {
  [ -n "$hurried" ] && [ -r "$run_dir/node-timeout" ] || return 0
  read -r wanted <"$run_dir/node-timeout"
  tell config set cluster-node-timeout "$wanted" >/dev/null
}

[ ! -e "$run_dir/guard-waiting" ] || exit 0
# A dump that is written after this, by the server when it is told to end, has all that it had (volume.sh).
trap 'true >"$ended"' EXIT
answer=$(replication)
# After a crash of everything the data of a replica that was in step is as good as any (validity.sh). Not so after an orderly stop: its
# primary, or its successor, goes on and takes writes, if only for a moment. (The probe would write the stamp again.) Of one whose link is
# down the stamp says when it was lost.
case $answer in
  *role:slave*master_link_status:down*) ;;
  *) true >"$stopping" && rm -f "$link_stamp" ;;
esac
case $answer in *role:master*slave0:*) sleep "0.$((node % 10))" && answer=$(replication) ;; esac
case $answer in *role:master*) ;; *) exit 0 ;; esac
passed=" "
find_best_replica "$answer"
until [ -z "$best_host" ] || has_all_keys; do
  passed="$passed$best_host:$best_port "
  find_best_replica "$answer"
done
if [ -z "$best_host" ]; then
  [ "$passed" = " " ] || { say "stopping as primary: the replica at${passed% } is in step and has fewer keys, and must not take over" && exit 0; }
  case $answer in
    *slave0:*) say "stopping as primary: no replica is in step, and one that is behind must not take over" ;;
    *) say "stopping as primary without a replica" ;;
  esac
  exit 0
fi
reply=$(tell cluster failover)
if [ "$reply" != OK ]; then
  say "stopping as primary: replica $best_host:$best_port did not take over: $reply"
  exit 0
fi
if await_replica_role; then
  say "handed the role of primary to $best_host:$best_port"
  calm_down
  sleep 3
else
  calm_down
  say "stopping as primary: replica $best_host:$best_port did not take over within 7 s"
fi
exit 0
