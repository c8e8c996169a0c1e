/** Every way to break a cluster that there is. */
import { LOST_STATES, PLACE_STATES } from './member-states.ts';
import { ACCESS_STATES, ADDRESS_STATES } from './reach-states.ts';
import { SLOT_STATES } from './slot-states.ts';
import { UPKEEP_STATES } from './upkeep-states.ts';
import type { BrokenState } from './state.ts';
import type { SceneOptions } from './scene.ts';

export const STATES: readonly BrokenState[] = [
  ...ADDRESS_STATES,
  ...LOST_STATES,
  ...PLACE_STATES,
  ...SLOT_STATES,
  ...ACCESS_STATES,
  ...UPKEEP_STATES,
];

/** A cluster of three primaries, made by `create`. */
export const USUAL: Omit<SceneOptions, 'binary'> = {
  masters: 3,
  replicas: 0,
  spare: 0,
  strangers: false,
  oneShort: false,
  kind: 'ours',
  password: null,
  savesConflicts: true,
};

export function sceneOf(state: BrokenState, binary: string): SceneOptions {
  return { ...USUAL, ...state.scene, binary };
}
