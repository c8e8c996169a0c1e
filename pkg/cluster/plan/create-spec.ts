/** From what was typed, what an earlier run recorded and the defaults: the spec that `create` works towards. Pure. */
import type { ClusterRef, KubeFacts } from '../model/observation.ts';
import type { AntiAffinity, Remark } from '../model/plan.ts';
import type { ClusterSpec } from '../model/spec.ts';
import type { ClusterState } from '../model/state.ts';

/** What was typed; null = not given. */
export interface GivenSpec {
  readonly masters: number | null;
  readonly replicas: number | null;
  readonly image: string | null;
  readonly imagePullPolicy: ClusterSpec['imagePullPolicy'];
  readonly storage: string | null;
  readonly storageClass: string | null;
  readonly memory: string | null;
  readonly cpu: string | null;
  readonly config: Readonly<Record<string, string>> | null;
  readonly auth: boolean | null;
  readonly antiAffinity: AntiAffinity | null;
  readonly networkPolicy: boolean | null;
}

export const DEFAULT_MASTERS = 3;
export const DEFAULT_REPLICAS = 1;
export const DEFAULT_STORAGE = '1Gi';

export interface Resolved {
  readonly spec: ClusterSpec;
  /** What was typed and will not be done, because a formed cluster keeps its record. */
  readonly remarks: readonly Remark[];
}

export interface ResolveInput {
  readonly cluster: ClusterRef;
  readonly given: GivenSpec;
  readonly recorded: ClusterSpec | null;
  readonly state: ClusterState;
  readonly kube: KubeFacts;
  readonly brought: boolean;
  readonly defaultImage: string;
  /** What `decideAntiAffinity` said. */
  readonly antiAffinity: AntiAffinity;
}

/**
 * An unformed cluster takes what was typed now over what an earlier run recorded: the first attempt may have failed because
 * of it. A formed one keeps its record, and only its shape is compared (planCreate refuses another one).
 */
export function resolveSpec(input: ResolveInput): Resolved {
  const { cluster, given, recorded, state } = input;
  const shape = shapeOf(input);
  const base: ClusterSpec = recorded ?? {
    cluster,
    ...shape,
    image: input.defaultImage,
    imagePullPolicy: null,
    storage: DEFAULT_STORAGE,
    storageClass: null,
    memory: null,
    cpu: null,
    config: {},
    auth: false,
    antiAffinity: input.antiAffinity,
    networkPolicy: false,
    nodes: null,
    scaling: null,
    restarted: null,
  };
  const typed = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null)) as Partial<ClusterSpec>;
  if (!state.formed || recorded === null)
    return {
      spec: {
        ...base,
        ...typed,
        ...shape,
        antiAffinity: recorded !== null && given.antiAffinity === null ? recorded.antiAffinity : input.antiAffinity,
      },
      remarks: [],
    };
  return { spec: { ...recorded, ...shape }, remarks: notApplied(recorded, typed) };
}

/** Given, else recorded, else what is there, else three with one each. */
export function shapeOf(input: Pick<ResolveInput, 'given' | 'recorded' | 'state' | 'kube' | 'brought'>): {
  masters: number;
  replicas: number;
} {
  const { given, recorded, state, kube, brought } = input;
  const owners = state.shards.filter((shard) => shard.slots.length > 0);
  const actual =
    state.formed && owners.length > 0
      ? { masters: owners.length, replicas: Math.min(...owners.map((shard) => shard.replicas.length)) }
      : null;
  const masters = given.masters ?? recorded?.masters ?? state.desired?.masters ?? actual?.masters ?? DEFAULT_MASTERS;
  const perMaster = kube.pods.length / masters - 1;
  const fromPods = brought && Number.isInteger(perMaster) && perMaster >= 0 ? perMaster : null;
  const replicas =
    given.replicas ?? recorded?.replicas ?? state.desired?.replicas ?? actual?.replicas ?? fromPods ?? DEFAULT_REPLICAS;
  return { masters, replicas };
}

const FLAG_OF: Readonly<Partial<Record<keyof ClusterSpec, string>>> = {
  image: '--image',
  imagePullPolicy: '--image-pull-policy',
  storage: '--storage',
  storageClass: '--storage-class',
  memory: '--memory',
  cpu: '--cpu',
  config: '--config',
  auth: '--auth',
  antiAffinity: '--anti-affinity',
  networkPolicy: '--network-policy',
};

function notApplied(recorded: ClusterSpec, typed: Partial<ClusterSpec>): Remark[] {
  return Object.entries(FLAG_OF).flatMap(([key, flag]) => {
    const name = key as keyof ClusterSpec;
    const wanted = typed[name];
    if (wanted === undefined || JSON.stringify(wanted) === JSON.stringify(recorded[name])) return [];
    const has = JSON.stringify(recorded[name]);
    return [
      {
        code: 'not-applied',
        sentence: `${flag} ${JSON.stringify(wanted)} is not applied: the cluster was created with ${has}, and create does not change a cluster`,
      },
    ];
  });
}
