/** The picture of real output in README.md, between its markers, from a real run on a playground: npm run docs:readme */
import { readFileSync, writeFileSync } from 'node:fs';
import { openStory } from '../../test/playground/story.ts';
import type { Ran, Story } from '../../test/playground/story.ts';

const KEYS = 500;

async function picture(story: Story): Promise<string> {
  const must = async (...words: string[]): Promise<Ran> => {
    const ran = await story.redis(words);
    if (ran.code !== 0) throw new Error(ran.stderr);
    return ran;
  };
  const created = await must('create', 'redis');
  const client = await story.openClient();
  await client.write(KEYS);
  const before = await must('slots');
  const pod = await story.firstPrimary();
  await story.loseClaim(pod);
  await story.losePod(pod);
  const seconds = await story.untilHealed(pod, () => undefined);
  if ((await client.readBack(KEYS)) !== KEYS) throw new Error('not all keys are there');
  client.close();
  const lost = [`kubectl delete pvc data-${pod} --wait=false`, `kubectl delete pod ${pod} --grace-period=0 --force`];
  return [
    `$ kubectl redis create redis\n${created.stderr}${created.stdout}`,
    `$ kubectl redis slots\n${before.stdout}`,
    `# throw away a primary with its volume\n${lost.map((command) => `$ ${command}\n`).join('')}`,
    `# ${Math.round(seconds)} s later, and nobody typed anything\n$ kubectl redis status\n${(await must('status')).stdout}`,
  ].join('\n');
}

process.env['NO_COLOR'] = '1';
const story = await openStory();
try {
  const text = (await picture(story)).replaceAll(' -n default', '').trimEnd();
  const [start = '', rest = ''] = readFileSync('README.md', 'utf8').split('<!-- picture -->');
  const [, end = ''] = rest.split('<!-- /picture -->');
  const block = `<!-- picture -->\n\n\`\`\`console\n${text}\n\`\`\`\n\n<!-- /picture -->`;
  writeFileSync('README.md', `${start}${block}${end}`);
} finally {
  await story.close();
}
