/** Which kinds there are, for who asks before acting, as kubectl does. */
import { RESOURCES } from './resources.ts';

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const GROUPS = [...new Set(RESOURCES.map(({ group }) => group))].filter((group) => group !== '');

/** What a discovery path answers; null for all other paths. */
export function discovery(url: string): object | null {
  const path = url.split('?')[0]?.replace(/\/$/, '') ?? '';
  if (path === '/version')
    return { major: '1', minor: '33', gitVersion: 'v1.33.0-playground', platform: 'linux/amd64' };
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'] };
  if (path === '/apis') return { kind: 'APIGroupList', apiVersion: 'v1', groups: GROUPS.map(groupOf) };
  if (path === '/openapi/v3') return openApiIndex();
  if (path.startsWith('/openapi/v3/')) return openApiOf(path.slice('/openapi/v3/'.length));
  const [, group = '', version] = /^\/(?:api|apis\/([^/]+))\/(v\d+)$/.exec(path) ?? [];
  const resources = version === undefined ? [] : RESOURCES.filter((each) => each.group === group);
  if (resources.length === 0) return null;
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: group === '' ? 'v1' : `${group}/${version}`,
    resources: resources.map(({ plural, kind, namespaced, shortNames }) => ({
      name: plural,
      singularName: kind.toLowerCase(),
      namespaced,
      kind,
      verbs: VERBS,
      shortNames,
      ...(['pods', 'services', 'statefulsets'].includes(plural) ? { categories: ['all'] } : {}),
    })),
  };
}

function groupOf(name: string): object {
  const version = { groupVersion: `${name}/v1`, version: 'v1' };
  return { name, versions: [version], preferredVersion: version };
}

const rootOf = (group: string): string => (group === '' ? 'api/v1' : `apis/${group}/v1`);

function openApiIndex(): object {
  const roots = ['', ...GROUPS].map(rootOf);
  return { paths: Object.fromEntries(roots.map((root) => [root, { serverRelativeURL: `/openapi/v3/${root}` }])) };
}

/** Only what kubectl looks for before it applies: that the server is the one who looks at the fields. */
function openApiOf(root: string): object {
  const paths = RESOURCES.filter(({ group }) => rootOf(group) === root).map(
    ({ group, version, kind, plural, namespaced }) => [
      `/${root}/${namespaced ? 'namespaces/{namespace}/' : ''}${plural}/{name}`,
      {
        patch: {
          parameters: ['fieldValidation', 'dryRun'].map((name) => ({ name, in: 'query', schema: { type: 'string' } })),
          responses: {},
          'x-kubernetes-group-version-kind': { group, version, kind },
        },
      },
    ],
  );
  return { openapi: '3.0.0', info: { title: 'playground', version: '1' }, paths: Object.fromEntries(paths) };
}
