# Sourced by start.sh: whether it is safe to start with what is on the volume. The other nodes are the record.
# shellcheck shell=sh disable=SC2154 # variables of common.sh and start.sh
#
#   1 nodes.conf and data whole, and at home here: start, but for 7 and 8 without asking anybody; with a dump that would be ignored: wait for a person
#   2 no data: wait while a peer shows X, the node at my address, as owner of slots or followed by somebody. If X has replicas,
#     the best one is told to take over: a volume without data is the best witness that X cannot return.
#   3 no formed peer answers: start only if the cluster was never formed. No wait ends in a start by time, but that of 8.
#   4 started without data and identity: rejoin.sh brings the node back into its shard
#   5 nodes.conf of another cluster or of a node that runs elsewhere: wait. Broken: its last good copy, else as 2
#   6 no persistence on purpose: as 2, but without replicas there is nothing to protect
#   7 data that is older than what was served, because no append-only file was kept: a replica that has more takes over first
#   8 a volume that was put back to an older state (history.sh): of a primary, as 7; the replica of one does not start to copy it

# Reads the answers and sets: asked and answered (of those whom the table or the environment names; one that only a list on the volume names
# may be gone for good), formed_peers (that know others and an owner of slots; who is only on such a list counts where it knows this node:
# it may be of another cluster) and knowing_peers (those of them that know an owner of every slot: who joined while an owner was silent never
# heard what that owns), named (id of a node
# at my address), holder (one there, or at an address of nobody, that owns slots or is followed: without any, or at one that the table does
# not have, as where it announced its pod; who answers us, or has been heard since this guard began, is not it), here (yes: at my address; alive: and others hear it there),
# holder_slots and holder_followers (yes or no; one that counts as failed everywhere and does not answer follows nobody who owns nothing: when it
# comes back it is told), holder_heard (when anybody heard it last, by our own clock; - = not known), may_live (yes: a node at my address on which
# nobody counts has not failed everywhere). The file followers gets lines `ID ADDRESS VOTERS NEEDED` of who follows the holder; voters
# are primaries that hear it and whom it hears: a link counts once a pong came over it since the process has started, because one
# that is still being opened, to an address whose pod has gone, is shown as connected.
judge_peers() {
  read_hearing
  awk -v me="$address" -v self="$my_id" -v began="$guard_began" -v asked_at="$peers_asked_at" -v lately="$lately" "$node_heard"'
    FILENAME ~ /\/peer-list$/ { if ($1 !~ /^old-/) { asked++; listed[$2] = 1 } next }
    FNR == 1 { now = $1 + 0 }
    /^uptime_in_seconds:/ { sub(/.*:/, ""); start[FILENAME] = now - $0 }
    /^answered_at:/ { sub(/.*:/, ""); answered_at[FILENAME] = $0 + 0 }
    '"$node_line"'
    {
      if ($3 ~ /myself/) file_of[$1] = FILENAME
      if (owns) { owner[FILENAME] = 1; slots[$1] = 1 }
      if (owns && $3 ~ /myself/) voter[FILENAME] = $1
      if ($4 != "-") follows[$1 " " $4] = 1
      if (at == me || $1 == self) knows_me[FILENAME] = 1
      if (at == me) mine[$1] = 1
      # (With a Service that was made anew the identity of this volume is known at the address before.)
      else if ($1 == self || at == "" || (!(at in listed) && FILENAME !~ /\/old-[0-9a-f]*$/)) lost[$1] = 1
      if (at != "") where[$1] = at
      if (is_sign($6, start[FILENAME])) age[FILENAME, $1] = now - $6 / 1000
      if ($8 == "connected" && !fails && is_sign($6, start[FILENAME])) hears[FILENAME, $1] = 1
    }
    function counts(id) { return (id in slots) || (id in followed) }
    END {
      for (file in known) if (file !~ /\/old-[0-9a-f]*$/) answered++
      for (file in owner)
        if (known[file] > 1 && (file !~ /\/old-[0-9a-f]*$/ || (file in knows_me))) { formed++; if (covered[file] == 16384) knowing++ }
      for (pair in follows) {
        split(pair, two, " ")
        if ((two[1] in lives) || (two[1] in file_of) || !knowing || (two[2] in slots)) followed[two[2]] = 1
      }
      for (seen in age) {
        split(seen, two, SUBSEP)
        if (is_since_began(age[seen])) heard_since[two[2]] = 1
        if (is_lately(age[seen])) heard_lately[two[2]] = 1
      }
      for (id in lost) if (counts(id) && !(id in file_of) && !(id in heard_since)) { holder = id; here = "no" }
      # (Where several Services were made anew.)
      if ((self in lost) && counts(self) && !(self in file_of) && !(self in heard_since)) { holder = self; here = "no" }
      for (id in mine) if (named == "" || counts(id)) named = id
      for (id in mine) if (counts(id)) { holder = id; here = (id in heard_lately) ? "alive" : "yes" }
      # A replica that nobody needs may still live there: behind another label, or in the pod before.
      if (holder == "") for (id in mine) if ((id in heard_lately) && (id in lives)) { holder = id; here = "alive" }
      if (holder == "") for (id in mine) if (id != self && (id in lives)) may_live = "yes"
      for (seen in age) {
        split(seen, two, SUBSEP)
        if (two[2] == holder && answered_at[two[1]] - age[seen] > heard) heard = answered_at[two[1]] - age[seen]
      }
      print asked + 0, answered + 0, formed + 0, knowing + 0, named == "" ? "-" : named, holder == "" ? "-" : holder, here == "" ? "no" : here,
        (holder in slots) ? "yes" : "no", (holder in followed) ? "yes" : "no", heard ? int(heard + 0.5) : "-", may_live == "" ? "no" : may_live
      for (id in slots) size++
      for (pair in follows) {
        split(pair, two, " ")
        if (two[2] != holder || !(two[1] in where)) continue
        voters = 0
        for (file in voter)
          if (voter[file] != holder && ((file, two[1]) in hears) && ((file_of[two[1]], voter[file]) in hears)) voters++
        print two[1], where[two[1]], voters, int(size / 2) + 1
      }
    }' "$run_dir/peer-list" "$run_dir"/peers/* >"$run_dir/verdict"
  read -r asked answered formed_peers knowing_peers named holder here holder_slots holder_followers holder_heard may_live <"$run_dir/verdict"
  sed 1d "$run_dir/verdict" >"$run_dir/followers"
}

