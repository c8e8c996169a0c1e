/**
 * The webhook on a real Kubernetes, installed as a person would. It needs an image that the hosts have, in $E2E_WEBHOOK_IMAGE;
 * without one these tests are skipped. One cluster has one webhook, so the files that use it never run side by side.
 */
import { readFile } from 'node:fs/promises';
import { describe, expect } from '@jest/globals';
import { CLUSTER_LABEL } from '../../pkg/cluster/model/labels.ts';
import { cli, IMAGE, kubectl, type Ended } from './cli.ts';
import { describeCluster, openClusterEnv, type ClusterEnv } from './cluster-env.ts';

export const WEBHOOK_IMAGE = process.env['E2E_WEBHOOK_IMAGE'] ?? '';
export const describeWebhook = WEBHOOK_IMAGE === '' ? describe.skip : describeCluster;

/** The strictest level that Kubernetes knows: nodes run there, and so does the webhook. */
export const RESTRICTED = { 'pod-security.kubernetes.io/enforce': 'restricted' };
const SAMPLES = new URL('../../manifests/samples/', import.meta.url);
const IMAGE_OF_SAMPLES = 'docker.io/library/redis:8.4';

export interface Webhook {
  /** Where it runs. */
  readonly env: ClusterEnv;
  run(...args: string[]): Promise<Ended>;
  /** Uninstalls it and deletes its namespace. */
  close(): Promise<void>;
}

/** Installs it into a namespace of its own. */
export async function installWebhook(): Promise<Webhook> {
  const env = await openClusterEnv(RESTRICTED);
  const run = (...args: string[]): Promise<Ended> => cli(['webhook', ...args], env);
  const close = async (): Promise<void> => {
    await run('uninstall');
    await env.close();
  };
  const installed = await run('install', '--image', WEBHOOK_IMAGE, '--image-pull-policy', 'IfNotPresent');
  if (installed.code !== 0) {
    const pods = await kubectl(['describe', 'pods'], env);
    await close();
    throw new Error(`${installed.stderr}\n${pods.stdout}`);
  }
  return { env, run, close };
}

/** One of manifests/samples, with the image of the tests. */
export async function sampleText(file: string): Promise<string> {
  const text = await readFile(new URL(file, SAMPLES), 'utf8');
  return text.replaceAll(IMAGE_OF_SAMPLES, IMAGE).replaceAll('storage: 1Gi', 'storage: 100Mi');
}

/** `kubectl apply -f`. */
export async function applySample(env: ClusterEnv, file: string): Promise<void> {
  const applied = await kubectl(['apply', '-f', '-'], { namespace: env.namespace, input: await sampleText(file) });
  expect([file, applied.code, applied.code === 0 ? '' : applied.stderr]).toEqual([file, 0, '']);
}

/** A pod that asks to be a node of `cluster` and that no host takes: what is wanted is its admission. */
export function waitingNode(name: string, cluster: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { [CLUSTER_LABEL]: cluster } },
    spec: { nodeSelector: { 'kubectl-redis.io/no-such-host': '' }, containers: [{ name: 'redis', image: IMAGE }] },
  });
}
