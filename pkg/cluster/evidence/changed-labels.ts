/**
 * Pods whose label `name` is not the one that their StatefulSet gives them: somebody changed it. Their Services lead elsewhere from then on, and
 * a pod that starts anew gets the old label back, so that it may stand behind one address with another. Nothing that goes by addresses may be
 * done before that is put right.
 */
import { NODE_LABEL } from '../model/labels.ts';
import type { KubeFacts } from '../model/observation.ts';

export interface ChangedLabel {
  readonly pod: string;
  /** null = it has none any more. */
  readonly is: string | null;
  readonly made: string;
}

export function changedLabels({ pods, statefulSets }: Pick<KubeFacts, 'pods' | 'statefulSets'>): ChangedLabel[] {
  const made = new Map(statefulSets.map((set) => [set.name, set.templateLabels[NODE_LABEL]]));
  return pods.flatMap(({ name, labels, owner, terminating }) => {
    const given = made.get(name.replace(/-\d+$/, ''));
    const is = labels[NODE_LABEL] ?? null;
    // The selector does not pick the pod any more, so the StatefulSet has let go of it; it takes it back when the label is right. (Where it has
    // not, the label is none by which it selects: a template that was changed, and pods that are not rolled yet.)
    return given === undefined || is === given || terminating || owner !== null ? [] : [{ pod: name, is, made: given }];
  });
}

/** The command that puts it right. @param namespace of the pod */
export function labelAgain({ pod, made }: ChangedLabel, namespace: string): string {
  return `kubectl -n ${namespace} label pod ${pod} ${NODE_LABEL}=${made} --overwrite`;
}
