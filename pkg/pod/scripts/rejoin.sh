#!/bin/sh
# rejoin.sh SERVER-PID ADDRESS: brings a node that started without data back into its shard: FORGET its predecessor on all,
# MEET, REPLICATE. Runs beside the server and ends with it. Each round looks anew and does the next step that is missing, so
# it may be killed and started again at any point; the file `joining` on the volume stays until it is done.
set -u
# shellcheck source=pkg/pod/scripts/common.sh
. "${KUBECTL_REDIS_CONFIG_DIR:-/etc/redis}/common.sh"
server_pid=$1
address=$2
views=$run_dir/views

say() { printf 'guard: %s\n' "$*"; }

# Sets known (nodes, itself included), owns, role, link, keys and id of this node; fails while it does not answer.
look_at_myself() {
  look=$(printf 'CLUSTER MYID\nINFO replication\nINFO keyspace\nCLUSTER NODES\n' |
    bounded 2 "$cli" -h "$host" -p "$port" 2>/dev/null | tr -d '\r' | awk '
      /^role:/ { role = substr($0, 6) }
      /^master_link_status:/ { link = substr($0, 20) }
      /^db[0-9]+:keys=/ { split($0, part, /[=,]/); keys += part[2] }
      '"$node_line"'
      $3 ~ /myself/ { id = $1; mine = owns }
      END { for (file in known) all += known[file]; print all + 0, mine + 0, role, link == "" ? "-" : link, keys + 0, id }')
  read -r known owns role link keys id <<END
$look
END
  [ "$known" -gt 0 ]
}

# Asks all, this node too, and sets from the views of those that are in a cluster: primary and primary_address (who has the
# slots of this node's shard; `none` or `several`), linked (whether this node has a link to it), met (whether an owner of slots
# knows this node: gossip then tells the others) and agreed (whether nobody counts on a predecessor any more, and nobody has heard it since the
# guard of this start began: such a one lives, behind a label that was changed, and may have the only copy). The file ghosts gets lines `ID ADDRESS`: a predecessor, and who still knows it.
look_at_cluster() {
  true >"$run_dir/ghosts.new"
  { peers && echo "$node $host"; } >"$run_dir/view-list"
  began=$(date +%s)
  [ ! -s "$run_dir/guard-began" ] || read -r began <"$run_dir/guard-began"
  views_asked_at=$(date +%s)
  ask_each "$views" "TIME
INFO server
CLUSTER NODES" <"$run_dir/view-list"
  leave_out_strangers "$views" "$run_dir/view-list" "$id" "$node"
  [ ! -e "$joining" ] || read -r old_id <"$joining" || :
  read_hearing
  awk -v n="$node" -v me="$address" -v self="$id" -v old="${old_id:--}" -v own="$host" -v file="$run_dir/ghosts.new" \
    -v began="$began" -v asked_at="$views_asked_at" -v lately="$lately" "$node_heard"'
    FILENAME ~ /\/nodes$/ { at_key[$1] = $3; shard_at[$3] = $4; if ($1 == n) shard = $4; next }
    FNR == 1 { now = $1 + 0 }
    /^uptime_in_seconds:/ { sub(/.*:/, ""); start[FILENAME] = now - $0 }
    '"$node_line"'
    {
      line[++lines] = FILENAME
      id_of[lines] = $1; address_of[lines] = at; primary_of[lines] = $4; has_slots[lines] = owns
      failed[lines] = fails || $3 ~ /noaddr/
      if (is_sign($6, start[FILENAME]) && is_lately(now - $6 / 1000)) heard_lately[$1] = 1
      if ($3 ~ /myself/ && owns) owners_view[FILENAME] = 1
      if ($1 == self) knows_self[FILENAME] = 1
      if (FILENAME ~ "/" n "$" && $8 == "connected" && !failed[lines]) linked[$1] = 1
    }
    END {
      for (view in covered) if (covered[view] == 16384) knowing = 1
      for (i = 1; i <= lines; i++) {
        if (known[line[i]] < 2) continue
        id = id_of[i]
        if (has_slots[i] && !failed[i]) owner[id] = address_of[i]
        if (has_slots[i]) counted[id] = 1
        # As for the guard: who has failed everywhere follows nobody who owns nothing.
        if (primary_of[i] != "-" && ((id in lives) || !knowing)) counted[primary_of[i]] = 1
        # (Whom others hear at another address was never here: its label was another one for a while.)
        if (id != self && (address_of[i] == me || (id == old && !((id in heard_lately) && (id in lives))))) {
          ghost[id] = 1
          key = line[i]; sub(/.*\//, "", key)
          print id, (key == n ? own : at_key[key]) > file
          if (primary_of[i] != "-") fallback = primary_of[i]
        } else if (shard_at[address_of[i]] == shard && address_of[i] != me) {
          found[has_slots[i] ? id : primary_of[i]] = 1
        }
      }
      for (id in found) if (id in owner) { count++; primary = id }
      if (!count && (fallback in owner)) { count = 1; primary = fallback }
      met = "no"
      for (view in knows_self) if (view in owners_view) met = "yes"
      agreed = "yes"
      for (id in ghost) if ((id in counted) || ((id in heard_lately) && (id in lives))) agreed = "no"
      if (count == 1) print primary, owner[primary], (primary in linked) ? "yes" : "no", met, agreed, shard
      else print count ? "several" : "none", "-", "no", met, agreed, shard
    }' "$node_table" "$views"/* >"$run_dir/place"
  read -r primary primary_address linked met agreed shard <"$run_dir/place"
  mv "$run_dir/ghosts.new" "$run_dir/ghosts"
}

forget_predecessors() {
  [ -s "$run_dir/ghosts" ] || return 0
  while read -r ghost ip; do
    ask "$ip" cluster forget "$ghost" >/dev/null &
  done <"$run_dir/ghosts"
  wait
  say "told $(grep -c . "$run_dir/ghosts") nodes to forget $(cut -d ' ' -f 1 "$run_dir/ghosts" | sort -u | tr '\n' ' ')which this node replaces"
}

# One round. Succeeds when there is nothing left to do; else sets reason.
join_again() {
  reason="for its server to answer"
  look_at_myself || return 1
  look_at_cluster
  if [ "$agreed" = no ]; then
    reason="for all nodes to see that the node which this one replaces has gone"
    return 1
  fi
  # Before MEET, so that nobody meets two nodes at one address; within 60 s everywhere, or gossip brings them back.
  forget_predecessors
  if [ "$owns" = 1 ]; then
    say "this node has been given slots"
    return 0
  elif [ "$role" = slave ]; then
    reason="for its first synchronisation with its primary"
    [ "$link" = up ] || return 1
    [ ! -s "$run_dir/ghosts" ] || return 1
    # Who was met may have found nobody at this node's address yet, and let go of it: then this node knows all, and nobody knows it.
    if [ "$met" = no ]; then
      reason="for the others to know it"
      meet_primary
      return 1
    fi
    say "serving again, as a replica"
    return 0
  fi
  case $primary in
    none) reason="alone: no primary of shard ${shard:-?} is in the cluster that it could follow" && return 1 ;;
    several) reason="for the nodes to agree who is primary of shard $shard" && return 1 ;;
  esac
  reason="to join its cluster again as a replica of $primary at $primary_address"
  if [ "$keys" -gt 0 ]; then
    reason="$reason: it has $keys keys of its own, and will not drop them"
  elif [ "$linked" = yes ]; then
    ask "$host" cluster replicate "$primary" >/dev/null
  else
    meet_primary
  fi
  return 1
}

