/** All verbs, in the order in which help lists them. */
import type { Verb } from '../verb.ts';
import { checkVerb } from './check.ts';
import { completionVerb } from './completion.ts';
import { createVerb } from './create.ts';
import { deleteVerb } from './delete.ts';
import { explainVerb } from './explain.ts';
import { fixVerb } from './fix.ts';
import { failoverVerb } from './failover.ts';
import { helpVerb } from './help.ts';
import { injectVerb } from './inject.ts';
import { listVerb } from './list.ts';
import { nodesVerb } from './nodes.ts';
import { rebalanceVerb } from './rebalance.ts';
import { restartVerb } from './restart.ts';
import { scaleVerb } from './scale.ts';
import { slotsVerb } from './slots.ts';
import { statusVerb } from './status.ts';
import { versionVerb } from './version.ts';
import { webhookVerb } from './webhook.ts';

export const VERBS: readonly Verb[] = [
  createVerb,
  slotsVerb,
  nodesVerb,
  statusVerb,
  checkVerb,
  explainVerb,
  listVerb,
  scaleVerb,
  rebalanceVerb,
  fixVerb,
  failoverVerb,
  restartVerb,
  deleteVerb,
  injectVerb,
  webhookVerb,
  completionVerb,
  versionVerb,
  helpVerb,
];
