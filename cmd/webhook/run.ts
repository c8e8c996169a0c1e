/** `webhook install | status | uninstall`. */
import { AppError, EXIT, usageError, type ExitCode } from '../../pkg/errors.ts';
import { DEFAULT_NAMESPACE, webhookManifests, type InstallOptions } from '../../webhook/manifests.ts';
import type { Deps } from '../deps.ts';
import type { Globals } from '../global-flags.ts';
import type { Output } from '../output.ts';
import { install, uninstall } from './install.ts';
import { readStatus, statusLines } from './status.ts';

export interface WebhookRequest {
  readonly args: { readonly ACTION: string };
  readonly flags: {
    readonly image: string | undefined;
    readonly 'image-pull-policy': InstallOptions['imagePullPolicy'] | undefined;
    readonly 'cert-manager': boolean;
    readonly 'dry-run': boolean;
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
  const manifests = webhookManifests(optionsOf(request));
  deps.terminal.write(manifests.map((object) => `---\n${toYaml(object)}`).join(''));
  return EXIT.done;
}

async function withKube(request: WebhookRequest, deps: Deps): Promise<ExitCode> {
  const { args, flags, globals } = request;
  const namespace = namespaceOf(globals);
  const session = await deps.openSession({ ...globals, namespace });
  const { kube } = session;
  const say = (line: string): void => deps.terminal.say(`${line}\n`);
  try {
    if (args.ACTION === 'install') {
      const { clock, signal } = deps;
      const manifests = webhookManifests(optionsOf(request));
      await install(manifests, { kube, clock, signal, say, timeoutMs: flags.timeout });
      deps.terminal.write(`The webhook is installed in namespace ${namespace}. See it: kubectl redis webhook status\n`);
      return EXIT.done;
    }
    if (args.ACTION === 'uninstall') {
      const gone = await uninstall(webhookManifests({ ...NO_IMAGE, namespace }), kube, flags['dry-run'], say);
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

const NO_IMAGE = { image: '', imagePullPolicy: null, certManager: false } as const;

function optionsOf({ flags, globals }: WebhookRequest): InstallOptions {
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
    hint: 'kubectl redis webhook install --image IMAGE, or name its namespace with -n',
  });
}