# By the address that is to be met we see who is there.
meet_primary() {
  [ "$(ask "$primary_address" cluster myid)" = "$primary" ] || return 0
  ask "$host" cluster meet "$primary_address" "$port" >/dev/null
}

# A node that could not be asked, or gossip that was on its way, may bring a predecessor back. So all are looked at for as long
# as those who were told do not take it back from gossip, and who knows it again is told again. A handshake that found nobody at
# this node's address ends within the same time.
keep_forgotten() {
  watched=0
  while [ "$watched" -lt 20 ] && sleep 3 && kill -0 "$server_pid" 2>/dev/null; do
    watched=$((watched + 1))
    look_at_myself || continue
    look_at_cluster
    [ "$agreed" = no ] || forget_predecessors
    [ "$met" = yes ] || meet_primary
  done
}

said=
rounds=0
# (`kill -0` is true for a server that is still there.)
while kill -0 "$server_pid" 2>/dev/null; do
  printf '%s\n' "$$" >"$rejoin_pulse"
  if join_again; then
    rm -f "$joining" "$run_dir/join-waiting"
    keep_forgotten
    exit 0
  fi
  printf '%s\n' "$reason" >"$run_dir/join-waiting"
  # What the next round settles is not worth a line.
  if [ "$rounds" -gt 0 ] && [ "$reason" != "$said" ]; then
    say "waiting $reason"
    said=$reason
  fi
  rounds=$((rounds + 1))
  # Half a second at first, then less often: 5 s after half a minute.
  if [ "$rounds" -lt 60 ]; then sleep 0.5; else sleep 5; fi
done