# --------------------------------------------------------------------------------------------- 2, 3 and 6 without data
look_at_peers() {
  formed_peers=0
  strangers=0
  all_peers >"$run_dir/peer-list"
  peers_asked_at=$(date +%s)
  ask_each "$run_dir/peers" "TIME
INFO server
CLUSTER NODES" <"$run_dir/peer-list"
  leave_out_strangers "$run_dir/peers" "$run_dir/peer-list" "$my_id"
  judge_peers
}

explain_alive() { reason="because node $holder runs at $address: other nodes hear it there. This is a copy of its cluster, or the pod before still runs"; }

# One peer that knows an owner of every slot knows everybody; and where all answered, nobody is left who could follow this node. Where
# nobody is known, nobody was asked.
everybody_is_known() { [ "$knowing_peers" -gt 0 ] || { [ "$asked" -gt 0 ] && [ "$answered" -ge "$asked" ]; }; }

# Whether somebody of the table runs what a server of this image does not read (is_of_other_product). Sets other and number.
meets_other_product() {
  awk '
    FILENAME ~ /\/old-[0-9a-f]*$/ { next }
    /^redis_version:/ { sub(/.*:/, ""); split($0, part, "."); number[FILENAME] = part[1] * 100 + part[2] }
    /^(valkey_version|server_name:valkey)/ { valkey[FILENAME] = 1 }
    END { for (file in number) print (file in valkey) ? "valkey" : "redis", number[file] }' "$run_dir"/peers/* |
    sort -u >"$run_dir/products"
  while read -r other number; do
    ! is_unread "$other" "$number" || return 0
  done <"$run_dir/products"
  return 1
}

