/** Problems of pods, hosts, Services and operations: the first stage of a repair. */
import type { CodeSpec } from './spec.ts';

export const KUBERNETES_CODES = {
  'cluster-down': {
    severity: 'critical',
    title: 'No node of the cluster runs',
    meaning: 'No data is served. What is on the volumes is still there.',
    cause: 'All pods are gone, waiting, crashing or loading at once.',
    repair:
      'Bring the pods back with their volumes; kubectl get pods and kubectl describe pod say why they do not run.',
    invariants: [],
  },
  stopped: {
    severity: 'warning',
    title: 'The cluster was stopped on purpose',
    meaning: 'No data is served. What is on the volumes is still there.',
    cause: 'Its StatefulSets were scaled to zero, or removed by kubectl redis delete, which keeps the volumes.',
    repair: 'kubectl redis create NAME starts it again with the keys on its volumes.',
    invariants: [],
  },
  'cannot-ask': {
    severity: 'warning',
    title: 'No node could be asked',
    meaning: 'Whether data is served is not known: the way to the pods is broken, not necessarily the pods.',
    cause:
      'A broken tunnel through the API server, a missing right to port-forward, a network policy, a wrong password.',
    repair: 'Try kubectl port-forward to a pod by hand; it needs the rights get and create on pods/portforward.',
    invariants: [],
  },
  'not-formed': {
    severity: 'warning',
    title: 'The pods were never joined to a cluster',
    meaning: 'No slot is assigned and no key can be stored yet.',
    cause: 'create was interrupted, or its YAML was applied by hand and waits to be joined.',
    repair: 'kubectl redis create NAME finishes the job.',
    invariants: ['I1'],
  },
  'primary-down': {
    severity: 'critical',
    title: 'A primary is down and nobody has taken its slots over',
    meaning: 'Reads and writes of its slots fail until it returns or a replica is promoted.',
    cause: 'Its pod or host died; its replicas are down too, there are none, or the failover is only just under way.',
    repair:
      'Let a replica with its data take over, or bring the pod back with its volume. Never assign its slots to others.',
    invariants: ['I1'],
  },
  'host-not-ready': {
    severity: 'warning',
    title: 'Pods stand on a host that is not ready',
    meaning:
      'They do not serve, and a StatefulSet does not replace them while Kubernetes cannot be sure that they are dead.',
    cause: 'The host crashed or lost its network.',
    repair:
      'Bring the host back. If it is off for certain: kubectl delete pod --force, so that the pod starts elsewhere.',
    invariants: ['I5'],
  },
  'pod-beyond': {
    severity: 'warning',
    title: 'A pod is none of the nodes of its cluster',
    meaning: 'It waits for ever; the cluster serves without it.',
    cause: 'The workload was scaled up by hand after create had formed the cluster.',
    repair: 'Scale the workload back to the number of nodes that the cluster has.',
    invariants: ['I5'],
  },
  'pod-missing': {
    severity: 'warning',
    title: 'A node of the cluster has no pod',
    meaning: 'There is less redundancy than was asked for.',
    cause: 'Its StatefulSet is missing or scaled to 0, or Kubernetes may not create the pod (quota, admission).',
    repair: 'kubectl redis create NAME makes what is missing; kubectl describe statefulset says what holds a pod back.',
    invariants: ['I5', 'I10'],
  },
  'claim-terminating': {
    severity: 'critical',
    title: 'The volume of a running pod is being deleted',
    meaning: 'It stays for as long as the pod does: a crash of its host, a drain or a restart takes the data with it.',
    cause:
      'Somebody deleted the claim. Kubernetes waits with it until no pod uses it, and can not take the deletion back.',
    repair:
      'A node whose primary keeps its volume: kubectl delete pod gives it a new one. A primary: kubectl redis failover first. Where a whole shard is so: kubectl redis scale NAME --replicas with one more, before any of its pods stops.',
    invariants: ['I15'],
  },
  'claim-shared': {
    severity: 'critical',
    title: 'Two pods use one volume',
    meaning:
      'The second waits for ever, for the first one does not end. Where the image or the volume has no locks both write to one log, and its keys are lost.',
    cause:
      'A pod was copied by hand, with its labels and its claim; or a Deployment starts a new pod before it stops the old one.',
    repair: 'Delete the pod that has no controller; the volume stays.',
    invariants: ['I5', 'I15'],
  },
  'claim-unbound': {
    severity: 'warning',
    title: 'A pod waits for its volume',
    meaning: 'The pod cannot start.',
    cause: 'No storage class, no room, or a volume in another zone than the hosts that are left.',
    repair: 'kubectl describe pvc says what the claim waits for.',
    invariants: ['I15'],
  },
  'pod-not-running': {
    severity: 'warning',
    title: 'A pod does not run',
    meaning: 'There is less redundancy than was asked for.',
    cause: 'It cannot be scheduled, its image cannot be pulled, or it crashes at start.',
    repair: 'kubectl describe pod and kubectl logs --previous say why.',
    invariants: ['I5'],
  },
  'guard-waiting': {
    severity: 'warning',
    title: 'A node waits before it starts, to protect data',
    meaning:
      'Its volume is empty, older than what it served, or not its own; if it answered now, its replicas would copy that over what they hold.',
    cause: 'A lost volume, a crash without an append-only file, or no peer that can confirm that it is safe to start.',
    repair:
      'Mostly none: it starts by itself. Its log says what it waits for (lines with "guard:"), and where a person has to decide.',
    invariants: ['I5'],
  },
  'start-refused': {
    severity: 'warning',
    title: 'A node is not started with what it has',
    meaning:
      'Its volume, its image or the record is that of another node, cluster, namespace or server: with it the node would harm the others.',
    cause: 'Swapped or copied claims, a restored namespace, an image of another product or of an older server.',
    repair:
      'Mend what its sentence names; check says how. Its guard looks again every second at the other nodes and at the record; when what is on its volume was changed, kubectl delete pod has it look there anew. Keep its volume: it may be the only copy of what is on it.',
    invariants: ['I5'],
  },
  'node-unreachable': {
    severity: 'warning',
    title: 'A node does not answer',
    meaning: 'There is less redundancy than it seems; what it would say is not in this report.',
    cause: 'The process is frozen or overloaded, or a network policy is in the way.',
    repair: 'kubectl logs and kubectl describe pod; see whether its peers still see it (kubectl redis nodes).',
    invariants: ['I5', 'I7'],
  },
  'tunnel-broken': {
    severity: 'warning',
    title: 'The way to a pod is broken',
    meaning: 'The pod may be well: it was not asked. What the others say of it is shown.',
    cause: 'The API server or the host agent did not carry the port-forward.',
    repair: 'Run the command again; if it stays, try kubectl port-forward by hand.',
    invariants: [],
  },
  'password-refused': {
    severity: 'warning',
    title: 'A node refuses the password',
    meaning: 'It was not asked. If its own password differs, replication and failover break too.',
    cause: 'A password change that reached only some nodes, a wrong --password-file, or a password that nobody gave.',
    repair:
      'Compare the password that was given with what the node was started with; its problem says where it came from.',
    invariants: ['I12'],
  },
  'permission-missing': {
    severity: 'warning',
    title: 'The user may not ask what is needed',
    meaning: 'The node let the user in and was not asked: what it would say is not in this report.',
    cause: 'An ACL that leaves out INFO or parts of CLUSTER.',
    repair: 'ACL SETUSER the user with +info +cluster|myid +cluster|nodes +cluster|info, on each node.',
    invariants: [],
  },
  'cluster-mode-off': {
    severity: 'warning',
    title: 'A pod runs Redis without cluster mode',
    meaning: 'It cannot be part of the cluster.',
    cause: 'cluster-enabled is not set, or the pod is not one of the cluster.',
    repair: 'Set cluster-enabled yes in its configuration, or take the cluster label off the pod.',
    invariants: ['I5'],
  },
  'node-loading': {
    severity: 'info',
    title: 'A node is loading its data',
    meaning: 'It will answer when it has read its files.',
    cause: 'It has just started.',
    repair: 'Wait.',
    invariants: [],
  },
  'node-starting': {
    severity: 'info',
    title: 'A node has just started',
    meaning: 'It joins its peers within seconds; links that are not up yet are no fault.',
    cause: 'A restart.',
    repair: 'Look again in some seconds.',
    invariants: [],
  },
  'pod-terminating': {
    severity: 'warning',
    title: 'A pod is being deleted',
    meaning: 'It will be gone soon, and its node with it until the new pod is there.',
    cause: 'A restart, a drain, or somebody deleted it.',
    repair: 'Wait for its successor. If it stays: kubectl describe pod.',
    invariants: [],
  },
  'pod-not-ready': {
    severity: 'warning',
    title: 'A pod is not ready although its node answers',
    meaning: 'The client Service leaves it out.',
    cause: 'Its readiness probe fails, for a reason that no other check explains.',
    repair: 'kubectl describe pod shows the last message of the probe.',
    invariants: [],
  },
  'image-differs': {
    severity: 'warning',
    title: 'Templates name another image than the pods run',
    meaning: 'A pod that goes, for whatever reason, comes back with the other image, be it one that does not start.',
    cause: 'A restart with --image that was stopped, or that ended at the first pod that did not come back.',
    repair: 'kubectl redis restart NAME --image with the image that runs goes back; without --image it goes on.',
    invariants: [],
  },
  'pod-outdated': {
    severity: 'warning',
    title: 'A pod that does not run was made from an older template',
    meaning: 'No server runs in it, and it never becomes what its StatefulSet says by now: nobody replaces it.',
    cause: 'An image or a manifest with which it could not start, which has been put right since.',
    repair:
      'Where its data is on a claim, kubectl delete pod: its successor is made from the present template, with the same claim.',
    invariants: [],
  },
  'service-two-pods': {
    severity: 'critical',
    title: 'Two pods stand behind one address',
    meaning: 'Replicas may copy from the wrong one and lose what they hold.',
    cause:
      'Two pods with one label `name`: a Deployment that starts the new pod before the old one is gone, or a copy by hand.',
    repair:
      'Give each pod a label name of its own: one StatefulSet for each node. Let none of the two go before kubectl redis nodes shows which of them the cluster knows, and what each holds.',
    invariants: ['I13'],
  },
  'service-missing': {
    severity: 'warning',
    title: 'A node has no Service of its own',
    meaning: 'The address that it announces leads nowhere: the others cannot reach it after its next restart.',
    cause: 'The Service was deleted.',
    repair:
      'Make it again with the ClusterIP that the node announces, and ports and selector as those of the other nodes.',
    invariants: ['I13'],
  },
  'service-wrong': {
    severity: 'warning',
    title: 'A Service does not lead to its node as it must',
    meaning: 'Peers or clients cannot reach the node through its address.',
    cause: 'Selector, ports or publishNotReadyAddresses of the Service, or the label `name` of the pod, were changed.',
    repair: 'Compare it with the Service of a node that is well: kubectl get service -o yaml.',
    invariants: ['I13'],
  },
  'restart-unfinished': {
    severity: 'warning',
    title: 'A restart is not finished',
    meaning: 'Some pods run as before; a new shape is not begun before all are new.',
    cause: 'The command was stopped or killed, and another one ran since.',
    repair: 'kubectl redis restart NAME goes on with it.',
    invariants: [],
  },
  'operation-lapsed': {
    severity: 'warning',
    title: 'An operation was not heard of for a while',
    meaning: 'Nothing is broken by that; the work may not be finished.',
    cause: 'The command was killed or lost its connection, or the clocks of two machines differ.',
    repair: 'Run the same command again: it goes on where that one stopped, or is refused if it still runs.',
    invariants: [],
  },
} as const satisfies Record<string, CodeSpec>;
