/** Problems of identity, addresses, quorum and replication: stages two to six of a repair. */
import type { CodeSpec } from './spec.ts';

export const MEMBERSHIP_CODES = {
  'pod-label-changed': {
    severity: 'critical',
    title: 'The label `name` of a pod was changed',
    meaning: 'Its Service leads to another pod. When one of them starts anew, two stand behind one address.',
    cause: 'kubectl label, or a tool that writes labels of pods.',
    repair:
      'kubectl label pod POD name=NAME --overwrite, with the name that its StatefulSet has; then kubectl redis fix.',
    invariants: ['I6', 'I13'],
  },
  'address-shared': {
    severity: 'critical',
    title: 'Two pods stand behind one address',
    meaning: 'Clients and nodes reach the one or the other by chance; keys go to nodes that do not own them.',
    cause: 'Two workloads that number their pods from 0, or a template that gives all of its pods one label name.',
    repair:
      'Give one of the workloads other numbers (spec.ordinals.start), or its pods labels name of their own. Keep the volumes of both: which of them holds what is known when each pod has an address of its own.',
    invariants: ['I3', 'I6'],
  },
  'duplicate-node-id': {
    severity: 'critical',
    title: 'Two pods have one node id',
    meaning: 'Replicas and clients jump between them; writes to one are lost in the other.',
    cause: 'A volume was cloned or restored together with its nodes.conf.',
    repair:
      'Stop the copy at once, and give it an empty volume before it starts again. Keep the one it had until you know that the other pod has all of its keys.',
    invariants: ['I5'],
  },
  'clusters-split': {
    severity: 'critical',
    title: 'The pods belong to different clusters',
    meaning: 'They do not know each other; joining them would delete the data of one side.',
    cause: 'Two clusters under one name, old volumes attached again, or a nodes.conf that was lost.',
    repair: 'Find out which pods hold the data that counts. Do not let them meet.',
    invariants: ['I2', 'I5'],
  },
  'slots-without-node': {
    severity: 'critical',
    title: 'Slots belong to a node that no pod has',
    meaning: 'They are not served. Their data is where that node was: on a lost volume, or with its replicas.',
    cause: 'The primary lost its volume and came back as another node before a replica was promoted.',
    repair:
      'Promote a replica that has the keys (check DBSIZE first): CLUSTER FAILOVER FORCE. Only then CLUSTER FORGET the id.',
    invariants: ['I1', 'I5'],
  },
  'unknown-node': {
    severity: 'warning',
    title: 'A living node that is none of the pods is part of the cluster',
    meaning: 'If it owns slots, a part of the data is with a process that Kubernetes does not know under this name.',
    cause:
      'A pod without the cluster label, a process outside, or a node of another cluster that took over an address.',
    repair:
      'Find it by its address. If it is a stranger without slots: CLUSTER FORGET its id on every node within 60 seconds.',
    invariants: ['I5'],
  },
  'node-not-joined': {
    severity: 'warning',
    title: 'A node is not part of the cluster',
    meaning: 'It is empty and idle: there is less redundancy than was asked for.',
    cause: 'It was created or lost its volume, and nobody has introduced it yet.',
    repair:
      'kubectl redis create NAME joins the nodes of an unfinished cluster; else CLUSTER MEET and CLUSTER REPLICATE.',
    invariants: ['I2', 'I5'],
  },
  handshake: {
    severity: 'info',
    title: 'Nodes are being introduced',
    meaning: 'A handshake ends or vanishes within the node timeout.',
    cause: 'CLUSTER MEET, a moment ago, or to an address where nobody answers.',
    repair: 'Look again in some seconds.',
    invariants: ['I5'],
  },
  'address-unknown': {
    severity: 'warning',
    title: 'Nodes do not know the address of another',
    meaning: 'They send clients to `:0` and cannot reach it; Redis never repairs this by itself.',
    cause: 'Two pods swapped or reused their IPs.',
    repair: 'CLUSTER MEET, on a node that lacks the address, with the address of the node that it lacks.',
    invariants: ['I6'],
  },
  'address-mismatch': {
    severity: 'warning',
    title: 'A node is known at an address that is not its own',
    meaning: 'Peers and clients are sent where it does not live.',
    cause:
      'Its Service was made anew with another ClusterIP, its announce address is wrong, or all pods changed their IPs at once.',
    repair:
      'CONFIG SET cluster-announce-ip on the node for a new Service; CLUSTER MEET at the new addresses for new pod IPs.',
    invariants: ['I6'],
  },
  'announce-lost': {
    severity: 'warning',
    title: 'A node announces another address than that of its Service',
    meaning: 'The others look for it at an address that leads elsewhere, or that goes with its pod.',
    cause: 'CONFIG SET cluster-announce-ip by hand, or by another tool.',
    repair: 'CONFIG SET cluster-announce-ip to the ClusterIP of its own Service.',
    invariants: ['I6'],
  },
  'pod-ip-announced': {
    severity: 'info',
    title: 'Nodes announce pod IPs',
    meaning: 'A restart of all pods at once would not heal by itself: every address would be new.',
    cause: 'cluster-announce-ip is not set to an address that lasts.',
    repair:
      'Give each node a Service of its own and CONFIG SET cluster-announce-ip to its ClusterIP, also in its configuration file.',
    invariants: ['I6'],
  },
  'link-down': {
    severity: 'warning',
    title: 'Nodes that answer have no link to each other',
    meaning: 'A failover may not happen, or happen without need.',
    cause: 'A Service without endpoints or without the bus port, a network policy, or a partition.',
    repair: 'See that the Service of the node leads to its pod with both ports, and that no policy stops the bus port.',
    invariants: ['I7', 'I13'],
  },
  'no-quorum': {
    severity: 'critical',
    title: 'The majority of primaries is down',
    meaning: 'The others stop serving too, and no replica can be elected.',
    cause: 'Too many hosts failed at once, or too many primaries stood on one host.',
    repair:
      'Bring pods back first. Where that cannot be: CLUSTER FAILOVER TAKEOVER on the best replica of each shard, one by one.',
    invariants: ['I1'],
  },
  'replica-orphaned': {
    severity: 'warning',
    title: 'A replica follows a node that is gone',
    meaning: 'It may hold the only copy of its slots; it protects nothing.',
    cause: 'Its primary was forgotten or lost.',
    repair:
      'If nobody else has its data: CLUSTER FAILOVER TAKEOVER on it. Else CLUSTER REPLICATE a living primary, which wipes it.',
    invariants: ['I8'],
  },
  'replica-chain': {
    severity: 'warning',
    title: 'A replica follows a replica',
    meaning: 'It lags behind twice and does not stand for election.',
    cause: 'Two role changes at once.',
    repair: 'CLUSTER REPLICATE the primary at the top.',
    invariants: ['I8'],
  },
  'replica-dials-stale-address': {
    severity: 'warning',
    title: 'A replica dials an address that its primary does not have',
    meaning: 'It gets no data, for ever; the cluster says ok meanwhile.',
    cause: 'Redis learns a new address from gossip without telling its replication.',
    repair: 'CLUSTER REPLICATE the same primary again.',
    invariants: ['I8'],
  },
  'replica-link-down': {
    severity: 'warning',
    title: 'A replica is not connected to its primary',
    meaning: 'What is written now is in one place only; a failover would lose it.',
    cause: 'A connection that waits for repl-timeout, a wrong masterauth, an older version, or full resyncs that fail.',
    repair: 'Wait for repl-timeout; then see the log of the replica.',
    invariants: ['I8'],
  },
  'replica-syncing': {
    severity: 'info',
    title: 'A replica is copying its primary',
    meaning: 'It can take over when it is done.',
    cause: 'It is new or was away for too long.',
    repair: 'Wait.',
    invariants: ['I8'],
  },
  'replica-lags': {
    severity: 'warning',
    title: 'A replica is far behind its primary',
    meaning: 'A failover now would lose what it has not got yet.',
    cause: 'More writes than it or the network can take.',
    repair: 'Look at the load of the host; raise repl-backlog-size if full resyncs follow.',
    invariants: ['I8'],
  },
  'primary-incomplete': {
    severity: 'critical',
    title: 'A primary has fewer keys than a replica of it',
    meaning:
      'The keys are not served, and the replica has the only copy. It is gone when the replica restarts, or copies its primary anew for another reason.',
    cause:
      'It was emptied as a replica (replica-read-only no), and the servers elected it. Or all of them have expired: Valkey 9 with several databases was seen to leave such keys on replicas after slots had moved; then nothing is lost, and they go when the replica leads.',
    repair: 'kubectl redis failover REPLICA --cluster NAME lets the replica lead that has them.',
    invariants: ['I8'],
  },
  'replica-incomplete': {
    severity: 'critical',
    title: 'A replica has fewer keys than its primary, and is not behind',
    meaning:
      'If it took over, the keys that it lacks would not be served. No command hands over to it, and no pod that stops in order; an election of the servers may, and a guard whose primary lost its data.',
    cause: 'Somebody wrote to it (replica-read-only no), or it evicted keys by itself (replica-ignore-maxmemory no).',
    repair:
      'Set what made it so back, also in its configuration. Then kubectl delete pod has it copy its primary anew; without an append-only file it needs an empty volume for that, and check says how. Not CLUSTER RESET: started again before it has joined, it would claim the slots of the keys on its disk, and its primary could drop them.',
    invariants: ['I8'],
  },
  'ghost-node': {
    severity: 'warning',
    title: 'The cluster remembers nodes that are gone',
    meaning: 'Clients may try them; commands that ask all nodes wait for them.',
    cause: 'A node lost its volume and came back with a new id, or was removed without CLUSTER FORGET.',
    repair: 'Where no pod can come back with the id: CLUSTER FORGET it on every node within 60 seconds.',
    invariants: ['I5'],
  },
} as const satisfies Record<string, CodeSpec>;
