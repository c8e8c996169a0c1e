/** Two pods at one address (K19): nothing else can be judged, for nobody can say who was asked. */
import { sharedAddresses } from '../interpret/injected.ts';
import type { Check } from './context.ts';
import { listNames, makeProblem } from './wording.ts';

export const checkSharedAddresses: Check = ({ state, observation }) =>
  sharedAddresses(state, observation.kube).map(({ address, pods }) =>
    makeProblem('address-shared', state.cluster.name, {
      subject: address,
      sentence: `${listNames(pods)} stand behind one address (${address}): whoever connects gets the one or the other.`,
      nodes: pods,
    }),
  );
