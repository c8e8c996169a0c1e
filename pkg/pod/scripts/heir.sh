# Sourced by start.sh: who takes over from the node that lost the data of this volume.
# shellcheck shell=sh disable=SC2154 # variables of common.sh, start.sh and guard.sh

# Tells the replica of X that has most of its data to take over; called every second until it has. Offsets say who has most only within one
# history (master_replid), and after a restart of a replica they say nothing. Else only one may lead that was in step, and so has all that any
# other could have: that lost its link to X when X was last heard; or, restarted since, whose data its probe found fresh (validity.sh). Where
# there is one alone, or all can be compared, nobody has to have been in step. Who is silent may have more: it is waited for, and after 15 s only
# one that was in step is told without it. And always for a majority that can vote, because Redis tries again only after four node
# timeouts: another one that was in step leads in place of the best where that has all the same, or after 15 s.
#
# And a copy that has heard as much as another of its history has as many keys, whatever became of them there (evidence/lacking-keys.ts): who
# has fewer was emptied, or evicted by itself, and is never told. Where the one with fewer has heard more, it may be that all were told to
# flush: then nobody is told, and a person decides.
#
# Where this volume has old data (of old_time), one may lead whose own is later: whose link to X was there for longer or, restarted
# since, that says so itself (start.sh); but not while another one is silent. And where everybody answers and nobody can be elected, because
# too many primaries wait like this one, it is told to take over without an election.
first_try=
unelectable=0

# It got no majority. It asks for votes again after four of its node timeouts, and whoever gave his vote gives none for two of
# his own: so with 0.6 of it the second try comes as early as it can win, after 12 s instead of 20. (With less, those who
# voted in the first try and those who did not would take turns for ever.) Its readiness probe puts the timeout back.
shorten_retry() {
  read_node_timeout || return 0
  ask "$1" config set cluster-node-timeout $((node_timeout * 6 / 10)) >/dev/null
}

