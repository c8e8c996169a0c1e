/** What the name of an image tells: whether it is a Redis server. Pure text, so both who looks and who completes pods use it. */

const SERVER_IMAGE = /redis|valkey/i;
/** Things of the Redis world whose names contain `redis` and which are no cluster nodes. */
const OTHER_THINGS =
  /sentinel|exporter|metrics|operator|insight|commander|twemproxy|envoy|predixy|benchmark|backup|sidecar/i;

/** The image without registry host, tag and digest, so that a registry called `redis.example` tells nothing. */
export function imageName(image: string | undefined): string {
  const path = (image ?? '').replace(/@.*$/, '');
  const parts = path.split('/');
  const [first = ''] = parts;
  const rest = parts.length > 1 && /[.:]|^localhost$/.test(first) ? parts.slice(1) : parts;
  return rest.join('/').replace(/:[^/:]*$/, '');
}

/**
 * Whether two images are certainly different ones: by name and tag. Registries and digests tell nothing, because what admits pods may put
 * another registry, or a digest, into them.
 */
export function isOtherImage(a: string, b: string): boolean {
  const [one, other] = [nameAndTag(a), nameAndTag(b)];
  return one.includes(':') && other.includes(':') && one !== other;
}

function nameAndTag(image: string): string {
  return lastPart(image.replace(/@.*$/, ''));
}

/** What comes behind the last slash of an image's name. */
export function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Whether a name says Redis or Valkey, be it a server or something around it. */
export function namesRedis(text: string): boolean {
  return SERVER_IMAGE.test(text);
}

/** Whether a name says something of the Redis world that is no node: an exporter, a sentinel, a proxy. */
export function namesOtherThing(text: string): boolean {
  return OTHER_THINGS.test(text);
}

/** Whether the image, as far as its name tells, holds a Redis or Valkey server. */
export function isServerImage(image: string | undefined): boolean {
  const name = imageName(image);
  return namesRedis(name) && !namesOtherThing(lastPart(name));
}
