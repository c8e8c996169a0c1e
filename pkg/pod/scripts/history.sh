# Sourced by start.sh and probe.sh: of which state of its shard the data on this volume is.
# shellcheck shell=sh disable=SC2034,SC2154 # variables of common.sh, start.sh and probe.sh
#
# A volume that was put back to an older state, from a snapshot or a copy, looks like any other: its server would start, and its replicas would
# copy it and drop what they have more. So the probe notes on each volume how far its node was, by what Redis itself counts with: the
# replication id of a primary (here: history), a new one for each start and each takeover, and the offset in it. No clocks of two hosts
# are compared. Two files:
#   served    by a primary, lines `HISTORY OFFSET`: what it led and how far it was, the latest first. Empty: it led nothing since its volume was
#             empty. A last line `- -`: what was before is not known, because older scripts ran here.
#   followed  by a replica, `ID HISTORY OLD NEW SINCE`: what it had of the primary ID; NEW is its offset at SINCE, and OLD, `-` at first, the
#             one of a minute or more before that. A primary notes its own within 15 s, so one that had less than OLD is older.
# An id lives and ends with its volume, and so with what `served` lists: who got an empty volume, and copied what it leads, has another one.
served=$data_dir/.kubectl-redis.served
followed=$data_dir/.kubectl-redis.followed
# There while the server runs that began on an empty volume.
began_empty=$run_dir/began-empty
# What start.sh wrote into proc-title-template, in two lines: what stands before, and what stands behind the histories.
title_parts=$run_dir/title
# With as many lines nobody knows what was before, either.
served_lines=20

# number_of NAME TEXT: sets value to the number or id behind `NAME:` in an answer to INFO; empty = it is not there.
number_of() {
  case $2 in
    *"$1":*) value=${2#*"$1":} && value=${value%%[!0-9a-f]*} ;;
    *) value= ;;
  esac
}

# note_history ROLE ANSWER, at each readiness probe. ROLE is `master`, `up` or `down`; ANSWER has INFO replication; now is of keep_factor.
note_history() {
  number_of master_replid "$2" && history=$value
  [ ${#history} -eq 40 ] || return 0
  # By the first probe, not by the start: what no probe looks at has nothing that could be missing in its list.
  if [ ! -e "$served" ]; then
    if [ -e "$began_empty" ]; then true; else printf -- '- -\n'; fi >"$served.new" && mv "$served.new" "$served" || return 0
  fi
  case $1 in
    master) note_served "$2" ;;
    up) note_followed "$2" ;;
  esac
}

note_served() {
  number_of master_repl_offset "$1" && offset=$value
  first=
  noted=
  [ ! -s "$served" ] || read -r first _ noted <"$served"
  # (Its third word is for this alone.)
  if [ "$first" = "$history" ] && [ "$now" -ge "${noted:-0}" ] && [ $((now - ${noted:-0})) -lt 10 ]; then return 0; fi
  # (A volume that is full keeps what is there.)
  { printf '%s %s %s\n' "$history" "$offset" "$now" && grep -v "^$history " "$served" | head -n $((served_lines - 1)); } >"$served.new" ||
    return 0
  mv "$served.new" "$served"
  if [ "$first" != "$history" ] || [ -e "$followed" ]; then
    rm -f "$followed"
    tell_histories
  fi
}

note_followed() {
  number_of slave_repl_offset "$1" && offset=$value
  leader=
  before=
  [ ! -s "$followed" ] || read -r leader before _ new since <"$followed"
  if [ "$before" = "$history" ] && [ "$now" -ge "$since" ] && [ $((now - since)) -lt 60 ]; then return 0; fi
  primary_id=$(awk '$3 ~ /myself/ && length($4) == 40 { print $4 }' "$nodes_conf" 2>/dev/null)
  [ -n "$primary_id" ] || return 0
  if [ "$before" != "$history" ] || [ "$leader" != "$primary_id" ]; then new=-; fi
  printf '%s %s %s %s %s\n' "$primary_id" "$history" "$new" "$offset" "$now" >"$followed.new" && mv "$followed.new" "$followed"
  tell_histories
}

# Sets histories, for proc-title-template: ` followed:ID=HISTORY=OLD` and ` served:HISTORY=OFFSET,…`, each where it is known.
find_histories() {
  histories=
  if [ -s "$followed" ] && read -r leader history old _ <"$followed" && [ "$old" != - ]; then
    histories=" followed:$leader=$history=$old"
  fi
  [ ! -e "$served" ] ||
    histories="$histories served:$(awk '{ printf "%s%s=%s", (NR > 1 ? "," : ""), $1, $2 }' "$served")"
}

# (Not where people chose a text of their own, maybe since the start.)
tell_histories() {
  [ -s "$title_parts" ] && ! grep -q '^proc-title-template ' "$config_dir/redis.conf" || return 0
  { read -r before && read -r behind; } <"$title_parts" || return 0
  find_histories
  ask "$host" config set proc-title-template "$before$histories${behind:+ $behind}" >/dev/null
}

# ------------------------------------------------------------------------------------------------ what others say of it
# For awk: sets at[history] of a text `HISTORY=OFFSET,…`, and says whether one who had so much of a history had more than that.
# shellcheck disable=SC2016 # the dollars are for awk
served_list='
  function learn(text, i, n, part, pair) {
    n = split(text, part, ",")
    for (i = 1; i <= n; i++) { split(part[i], pair, "="); if (pair[1] == "-") unknown = 1; else served_to[pair[1]] = pair[2] }
    if (n >= '"$served_lines"') unknown = 1
  }
  function had_more(history, offset) { return (history in served_to) ? served_to[history] + 0 < offset + 0 : !unknown }'

