/** Problems of what is recorded of a cluster, and of objects that manifests took back: the very first of a repair. */
import type { CodeSpec } from './spec.ts';

export const RECORD_CODES = {
  'record-lost': {
    severity: 'critical',
    title: 'Nothing records any more what the cluster was made with',
    meaning: 'Nodes can neither be made anew nor changed: with other settings they might not read their data.',
    cause: 'ConfigMap NAME-state, Service NAME and the copies on the StatefulSets were all deleted or replaced.',
    repair: 'kubectl redis create NAME with all flags that it was made with; they are compared with the templates.',
    invariants: [],
  },
  'record-older': {
    severity: 'critical',
    title: 'The record is older than the cluster',
    meaning:
      'Nothing is lost yet. The record does not name nodes that run: whatever goes by it would leave them out, and not make them again.',
    cause: 'An older ConfigMap NAME-state was put back: from a backup, or by a tool that keeps the cluster like Git.',
    repair: 'Put back the ConfigMap NAME-state that names these nodes.',
    invariants: [],
  },
  'formed-mark-missing': {
    severity: 'critical',
    title: 'The cluster is formed, and its record does not say so',
    meaning: 'A node whose volume was lost would start empty at its old address, and its replicas would copy that.',
    cause:
      'A manifest was applied again over a cluster that an older version made, or ConfigMap NAME-state was deleted.',
    repair: 'Set `formed: "true"` in ConfigMap NAME-state.',
    invariants: [],
  },
  'state-missing': {
    severity: 'warning',
    title: 'What must be remembered is where manifests can overwrite it',
    meaning: 'The next manifest that is applied again may take back that the cluster was formed, or its shape.',
    cause: 'The cluster was made by an older version, which kept its record in ConfigMap NAME-config and Service NAME.',
    repair: 'None: only the tool writes ConfigMap NAME-state.',
    invariants: [],
  },
  'config-missing': {
    severity: 'critical',
    title: 'The configuration of the pods is missing',
    meaning: 'Pods that run go on; no pod can start any more.',
    cause: 'ConfigMap NAME-config was deleted.',
    repair: 'kubectl redis create NAME --dry-run prints it.',
    invariants: [],
  },
  'client-service-missing': {
    severity: 'critical',
    title: 'Clients have no Service',
    meaning: 'The nodes serve, and whoever connects by the name of the cluster reaches nobody.',
    cause: 'Service NAME was deleted.',
    repair: 'kubectl redis create NAME --dry-run prints it.',
    invariants: [],
  },
  'objects-unsafe': {
    severity: 'critical',
    title: 'A manifest took objects back, and the next pod that starts would be harmed',
    meaning:
      'Nothing is lost yet. A pod that is made from them does not know the record, or its address, or can not read its data.',
    cause: 'An older manifest was applied again: by hand, or by a tool that keeps the cluster like Git.',
    repair: 'kubectl redis create NAME --dry-run prints the objects as they are recorded.',
    invariants: [],
  },
  'objects-differ': {
    severity: 'warning',
    title: 'Objects are not what is recorded',
    meaning: 'Nothing is in danger. Pods that start next may have other settings, and people see an old shape.',
    cause: 'An older manifest was applied again: by hand, or by a tool that keeps the cluster like Git.',
    repair: 'kubectl redis create NAME --dry-run prints what is to be in Git.',
    invariants: [],
  },
  'line-unused': {
    severity: 'info',
    title: 'The record has a line that never became a node',
    meaning: 'Nothing is missing and nothing is in danger: nobody needs the line.',
    cause:
      'The workload of an injected cluster was scaled up by hand after create had formed the cluster, and down again.',
    repair:
      'Delete the Service that was made for the line; then kubectl redis create NAME writes the table of nodes without it.',
    invariants: [],
  },
  'volume-unused': {
    severity: 'info',
    title: 'A volume of the cluster is used by no pod',
    meaning: 'Nothing of it is served. If its node owned slots, the keys of these slots are on it.',
    cause:
      'An older ConfigMap NAME-state was applied again, which does not name the node; or a claim was left over from a cluster before.',
    repair:
      'Put back the record that names its node, and kubectl redis create NAME. If nobody wants what is there, the annotation kubectl-redis.io/set-aside=true on the claim says so: it is not named any more, and slots without an owner are still given to nobody unasked.',
    invariants: [],
  },
} as const satisfies Record<string, CodeSpec>;
