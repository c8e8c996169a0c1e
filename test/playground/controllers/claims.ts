/** Claims are bound as soon as their class exists, and stay while a pod uses them. */
import type { ApiObject, Claim, Pod } from '../api/objects.ts';
import type { ControllerDeps } from './stateful-sets.ts';

export const PROVISIONER = 'playground/directory';

interface StorageClass extends ApiObject {
  readonly provisioner?: string;
}

export function syncClaims({ store, record }: ControllerDeps): void {
  const classes = new Map(
    store.list<StorageClass>('storageclasses.storage.k8s.io').map((each) => [each.metadata.name, each]),
  );
  for (const claim of store.list<Claim>('persistentvolumeclaims')) {
    const { metadata, spec, status } = claim;
    if (metadata.deletionTimestamp !== undefined) {
      if (!isUsed(store.list<Pod>('pods', metadata.namespace), metadata.name))
        store.remove('persistentvolumeclaims', claim);
      continue;
    }
    if (status.phase === 'Bound') continue;
    const wanted = spec.storageClassName;
    if (wanted === undefined) {
      record(
        claim,
        'Normal',
        'FailedBinding',
        'no persistent volumes available for this claim and no storage class is set',
      );
    } else if (classes.get(wanted) === undefined) {
      record(claim, 'Warning', 'ProvisioningFailed', `storageclass.storage.k8s.io "${wanted}" not found`);
    } else if (classes.get(wanted)?.provisioner === PROVISIONER) {
      store.update<Claim>('persistentvolumeclaims', claim, (now) => ({
        ...now,
        spec: { ...now.spec, volumeName: `pvc-${metadata.uid}` },
        status: { phase: 'Bound', accessModes: spec.accessModes, capacity: spec.resources?.requests ?? {} },
      }));
    } else {
      const by = classes.get(wanted)?.provisioner ?? '?';
      const message = `Waiting for a volume to be created either by the external provisioner '${by}' or manually by the system administrator.`;
      record(claim, 'Normal', 'ExternalProvisioning', message);
    }
  }
}

/** A pod that waits for a host does not keep a claim: it will get the next one of that name. */
function isUsed(pods: readonly Pod[], claim: string): boolean {
  return pods.some(
    ({ spec, status }) =>
      spec.nodeName !== undefined &&
      status.phase !== 'Succeeded' &&
      status.phase !== 'Failed' &&
      (spec.volumes ?? []).some((volume) => volume.persistentVolumeClaim?.claimName === claim),
  );
}
