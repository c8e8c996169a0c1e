# Sourced by start.sh: who takes over from the node that lost the data of this volume.
# shellcheck shell=sh disable=SC2154 # variables of common.sh, start.sh and guard.sh

# Tells the follower with the highest offset of those that hold data of X, to take over; called every second until it has.
# After a restart of a replica its offset is 1 or 0 and says nothing; then the number of keys decides. It waits for all of them: who is silent
# may have more. Only one that lost its link to X when X was last heard has all that any other could have, so after 15 s it need not wait for
# those who may be loading. And always for a majority that can vote, because Redis tries again only after four node timeouts.
first_try=

# It got no majority. It asks for votes again after four of its node timeouts, and whoever gave his vote gives none for two of
# his own: so with 0.6 of it the second try comes as early as it can win, after 12 s instead of 20. (With less, those who
# voted in the first try and those who did not would take turns for ever.) Its readiness probe puts the timeout back.
shorten_retry() {
  [ -r "$run_dir/node-timeout" ] && read -r node_timeout <"$run_dir/node-timeout" || return 0
  ask "$1" config set cluster-node-timeout $((node_timeout * 6 / 10)) >/dev/null
}

# Whether the best one lost its link no earlier than X was last heard by anybody. Others may have heard X up to half a node timeout before it
# went: so much the link may have been down before, and Redis itself elects such a one. When its link was lost is reckoned from before it was
# asked, and when X was heard from after the answer: of two moments the ones that make it wait.
was_in_step() {
  [ "$link_down" != - ] && [ "$holder_heard" != - ] && [ $((asked_at - link_down)) -ge $((holder_heard - 1)) ]
}

tell_best_replica() {
  asked_at=$(date +%s)
  : "${first_try:=$asked_at}"
  ask_each "$run_dir/replicas" "CLUSTER MYID
INFO replication
DBSIZE" <"$run_dir/followers"
  best=$(awk '
    { sub(/\r$/, "") }
    FILENAME ~ /followers$/ { ip[$1] = $2; votes[$1] = $3 >= $4; all++; next }
    FNR == 1 { id = FILENAME; sub(/.*\//, "", id); if ($1 == id) answered++; else id = "" }
    id == "" { next }
    /^role:/ { replica[id] = $0 == "role:slave" }
    /^master_link_down_since_seconds:/ { sub(/.*:/, ""); down[id] = $0 + 0 }
    /^slave_repl_offset:/ { sub(/.*:/, ""); offset[id] = $0 + 0 }
    /^[0-9]+$/ { keys[id] = $0 + 0 }
    END {
      for (id in ip) {
        if (!replica[id] || !votes[id] || (offset[id] < 2 && keys[id] == 0)) continue
        if (best == "" || offset[id] > offset[best] || (offset[id] == offset[best] && keys[id] > keys[best])) best = id
      }
      for (id in ip) electable += votes[id]
      # Never since its start: -1, or before 7.0 the time since 1970.
      since = best != "" && (best in down) && down[best] >= 0 && down[best] < 1000000000 ? down[best] : "-"
      print answered + 0, all + 0, electable + 0, best == "" ? "-" : ip[best], best == "" ? 0 : keys[best] + 0, since
    }' "$run_dir/followers" "$run_dir"/replicas/*)
  read -r replicas_answer replicas_all electable ip keys link_down <<END
$best
END
  reason="$reason ($replicas_answer of $replicas_all replicas answer, $electable can be elected)"
  [ "$ip" != - ] || return 0
  if [ "$replicas_answer" -lt "$replicas_all" ]; then
    [ $(($(date +%s) - first_try)) -ge 15 ] || return 0
    if ! was_in_step; then
      reason="$reason; the one at $ip is behind, and one that does not answer may have more: kubectl redis fix ${KUBECTL_REDIS_CLUSTER:-NAME} says what each would lose"
      return 0
    fi
  fi
  [ "$ip" != "${told:-}" ] || shorten_retry "$ip"
  reply=$(ask "$ip" cluster failover force)
  [ "$ip" = "${told:-}" ] || say "told the replica at $ip, which has $keys keys, to take over: ${reply:-no answer}"
  told=$ip
}
