/** Templates that name another image than the pods run, and the way back (C20). */
import { healthyObservation } from '../../../support/observation.ts';
import { changeAnswer, changeKube, changePod, changed, type Change } from '../../../support/observation-changes.ts';
import { crashing, every, operation, unreachable } from '../../../support/observation-faults.ts';
import { specAnnotations } from '../../../../pkg/pod/annotations.ts';
import { specOf } from '../../../support/spec.ts';
import { says } from './check-case.ts';
import type { CheckCase } from './check-case.ts';

const trouble = (pod: string, code: string, sentence: string): Change =>
  changeKube((kube) => ({ ...kube, troubles: [{ pod, code, sentence, evidence: [] }] }));
const down =
  (pod: string): Change =>
  (observation) =>
    changed(observation, unreachable(pod, 'not-running'), crashing(pod));
const doesNotRun = (pod: string, role: string, why: string, repair: string): ReturnType<typeof says> =>
  says('warning pod-not-running', `${pod}, a ${role}, does not run (${why}).`, repair, pod);
const imageOf = (pod: string, image: string): Change =>
  changePod(pod, (facts) => ({ ...facts, container: { ...facts.container, image } }));
const templatesName = (image: string): Change =>
  changeKube((kube) => ({ ...kube, statefulSets: kube.statefulSets.map((set) => ({ ...set, image })) }));

/** Each pod was made from the template that there is. */
const sameHash: Change = (observation) =>
  changed(
    observation,
    every((pod) => changePod(pod, (facts) => ({ ...facts, annotations: { 'kubectl-redis.io/spec-hash': 'a' } }))),
    changeKube((kube) => ({
      ...kube,
      statefulSets: kube.statefulSets.map((set) => ({
        ...set,
        templateAnnotations: { 'kubectl-redis.io/spec-hash': 'a' },
      })),
    })),
  );

const OLD_SERVER = "container redis ends with exit code 1, restarted 7 times: Can't handle RDB format version 13";

export const IMAGES_CASES: readonly CheckCase[] = [
  [
    'image-differs: a restart that stopped behind its first replica, whose data the older image could not read',
    changed(
      healthyObservation(),
      templatesName('redis:9'),
      imageOf('redis-4-0', 'redis:9'),
      changeAnswer('redis-4-0', (answer) => ({ ...answer, info: { ...answer.info, version: '9.0.0' } })),
    ),
    [
      says(
        'warning image-differs',
        '5 templates name the image redis:9, while redis-1-0, redis-2-0, redis-3-0, redis-5-0 and redis-6-0 run redis:8: a pod that goes comes back with redis:9.',
        'kubectl redis restart redis goes on with redis:9.',
        'redis-1-0 redis-2-0 redis-3-0 redis-5-0 redis-6-0',
      ),
      says(
        'warning versions-differ',
        'Versions differ: redis 8.6.3 on redis-1-0, redis-2-0, redis-3-0, redis-5-0 and redis-6-0, redis 9.0.0 on redis-4-0.',
        'Finish the upgrade: replicas first, then fail over, then the old primaries.',
        'redis-4-0',
      ),
    ],
  ],
  [
    'image-differs: a restart that stopped at the first replica, which can not read its data (C20)',
    changed(
      healthyObservation(),
      templatesName('valkey:9'),
      imageOf('redis-4-0', 'valkey:9'),
      down('redis-4-0'),
      trouble('redis-4-0', 'crash-loop', OLD_SERVER),
    ),
    [
      doesNotRun(
        'redis-4-0',
        'replica',
        OLD_SERVER,
        'kubectl redis restart redis --image redis:8 goes back to the image that the other pods run.',
      ),
      says(
        'warning image-differs',
        '5 templates name the image valkey:9, while redis-1-0, redis-2-0, redis-3-0, redis-5-0 and redis-6-0 run redis:8: a pod that goes comes back with valkey:9.',
        'kubectl redis restart redis --image redis:8 goes back to the image that runs.',
        'redis-1-0 redis-2-0 redis-3-0 redis-5-0 redis-6-0',
      ),
    ],
  ],
  [
    'image-differs: an image that can not be had (C20)',
    changed(
      healthyObservation(),
      templatesName('redis:nope'),
      imageOf('redis-4-0', 'redis:nope'),
      down('redis-4-0'),
      trouble('redis-4-0', 'image', "image redis:nope can't be had (ImagePullBackOff)"),
    ),
    [
      doesNotRun(
        'redis-4-0',
        'replica',
        "image redis:nope can't be had (ImagePullBackOff)",
        'kubectl redis restart redis --image redis:8 goes back to the image that the other pods run.',
      ),
      says(
        'warning image-differs',
        '5 templates name the image redis:nope, while redis-1-0, redis-2-0, redis-3-0, redis-5-0 and redis-6-0 run redis:8: a pod that goes comes back with redis:nope.',
        'kubectl redis restart redis --image redis:8 goes back to the image that runs; kubectl redis restart redis goes on with redis:nope.',
        'redis-1-0 redis-2-0 redis-3-0 redis-5-0 redis-6-0',
      ),
    ],
  ],
  [
    'image-differs: a template that somebody changed by hand, of a cluster that an older version made; its pod is of that very template (C20)',
    changed(
      healthyObservation(),
      sameHash,
      changeKube((kube) => ({
        ...kube,
        state: null,
        config: { ...kube.config, formed: 'true' },
        services: kube.services.map((service) =>
          service.name === 'redis'
            ? { ...service, annotations: { ...service.annotations, ...specAnnotations(specOf({ image: 'redis:8' })) } }
            : service,
        ),
        statefulSets: kube.statefulSets.map((set) => (set.name === 'redis-4' ? { ...set, image: 'redis:nope' } : set)),
      })),
    ),
    [
      says(
        'warning state-missing',
        'What must be remembered of redis is in ConfigMap redis-config and on Service redis, where a manifest that is applied again overwrites it.',
        'None: only the tool writes ConfigMap redis-state.',
      ),
      says(
        'warning image-differs',
        '1 template names the image redis:nope, while redis-4-0 runs redis:8: a pod that goes comes back with redis:nope.',
        'kubectl redis restart redis --pod redis-4-0 makes the template anew with the image that is recorded, redis:8.',
        'redis-4-0',
      ),
    ],
  ],
  [
    'no problem: templates name another image while a restart goes through the pods (C20)',
    changed(healthyObservation(), templatesName('redis:9'), operation({ verb: 'restart' })),
    [],
  ],
  [
    'no problem: admission rewrites the image of every pod of the template (C20)',
    changed(
      healthyObservation(),
      every((pod) => imageOf(pod, 'mirror.example/redis@sha256:1')),
      sameHash,
    ),
    [],
  ],
];
