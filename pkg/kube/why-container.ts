/** Why a container does not run: its image, its configuration, or how it ended. Pure. */
import type { PodFacts } from '../cluster/model/observation.ts';
import type { RawContainerStatus, RawTerminated } from './api-json.ts';
import { EVIDENCE_LINES, finding, joined, newest, saidAt } from './evidence.ts';
import type { Evidence, Finding } from './evidence.ts';

/** After so many restarts a crash is not bad luck any more. */
const FATAL_RESTARTS = 3;
const IMAGE_REASONS = /^(ErrImage\w*|ImagePullBackOff|ImageInspectError|InvalidImageName|RegistryUnavailable)$/;
const FATAL_IMAGE =
  /not found|no such|manifest unknown|does not exist|denied|unauthorized|forbidden|ErrImageNeverPull|InvalidImageName/i;
const CONFIG_REASONS = /^(CreateContainerConfigError|CreateContainerError|RunContainerError)$/;

/** What a server writes before each line: `1:M 29 Nov 2026 18:13:48.961 # `. */
const LINE_HEAD = /^\d+:[A-Z] \d+ \w+ \d{4} [\d:.]+ [-.*#] /;

/** What comes last when the line before it has the reason. */
const SAYS_NOTHING = /check server logs|loading aborted|terminating server after|^\s*$/i;

/** The first container, init containers before the others, that can't get on. Init containers that have done their work are over. */
export function containerTrouble(facts: PodFacts, evidence: Evidence): Finding | null {
  const { status, spec } = evidence.pod ?? {};
  const images = new Map(
    [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].map((each) => [each.name, each.image]),
  );
  const begun = (status?.initContainerStatuses ?? []).filter(({ state }) => state?.terminated?.exitCode !== 0);
  const statuses = [...begun, ...(status?.containerStatuses ?? [])];
  for (const each of statuses) {
    const own = each.name === facts.container.name;
    const found =
      imageTrouble(each, images.get(each.name) ?? '', evidence) ??
      configTrouble(each) ??
      crashTrouble(each, own ? evidence : { ...evidence, log: [], previousLog: [] });
    if (found !== null) return found;
  }
  return null;
}

function imageTrouble(status: RawContainerStatus, image: string, { events }: Evidence): Finding | null {
  const { reason = '', message = '' } = status.state?.waiting ?? {};
  if (!IMAGE_REASONS.test(reason)) return null;
  // `Back-off pulling image` does not say why; the event before it does.
  const told = newest(
    events.filter(
      (event) =>
        event.reason === 'Failed' &&
        (event.message ?? '').includes(image) &&
        !(event.message ?? '').startsWith('Error: '),
    ),
  );
  const why = reason === 'ImagePullBackOff' && told?.message !== undefined ? told.message : message;
  const sentence =
    reason === 'InvalidImageName'
      ? `"${image}" is not a valid image name`
      : joined(`image ${image} can't be had (${reason})`, why);
  const mark = told === null ? undefined : saidAt(told);
  return finding('image', sentence, message === '' ? [] : [message], FATAL_IMAGE.test(`${reason} ${why}`), mark);
}

function configTrouble(status: RawContainerStatus): Finding | null {
  const { reason = '', message = '' } = status.state?.waiting ?? {};
  if (!CONFIG_REASONS.test(reason)) return null;
  return finding(
    'container-config',
    joined(`container ${status.name ?? ''} can't be started (${reason})`, message),
    [],
    true,
  );
}

/** Down now, after it has run: the log of the process that ended is the current one until the next has started. */
function crashTrouble(status: RawContainerStatus, evidence: Evidence): Finding | null {
  const { waiting, terminated } = status.state ?? {};
  const ended = terminated ?? status.lastState?.terminated;
  if (ended === undefined || (terminated === undefined && waiting?.reason !== 'CrashLoopBackOff')) return null;
  const restarts = status.restartCount ?? 0;
  const lines = (
    evidence.previousLog.length > 0 && terminated === undefined ? evidence.previousLog : evidence.log
  ).slice(-EVIDENCE_LINES);
  const times = restarts === 0 ? '' : `, restarted ${restarts} ${restarts === 1 ? 'time' : 'times'}`;
  const name = status.name ?? '';
  if (ended.reason === 'OOMKilled') {
    const sentence = `container ${name} ran out of memory (OOMKilled)${times}: give it a higher memory limit`;
    return finding('out-of-memory', sentence, lines, restarts >= FATAL_RESTARTS, String(restarts));
  }
  const told = lines.findLast((line) => !SAYS_NOTHING.test(line)) ?? lines.at(-1);
  const last = told?.replace(LINE_HEAD, '') ?? ended.message;
  return finding(
    'crash-loop',
    joined(`container ${name} ends ${exitOf(ended)}${times}`, last),
    lines,
    restarts >= FATAL_RESTARTS,
    String(restarts),
  );
}

function exitOf(ended: RawTerminated): string {
  const code = `with exit code ${ended.exitCode ?? '?'}`;
  const plain = ended.reason === undefined || ended.reason === 'Error' || ended.reason === 'Completed';
  return plain ? code : `${code} (${ended.reason})`;
}