# Whether this guard has run for long enough that a node that lives has been heard. (A clock that was set back would make it wait for ever.)
has_listened() {
  read_hearing
  passed=$(($(date +%s) - guard_began))
  [ "$passed" -lt 0 ] || [ "$passed" -gt "$listens" ]
}

# Whether it is safe to start without data. Sets reason when it is not.
safe_without_data() {
  why="nobody counts on it"
  look_at_peers
  [ "$named" = - ] || predecessor=$named
  if [ "$holder" != - ]; then
    # No persistence on purpose, nobody who could hold a copy, and the identity is here: there is nothing to protect.
    if [ "$appendonly" = no ] && [ "$snapshots" = no ] && [ "$holder_followers" = no ] && [ "$conf" = whole ]; then
      return 0
    fi
    reason="for the cluster to let go of node $holder at $address: this volume has no $missing, and other nodes still show it"
    [ "$holder_slots" = no ] || reason="$reason as owner of slots"
    [ "$holder_followers" = no ] || reason="$reason with replicas"
    # With data here, a replica that is behind must not win.
    if [ "$here" = alive ]; then
      explain_alive
      return 1
    fi
    [ "$here" = no ] || [ "$holder_followers" = no ] || [ "$missing" != data ] || tell_best_replica
    if may_be_that_node; then
      [ ! -e "$be_that_node" ] || ! write_identity || return 0
      reason="$reason$(how_to_be_that_node)"
    fi
    return 1
  fi
  # The others would be told to forget it. Whom they hear is known after some seconds.
  if [ "$may_live" = yes ] && ! has_listened; then
    reason="to see whether node $named still runs at $address"
    return 1
  fi
  doubt="the cluster was formed"
  # Only behind the peers' word: the mark may reach a pod a minute after it was made (the ConfigMap is a volume).
  if [ "$formed_peers" -eq 0 ] && [ "$strangers" -eq 0 ] && never_formed; then
    why="the cluster was never formed"
    return 0
  fi
  if everybody_is_known; then
    meets_other_product || return 0
    reason="because other nodes run $other, whose data this $product can't read: this volume has no $missing$(emptiness), and would be filled from theirs; give all of them one image"
    return 1
  fi
  reason="for a node of the cluster to answer"
  [ "$formed_peers" -eq 0 ] || reason="for a node that knows an owner of every slot, or for all nodes, to answer"
  reason="$reason: this volume has no $missing$(emptiness), $doubt, and $answered of $asked other nodes answer"
  [ "$strangers" -eq 0 ] || reason="$reason, $strangers besides as nodes of another cluster"
  [ "$answered" -gt 0 ] || [ "$strangers" -gt 0 ] || if [ "$missing" = data ]; then
    reason="$reason; if every volume is lost, so is all data"
  else
    reason="$reason; if no node has its nodes.conf any more, load the keys of each volume into a server of its own and bring them into a new cluster with redis-cli --cluster import"
  fi
  return 1
}

