/** `webhook install | status | uninstall`. */
import { AppError, EXIT, usageError, type ExitCode } from '../../pkg/errors.ts';
import { DEFAULT_NAMESPACE, webhookManifests, type InstallOptions } from '../../webhook/manifests.ts';
import type { Deps, Session } from '../deps.ts';
import type { Globals } from '../global-flags.ts';
import type { Output } from '../output.ts';
import { configurationOf, install, namespaceOfWebhook } from './install.ts';
import { readStatus, statusLines } from './status.ts';
import { uninstall } from './uninstall.ts';

export interface WebhookRequest {
  readonly args: { readonly ACTION: string };
  readonly flags: {
    readonly image: string | undefined;
    readonly 'image-pull-policy': InstallOptions['imagePullPolicy'] | undefined;
    readonly 'cert-manager': boolean;
    readonly 'dry-run': boolean;
    /** As all verbs that change something take it. */
    readonly yes: boolean;
    readonly timeout: number;
    readonly output: Output<'yaml'>;
  };
  readonly globals: Globals;
}

/** @throws AppError */
export async function runWebhook(request: WebhookRequest, deps: Deps): Promise<ExitCode> {
  const { args, flags } = request;
  if (flags.output !== 'table' && !(args.ACTION === 'install' && flags['dry-run'])) {
    throw usageError(`-o ${flags.output} goes with install --dry-run`);
  }
  switch (args.ACTION) {
    case 'install':
      return runInstall(request, deps);
    case 'status':
    case 'uninstall':
      return withKube(request, deps);
    default:
      throw usageError(`webhook ${args.ACTION} is not one of install, status, uninstall`);
  }
}

async function runInstall(request: WebhookRequest, deps: Deps): Promise<ExitCode> {
  const { flags } = request;
  if (flags.image === undefined) {
    throw usageError(
      'webhook install needs --image, the image of the webhook',
      'build one in the project: npm run build && docker build -t REGISTRY/kubectl-redis-webhook . && docker push REGISTRY/kubectl-redis-webhook',
    );
  }
  if (!flags['dry-run']) return withKube(request, deps);
  const { toYaml } = await import('../document/yaml.ts');
  const manifests = webhookManifests({ ...optionsOf(request), matchConditions: true });
  deps.terminal.write(manifests.map((object) => `---\n${toYaml(object)}`).join(''));
  return EXIT.done;
}

async function withKube({ args, flags, globals }: WebhookRequest, deps: Deps): Promise<ExitCode> {
  const session = await deps.openSession({ ...globals, namespace: namespaceOf(globals) });
  const say = (line: string): void => deps.terminal.say(`${line}\n`);
  try {
    if (args.ACTION === 'install') {
      const { clock, signal } = deps;
      await install(optionsOf({ flags, globals }), {
        kube: session.kube,
        elsewhere: session.inNamespace('default').kube,
        clock,
        signal,
        say,
        timeoutMs: flags.timeout,
      });
      const where = namespaceOf(globals);
      deps.terminal.write(`The webhook is installed in namespace ${where}. See it: kubectl redis webhook status\n`);
      return EXIT.done;
    }
    const namespace = await whereItIs(session, globals, args.ACTION === 'status' ? say : null);
    const { kube } = session.inNamespace(namespace);
    if (args.ACTION === 'uninstall') {
      const gone = await uninstall(namespace, { kube, dryRun: flags['dry-run'], say });
      if (gone === 0) throw notInstalled(namespace);
      const done = flags['dry-run']
        ? 'Nothing was changed.'
        : 'The webhook is uninstalled. Pods that it completed run on.';
      deps.terminal.write(`${done}\n`);
      return EXIT.done;
    }
    const status = await readStatus(kube, session.inNamespace('default').kube, namespace, deps.clock.now());
    if (status === null) throw notInstalled(namespace);
    deps.terminal.write(`${statusLines(status).join('\n')}\n`);
    return status.problems.length === 0 ? EXIT.done : EXIT.refused;
  } finally {
    session.close();
  }
}

/**
 * The namespace where the API server finds it, else the one that was named. There is one for the whole Kubernetes cluster, so that
 * who only looks is shown the one that there is, wherever it is.
 * @param note says where that is, when it is not where it was looked for; null = do not go there
 * @throws AppError `installed-elsewhere`
 */
async function whereItIs({ kube }: Session, globals: Globals, note: ((line: string) => void) | null): Promise<string> {
  const there = await namespaceOfConfiguration(kube, note !== null);
  const asked = globals.namespace ?? there ?? DEFAULT_NAMESPACE;
  if (there === null || asked === there) return asked;
  const sentence = `the webhook is in namespace ${there}, not in ${asked}`;
  if (note === null)
    throw new AppError(sentence, { code: 'installed-elsewhere', hint: `to mean that one: -n ${there}` });
  note(`note: ${sentence}`);
  return there;
}

/** @param lenient without the right to read what is for the whole cluster, one may still look at the rest */
async function namespaceOfConfiguration(kube: Session['kube'], lenient: boolean): Promise<string | null> {
  try {
    return namespaceOfWebhook(await configurationOf(kube));
  } catch (error) {
    if (lenient && error instanceof AppError && error.code === 'forbidden') return null;
    throw error;
  }
}

function optionsOf({
  flags,
  globals,
}: Pick<WebhookRequest, 'flags' | 'globals'>): Omit<InstallOptions, 'matchConditions'> {
  return {
    namespace: namespaceOf(globals),
    image: flags.image ?? '',
    imagePullPolicy: flags['image-pull-policy'] ?? null,
    certManager: flags['cert-manager'],
  };
}

function namespaceOf(globals: Globals): string {
  return globals.namespace ?? DEFAULT_NAMESPACE;
}

function notInstalled(namespace: string): AppError {
  return new AppError(`the webhook is not installed in namespace ${namespace}`, {
    code: 'not-installed',
    hint: 'kubectl redis webhook install --image IMAGE',
  });
}