# Lines `KEY ADDRESS WAITED` of who may have followed this node: by its nodes.conf, where it is waited for if it had not failed, and by the shard
# in the table.
followers_of_old() {
  choose_table
  awk -v me="$node" -v at_me="$address" '
    FILENAME ~ /\/nodes$/ { if ($1 == me) shard = $4; else if (NF > 3 && $3 != "-") { key[$3] = $1; shard_of[$3] = $4 }; next }
    $3 ~ /myself/ { self = $1 }
    length($1) == 40 { ip = $2; sub(/@.*/, "", ip); sub(/:[0-9]*$/, "", ip); of[ip] = $4; failed[ip] = $3 ~ /(^|,)fail(,|$)/ || $3 ~ /noaddr/ }
    END {
      for (ip in of) if (of[ip] == self && ip != "" && ip != at_me) { print "f" ++count, ip, failed[ip] ? "no" : "yes"; listed[ip] = 1 }
      for (ip in key) if (shard_of[ip] == shard && !(ip in listed) && ip != at_me) print key[ip], ip, "no"
    }' "$node_table" "$nodes_conf"
}

# Sets later: the address of a replica of this node that had more than this volume says (`-` = none; one that was found, and is silent now,
# stays it); and awaited: one that is silent.
look_at_followers() {
  followers_of_old >"$run_dir/kin-list"
  ask_each "$run_dir/kin" "INFO replication
CONFIG GET proc-title-template" <"$run_dir/kin-list"
  read -r later awaited <<END
$(judge_followers)
END
}

# One that leads by now does not count: then this node becomes its replica, and copies.
judge_followers() {
  awk -v self="$my_id" -v found="${later:--}" '
    '"$served_list"'
    { sub(/\r$/, "") }
    FILENAME ~ /\.served$/ { text = text (text == "" ? "" : ",") $1 "=" $2; next }
    FILENAME ~ /\/kin-list$/ { ip_of[$1] = $2; waited[$1] = $3 == "yes"; next }
    FNR == 1 { key = FILENAME; sub(/.*\//, "", key) }
    /^role:/ { answers[key] = 1; slave[key] = $0 == "role:slave" }
    / followed:/ { sub(/.* followed:/, ""); sub(/ .*/, ""); says[key] = $0 }
    END {
      learn(text)
      later = awaited = "-"
      for (key in ip_of) {
        if (!(key in answers)) {
          if (waited[key]) awaited = ip_of[key]
          if (ip_of[key] == found) later = found
          continue
        }
        split(says[key], word, "=")
        if (slave[key] && word[1] == self && had_more(word[2], word[3])) later = ip_of[key]
      }
      print later, awaited
    }' "$served" "$run_dir/kin-list" "$run_dir"/kin/*
}

# Whether nobody had more than this volume of what its node led. Sets reason. A replica that is silent may be down for good, so it is waited for
# 10 s only: when it comes, its own guard asks this node (follows_older).
is_of_this_time() {
  [ ! -e "$start_old" ] || return 0
  look_at_followers
  passed=$(($(date +%s) - guard_began))
  if [ "$later" = - ]; then
    reason="for its replica at $awaited to answer, which may have more than this volume"
    [ "$awaited" = - ] || [ "$passed" -lt 0 ] || [ "$passed" -ge 10 ]
    return
  fi
  find_data_time "$(old_kind)" || return 0
  # (This node may have gone on while its probe did not run, or have taken writes since its volume was put back: so who is told is decided by
  # the times of data.)
  old_time=$data_time
  reason="for a replica to take over: this volume is of an older time, and the replica at $later had more of what this node served"
  look_at_peers
  if [ "$here" = alive ]; then
    explain_alive
    return 1
  fi
  # (Before, nobody can be known to be alive.)
  if [ "$passed" -gt 3 ] && [ "$holder" = "$my_id" ] && [ "$holder_followers" = yes ]; then tell_best_replica; fi
  reason="$reason$(how_to_start_old)"
  return 1
}

# Whether the primary that this replica would copy has less than this replica had of it. Sets reason.
follows_older() {
  [ ! -e "$start_old" ] || return 1
  read -r leader history old _ <"$followed" || return 1
  at=$(awk -v id="$leader" '
    $3 ~ /myself/ { follows = $4 == id }
    $1 == id { at = $2; sub(/@.*/, "", at); sub(/:[0-9]*$/, "", at) }
    END { if (follows) print at }' "$nodes_conf")
  [ "$old" != - ] && [ -n "$at" ] || return 1
  reason="because the primary of this replica, at $at, started with an older state of its volume, and this replica would copy it and drop what it has more: to have the choice, delete the pod of its primary, and see what kubectl redis fix ${KUBECTL_REDIS_CLUSTER:-NAME} says; to copy it all the same: $in_this_pod touch $start_old"
  [ "$(ask "$at" cluster myid)" = "$leader" ] || return 1
  echo "- $at" | ask_each "$run_dir/kin" "INFO replication
CONFIG GET proc-title-template"
  [ "$(awk -v history="$history" -v old="$old" '
    '"$served_list"'
    { sub(/\r$/, "") }
    /^role:/ { leads = $0 == "role:master" }
    /^master_replid:/ { live = substr($0, 15) }
    / served:/ { sub(/.* served:/, ""); sub(/ .*/, ""); text = $0; told = 1 }
    END { learn(text); print leads && told && live != history && had_more(history, old) ? "yes" : "no" }' "$run_dir"/kin/*)" = yes ]
}

# Before a server starts whose nodes.conf and data are whole.
settle_history() {
  if was_primary; then
    later=-
    [ ! -e "$served" ] || [ -n "$replaced" ] || until is_of_this_time; do waiting "$reason"; done
    old_time=
  elif [ -s "$followed" ]; then
    while follows_older; do waiting "$reason"; done
  fi
}
