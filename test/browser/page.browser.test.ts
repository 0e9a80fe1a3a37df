/** The page of a running pair in a real Chromium: fresh, quiet, self-contained and accessible. */
import { chmodSync } from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';
import { firewallPair, type FirewallPair } from '../lab/firewallPair.js';
import { Lab } from '../lab/lab.js';
import { KeepstateNode } from '../support/daemon/keepstateNode.js';
import { pairConfig } from '../support/daemon/pairConfig.js';

jest.setTimeout(300_000);

const page1 = 'http://127.0.0.1:9642/';

let lab: Lab;
let pair: FirewallPair;
let fw1: KeepstateNode;
let fw2: KeepstateNode;
let browser: Browser;

beforeAll(async () => {
  lab = await Lab.open();
  pair = await firewallPair(lab);
  const http = '\nhttp {\n  listen 127.0.0.1 9642\n}\n';
  const [one, two] = pair.firewalls;
  fw1 = new KeepstateNode(one, pairConfig({ index: 0, instances: 'group' }) + http);
  fw2 = new KeepstateNode(two, pairConfig({ index: 1, instances: 'group' }) + http);
  await Promise.all([fw1.start(), fw2.start()]);
  await fw1.waitForStatus(
    ({ role, sync }) => role === 'MASTER' && sync?.state === 'synchronised',
    'a synchronised MASTER',
  );
  await fw2.waitForStatus(({ sync }) => sync?.state === 'synchronised', 'a standby');
  // The browser lives where the page is served.
  const wrapper = one.file('browser', `#!/bin/sh\nexec ${one.enter.join(' ')} chromium "$@"\n`);
  chmodSync(wrapper, 0o755);
  browser = await chromium.launch({ executablePath: wrapper, args: ['--no-sandbox'] });
});

afterAll(async () => {
  await browser.close();
  await lab.close();
});

interface Opened {
  readonly page: Page;
  /** What the console, failed scripts and requests to elsewhere have said. */
  readonly complaints: string[];
}

async function open(options: Parameters<Browser['newContext']>[0] = {}): Promise<Opened> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(page1)) complaints.push(`request to ${request.url()}`);
  });
  await page.goto(page1);
  return { page, complaints };
}

test('a role change stands on the open page within a moment, without an error', async () => {
  const { page, complaints } = await open();
  await page.waitForSelector('main[data-role="MASTER"]');
  expect(await page.title()).toMatch(/^\S+ is MASTER - keepstate$/);
  await fw1.waitForStatus(
    ({ problems, sync }) => problems.length === 0 && sync?.peer.role === 'BACKUP',
    'a pair that may hand over',
  );
  expect(await fw1.ask({ verb: 'failover', force: false })).toMatchObject({ kind: 'answer' });
  await page.waitForSelector('main[data-role="BACKUP"]', { timeout: 60_000 });
  const seenAt = Date.now();
  const { since } = await fw1.status();
  expect(seenAt - Date.parse(since)).toBeLessThan(1_000);
  await page.waitForSelector('.node + .node p.MASTER', { timeout: 60_000 });
  await fw1.ask({ verb: 'failoverRelease' });
  await page.waitForSelector('main[data-role="MASTER"]', { timeout: 60_000 });
  await page.waitForSelector('#takeovers', { timeout: 60_000 });
  await page.waitForSelector('.node + .node p.BACKUP', { timeout: 60_000 });
  await page.getByText('no problem is known').waitFor({ timeout: 60_000 });
  // The picture for docs: KEEPSTATE_PICTURE=docs/page.png.
  const path = process.env['KEEPSTATE_PICTURE'];
  if (path !== undefined) await page.screenshot({ path, fullPage: true });
  expect(complaints).toEqual([]);
  await page.context().close();
});

test('a phone in a dark room: nothing beyond the width of the screen', async () => {
  const phone = { viewport: { width: 360, height: 740 }, colorScheme: 'dark' as const };
  const { page, complaints } = await open(phone);
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
  expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe(
    'rgb(17, 19, 21)',
  );
  expect(complaints).toEqual([]);
  await page.context().close();
});

test.each(['light', 'dark'] as const)('axe-core finds nothing, %s', async (colorScheme) => {
  // The policy forbids scripts of others: axe needs a context without it.
  const { page } = await open({ bypassCSP: true, colorScheme });
  await page.addScriptTag({ path: require.resolve('axe-core/axe.min.js') });
  const found = await page.evaluate(
    'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes.map((one) => one.html)]))',
  );
  expect(found).toEqual([]);
  await page.context().close();
});

test('without JavaScript it is a plain status', async () => {
  const { page, complaints } = await open({ javaScriptEnabled: false });
  expect(await page.textContent('h1')).toMatch(/^\S+ is MASTER$/);
  expect(await page.locator('.node h2').allTextContents()).toHaveLength(2);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test('a daemon that is gone is seen on the page', async () => {
  const { page } = await open();
  fw1.process.signal('SIGKILL');
  await fw1.process.exited();
  await page.waitForSelector('body.lost', { timeout: 60_000 });
  await page.context().close();
});
