/**
 * Nodes that want no password, though one was asked for: `create --auth` said so, or the others want one. A Secret without the key that they
 * read their password from is enough for that.
 */
import { recordOf } from '../model/record.ts';
import type { Check } from './context.ts';
import { listNames, makeProblem } from './wording.ts';

export const checkOpenDoors: Check = ({ state, observation, answered }) => {
  const open = answered.filter(({ answer }) => answer.open === true).map(({ pod }) => pod);
  const { name } = state.cluster;
  const asked = recordOf(observation.kube, state.cluster).spec?.auth === true;
  if (open.length === 0 || (!asked && open.length === answered.length)) return [];
  const why = asked ? `although ${name} was made with --auth` : 'and the others want one';
  const sentence = `${listNames(open)} ${open.length === 1 ? 'answers' : 'answer'} whoever comes, without a password, ${why}.`;
  const repair = asked
    ? `See that Secret ${name}-auth has a key password (kubectl describe secret ${name}-auth), then kubectl redis restart NAME.`
    : 'CONFIG SET requirepass and masterauth on them as on the others, also in their configuration.';
  return [makeProblem('password-missing', name, { sentence, nodes: open, repair })];
};