# ----------------------------------------------------------------------------------------------- 7 data that is old
# Whether no replica may have more than this volume. Tells the best of those that have. Sets reason when one may.
nobody_has_more() {
  holder=
  [ ! -e "$start_old" ] || return 0
  look_at_peers
  why=${old_why:-the server that ran last kept no append-only file, so it had more in memory than what is on this volume}
  reason="for a node of the cluster to answer: $why$(how_to_start_old)"
  if [ "$holder" = - ]; then
    everybody_is_known
    return
  fi
  # (With a Service that was made anew it is known at the address before.)
  if [ "$here" = no ] && [ "$holder" != "$my_id" ]; then
    everybody_is_known
    return
  fi
  if [ "$holder_followers" = no ]; then
    everybody_is_known
    return
  fi
  reason="for a replica to take over: $why"
  if [ "$here" = alive ]; then
    explain_alive
    return 1
  fi
  # (Before, nobody can be known to be alive.)
  [ $(($(date +%s) - guard_began)) -gt 3 ] || return 1
  tell_best_replica
  reason="$reason$(how_to_start_old)"
  if [ "$replicas_answer" -lt "$replicas_all" ] || [ "$best" != - ] || [ "$led" = yes ] || [ "$unclear" = yes ]; then
    without_more=0
    return 1
  fi
  # What somebody put back has the time of that: then only what is later says something, and a replica with keys may have more.
  if [ -n "$old_why" ] && [ "$holding" -gt 0 ]; then
    without_more=0
    return 1
  fi
  # One look may have come at a bad moment.
  without_more=$((without_more + 1))
  [ "$without_more" -ge 3 ]
}

how_to_start_old() { printf '; to start with what is here: %s touch %s' "$in_this_pod" "$start_old"; }

# A restarted server does not know that its data is old, and the probe of a replica would take it for what the stamp was written for.
give_way() {
  is_old || [ -e "$be_that_node" ] || return 0
  find_data_time "$(old_kind)" || return 0
  [ ! -e "$be_that_node" ] || old_why="its nodes.conf was gone, and nothing says of which time its data is"
  read_stamp
  rm -f "$link_stamp"
  was_followed || return 0
  let_who_has_more_lead
  old_why=
  [ "$holder" != - ] || replaced=yes
}

# Of data_time is what this volume has. Then holder is - where another node leads.
let_who_has_more_lead() {
  old_time=$data_time
  without_more=0
  until nobody_has_more; do waiting "$reason"; done
  old_time=
  gave_way=yes
}

# A dump that a person has loaded in place of an append-only file that is gone is of an earlier time than what replicas have.
give_way_with_dump() {
  [ -z "$gave_way" ] && find_data_time rdb && was_followed || return 0
  old_why="the append-only file of this volume is gone, and its dump.rdb is of an earlier time"
  let_who_has_more_lead
  old_why=
  # Another one leads: this node will copy it, and the dump stays as it is.
  [ "$holder" = - ] || return 0
  unused=$dump.unused-$(date +%s)
  mv "$dump" "$unused" && rm -f "$load_dump"
  say "a replica had more than dump.rdb, and leads: the dump is kept as $unused"
}

# What is left of an identity that is gone would keep the new one from joining. Nothing is deleted that may be data.
set_aside() {
  [ ! -e "$aside" ] || mv "$aside" "$aside.$(date +%s)"
  mkdir "$aside"
  for name in nodes.conf "${last_good##*/}" nodes.conf.last-good appendonlydir appendonly.aof dump.rdb; do
    [ ! -e "$data_dir/$name" ] || mv "$data_dir/$name" "$aside/"
  done
  say "set aside what was on the volume without a usable nodes.conf: $aside"
}