# Sets replicas_answer, replicas_all and electable (numbers), holding (of those that answer and hold data), best (address of who may be told and
# has most; - = nobody may), ip (who can be elected in its place; - = nobody yet), keys of that one, and led (yes: one of them leads already), and unclear (yes: who has all can't be told). A link was lost late enough if that was no
# earlier than X was last heard by anybody. Others may have heard X up to half a node timeout before it went: so much the link may have been
# down before, and Redis itself elects such a one. When it was lost is reckoned from before it was asked, and when X was heard from after the
# answer: of two moments the ones that make it wait.
judge_replicas() {
  awk -v asked_at="$asked_at" -v heard="$holder_heard" -v late="$tried_long" -v old="$old_time" '
    { sub(/\r$/, "") }
    FILENAME ~ /\/peer-list$/ { elsewhere[$2] = 1; next }
    FILENAME ~ /\/followers$/ { ip[$1] = $2; votes[$1] = $3 >= $4; next }
    FNR == 1 { before = ""; id = FILENAME; sub(/.*\//, "", id); if ($1 == id) asked[id] = 1; else id = "" }
    id == "" { next }
    /^role:/ { replica[id] = $0 == "role:slave" }
    # It has been given to another shard, and somebody has not heard of it.
    /^master_host:/ { if (substr($0, 13) in elsewhere) moved[id] = 1 }
    /^master_link_status:up/ { linked[id] = 1 }
    / data:[0-9]+$/ { sub(/.* data:/, ""); since[id] = $0 + 0; next }
    /^master_link_down_since_seconds:/ { sub(/.*:/, ""); down[id] = $0 + 0; next }
    /^slave_repl_offset:/ { sub(/.*:/, ""); offset[id] = $0 + 0; next }
    /^master_replid:/ { history[id] = $0 }
    # (An answer that was cut short before this says nothing of keys, and is none.)
    /^# Keyspace/ { counted[id] = 1 }
    /^db[0-9]+:keys=/ { split($0, part, /[=,]/); keys[id] += part[2]; next }
    before == "cluster-replica-validity-factor" { fresh[id] = $0 == "0" }
    { before = $0 }
    function compares(a, b) { return history[a] == history[b] && offset[a] >= 2 && offset[b] >= 2 }
    # Never up since its start: -1, or before 7.0 the time since 1970.
    function was_up(id) { return (id in down) && down[id] >= 0 && down[id] < 1000000000 }
    function was_in_step(id) {
      if (!was_up(id)) return fresh[id]
      return heard != "-" && asked_at - down[id] >= heard - 1
    }
    # (With a link that is up it has not noticed that X is gone.)
    function sure(id) { return was_in_step(id) || (id in linked) }
    # Of when its data is, where that is known.
    function time_of(id) { return was_up(id) ? asked_at - down[id] : since[id] }
    function may_lead(id) {
      if (old == "") return alike || was_in_step(id)
      if (led) return 0
      if (sure(id)) return 1
      if (answer < all || !keys[id] || !(id in down)) return 0
      # (When a link was lost is reckoned too early by as long as the answer took. Up to 3 s before those files are risked for all after them.)
      return was_up(id) ? time_of(id) + 3 >= old : time_of(id) > old
    }
    # Whether b proves that a lacks keys. What makes or removes a key takes 7 bytes or more, and what flushes all of them 17.
    function proves(b, a, gap) {
      if (!compares(a, b)) return 0
      gap = offset[a] - offset[b]
      if (keys[b] - keys[a] <= (gap < 0 ? -gap : gap) / 7) return 0
      if (gap < 17) proven[a] = 1
      else doubted[a] = 1
      return 1
    }
    function has_more(a, b) {
      if (old != "" && sure(a) != sure(b)) return sure(a)
      if (compares(a, b) && offset[a] != offset[b]) return offset[a] > offset[b]
      if (old != "" && !sure(a) && time_of(a) != time_of(b)) return time_of(a) > time_of(b)
      if (keys[a] != keys[b]) return keys[a] > keys[b]
      return votes[a] != votes[b] ? (votes[a] > votes[b]) : (a < b)
    }
    END {
      for (id in ip) {
        if (id in moved) continue
        all++
        electable += votes[id]
        if (!(id in asked)) continue
        if (!replica[id]) led = 1
        if (!(id in counted)) continue
        answer++
        if (replica[id] && (offset[id] >= 2 || keys[id] > 0)) { holds[id] = 1; holding++ }
      }
      alike = answer == all
      for (a in holds) for (b in holds) if (a != b && !compares(a, b)) alike = 0
      for (a in holds) for (b in holds) if (a != b && proves(b, a)) lacks[a] = 1
      for (id in doubted) if (!(id in proven)) unclear = 1
      for (id in lacks) delete holds[id]
      if (unclear) split("", holds)
      for (id in holds) if (may_lead(id)) { if (best == "" || has_more(id, best)) best = id }
      told = best != "" && votes[best] ? best : ""
      if (best != "" && told == "")
        for (id in holds)
          if (votes[id] && was_in_step(id) && (late == "yes" || (compares(id, best) && offset[id] == offset[best])))
            if (told == "" || has_more(id, told)) told = id
      print answer + 0, all + 0, electable + 0, holding + 0, best == "" ? "-" : ip[best], told == "" ? "-" : ip[told],
        told == "" ? 0 : keys[told] + 0, led ? "yes" : "no", unclear ? "yes" : "no"
    }' "$run_dir/peer-list" "$run_dir/followers" "$run_dir"/replicas/*
}

tell_best_replica() {
  asked_at=$(date +%s)
  # (A clock that was set back would make it wait for ever.)
  [ "${first_try:=$asked_at}" -le "$asked_at" ] || first_try=$asked_at
  tried_long=no
  [ $((asked_at - first_try)) -lt 15 ] || tried_long=yes
  ask_each "$run_dir/replicas" "CLUSTER MYID
INFO replication
INFO keyspace
CONFIG GET cluster-replica-validity-factor
CONFIG GET proc-title-template" <"$run_dir/followers"
  read -r replicas_answer replicas_all electable holding best ip keys led unclear <<END
$(judge_replicas)
END
  reason="$reason ($replicas_answer of $replicas_all replicas answer, $electable can be elected)"
  says="kubectl redis fix ${KUBECTL_REDIS_CLUSTER:-NAME} says what each would lose"
  if [ "$replicas_answer" -lt "$replicas_all" ]; then
    [ "$tried_long" = yes ] && [ "$holding" -gt 0 ] || return 0
    [ "$best" != - ] || reason="$reason; who answers is behind, and one that does not answer may have more: $says"
  elif [ "$best" = - ] && [ "$holding" -gt 0 ]; then
    reason="$reason; none of them is known to have all: $says"
  fi
  if [ -n "$old_time" ] && [ "$best" != - ] && [ "$electable" -eq 0 ] && [ "$replicas_answer" -eq "$replicas_all" ]; then
    # Not by one look, and never another one than before: two that lead one shard both take writes. (One shard after the other: whoever
    # leads by then can vote.)
    unelectable=$((unelectable + 1))
    [ "$unelectable" -ge 3 ] && [ $((asked_at - first_try)) -ge $((15 + node % 5 * 3)) ] || return 0
    [ "${taking_over:=$best}" = "$best" ] || return 0
    say "told the replica at $best to take over without an election, for which there is no majority: $(ask "$best" cluster failover takeover)"
    return 0
  fi
  unelectable=0
  [ "$ip" != - ] || return 0
  [ "$ip" != "${told:-}" ] || shorten_retry "$ip"
  reply=$(ask "$ip" cluster failover force)
  [ "$ip" = "${told:-}" ] || say "told the replica at $ip, which has $keys keys, to take over: ${reply:-no answer}"
  told=$ip
}