# ----------------------------------------------------------------------------------------------- 5 nodes.conf not ours
# A nodes.conf that names another address for this node comes from another cluster or another node, or the Service was made
# anew. The nodes that it names, and those that the ConfigMap names, know which.
at_home() {
  { peers && awk 'length($1) == 40 && $3 !~ /myself/ { sub(/:[0-9]+(@.*)?$/, "", $2); if ($2 != "") print "old-" $1, $2 }
    $3 ~ /myself/ { sub(/:[0-9]+(@.*)?$/, "", $2); print "old-" $1, $2 }' "$nodes_conf"; } >"$run_dir/peer-list"
  ask_each "$run_dir/peers" "CLUSTER NODES" <"$run_dir/peer-list"
  verdict=$(awk -v id="$my_id" -v me="$address" '
    FILENAME ~ /nodes.conf$/ { if (length($1) == 40) ours[$1] = 1; next }
    '"$node_line"'
    {
      table = FILENAME !~ /\/old-[0-9a-f]*$/
      if ($1 == id && at != me && at != "" && $8 == "connected" && !fails) elsewhere = at
      if ($1 in ours) { if (table) related++; else outside[FILENAME] = 1 }
      if (table && $3 ~ /myself/) heard[at] = 1
      if ($3 ~ /myself/) self[FILENAME] = at
    }
    END {
      for (file in known) if (file !~ /\/old-/ && known[file] > 1) formed++
      for (file in outside) if (!(self[file] in heard)) other++
      if (elsewhere != "") print "runs", elsewhere
      else if (formed && !related) print "foreign", formed
      else if (other && !related) print "outside", other
      else print "home", 0
    }' "$nodes_conf" "$run_dir"/peers/*)
  case $verdict in
    home*)
      # While its owner is down or still loads, nobody can say that it runs elsewhere. (Addresses of Services that were made anew are not in
      # the table any more.)
      choose_table
      owner=$(awk -v at="$my_address" -v me="$node" '$3 == at && $1 != me { print $1; exit }' "$node_table")
      [ -n "$owner" ] || return 0
      reason="because this volume is that of node $owner of the cluster, by the address in its nodes.conf: claims were swapped, or one was copied; give each node its own volume"
      ;;
    runs*) reason="because the node of this volume, $my_id, runs at ${verdict#* }: this is a copy of its volume" ;;
    *) reason="because this volume belongs to another cluster: nobody here knows the nodes in its nodes.conf; give this pod its own volume" ;;
  esac
  return 1
}

# ------------------------------------------------------------------------------------------------------------ together
guard() {
  old_time=
  old_why=
  gave_way=
  stamped=
  replaced=
  rm -f "$began_empty"
  ! volume_is_empty || true >"$began_empty"
  guard_began=$(date +%s)
  printf '%s\n' "$guard_began" >"$run_dir/guard-began"
  missing=data
  set_torn_log_aside
  read_nodes_conf "$nodes_conf"
  found=$conf
  for copy in "$last_good" "$older_last_good"; do
    [ "$conf" != whole ] || break
    read_nodes_conf "$copy"
    [ "$conf" = whole ] || continue
    [ ! -e "$nodes_conf" ] || mv "$nodes_conf" "$data_dir/nodes.conf.broken"
    cp "$copy" "$nodes_conf"
    say "nodes.conf is $found: using its last good copy"
  done
  [ "$conf" = whole ] || [ "$found" != broken ] || conf=broken
  if [ "$conf" = whole ]; then
    if [ "$my_address" != - ] && [ "$my_address" != "$address" ]; then
      until at_home; do waiting "$reason"; done
    fi
    while is_newer_than_server; do
      waiting "because the data on this volume is of a server from 7.0 on, and this image has an older one, which would start without its keys: go back to the image before"
    done
    while is_of_other_product; do
      waiting "because the server that ran on this volume was $other, whose data this $product can't read: go back to the image before; or, for a replica whose data others have, give it an empty volume"
    done
    give_way
    settle_history
    take_newer
    ! has_data || return 0
  elif has_data; then
    missing="usable nodes.conf"
  fi
  settle_dump
  [ "$conf" != whole ] || ! has_data || return 0
  until safe_without_data; do
    waiting "$reason"
  done
  # With an identity again it is looked at like any other volume.
  if [ "$missing" != data ] && [ -e "$be_that_node" ] && [ "$conf" != whole ]; then
    read_nodes_conf "$nodes_conf"
    [ "$conf" != whole ] || { guard && return 0; }
  fi
  if [ "$missing" = data ]; then how=empty; else how="as a new node"; fi
  say "no $missing on this volume, and $why: starting $how"
  rm -f "$link_stamp"
  [ "$conf" != whole ] || return 0
  if [ "$missing" != data ] && [ "$formed_peers" -gt 0 ] || [ "$conf" = broken ]; then set_aside; fi
  [ "$formed_peers" -eq 0 ] || printf '%s\n' "${predecessor:--}" >"$joining"
}
