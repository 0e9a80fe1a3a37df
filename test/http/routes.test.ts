import { HistoryMetrics } from '../../src/http/metrics.js';
import { answer, type Answer } from '../../src/http/routes.js';
import { sampleNow, sampleView } from '../support/http/sampleView.js';

type More = Parameters<typeof sampleView>[0];

function ask(target: string, more: More = {}, method = 'GET'): Promise<Answer> {
  return answer(
    { method, target, accept: '' },
    {
      look: () => Promise.resolve({ view: sampleView(more), takenAt: sampleNow }),
      history: new HistoryMetrics(),
      samples: () => [
        { at: 1, flows: 5 },
        { at: 2, flows: 9, eventsPerSecond: 3 },
      ],
      now: () => sampleNow,
    },
  );
}

const split = { severity: 'error', code: 'split', text: 'two masters', remedy: 'r' } as const;

test('healthz: 200 without an error, 503 with its words', async () => {
  expect(await ask('/healthz')).toMatchObject({ status: 200, body: 'ok: MASTER\n' });
  expect(await ask('/healthz', { problems: [split] })).toMatchObject({
    status: 503,
    body: 'split: two masters\n',
  });
  expect((await ask('/healthz', { problems: [{ ...split, severity: 'warning' }] })).status).toBe(
    200,
  );
});

test('healthz?role: for load balancers', async () => {
  expect((await ask('/healthz?role=master')).status).toBe(200);
  expect((await ask('/healthz?role=backup')).status).toBe(503);
  expect((await ask('/healthz?role=master', { role: 'BACKUP' })).status).toBe(503);
});

test('status.json is status', async () => {
  const { body, type } = await ask('/status.json');
  expect(JSON.parse(body)).toEqual(JSON.parse(JSON.stringify(sampleView().status)));
  expect(type).toBe('application/json; charset=utf-8');
});

test('a node that does not answer is 503, on each path that asks it', async () => {
  for (const target of ['/', '/metrics', '/metrics/keepalived', '/healthz', '/status.json']) {
    const late = await answer(
      { method: 'GET', target, accept: '' },
      {
        look: () => Promise.reject(new Error('the daemon did not answer within 2 s')),
        ...{ history: new HistoryMetrics(), samples: () => [], now: () => sampleNow },
      },
    );
    expect([target, late.status, late.body]).toEqual([
      target,
      503,
      'the daemon did not answer within 2 s\n',
    ]);
  }
});

test('what is not there, what is no path, and what would change something', async () => {
  expect((await ask('/nothing')).status).toBe(404);
  expect((await ask('/constructor')).status).toBe(404);
  expect((await ask('http://elsewhere/metrics')).status).toBe(400);
  expect((await ask('//[')).status).toBe(404);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE']) {
    expect((await ask('/', {}, method)).status).toBe(405);
  }
});

test('the page says who is MASTER, shows both nodes and escapes what others name', async () => {
  const { body } = await ask('/', {
    node: '<img src=x onerror=alert(1)>',
    problems: [{ ...split, text: '</main><script>alert("1")</script>' }],
  });
  expect(body).toContain('&lt;img src=x onerror=alert(1)&gt;');
  expect(body).not.toContain('<img');
  expect(body).not.toContain('<script>');
  expect(body.match(/<script/g)).toHaveLength(1);
  expect(body).toContain('fw2 (by its own word)');
  expect(body).toContain('<strong class="role MASTER">MASTER</strong>');
  expect(body).toContain('78 ms');
  expect(body).toContain('aria-label="Flows: now 9, at most 9"');
  // The policy of the server forbids both.
  expect(body).not.toMatch(/ style=| on[a-z]+="/);
});

test('style and script come from the node itself', async () => {
  expect(await ask('/page.css')).toMatchObject({ status: 200, type: 'text/css; charset=utf-8' });
  const script = await ask('/page.js');
  expect(script.body).not.toMatch(/https?:/);
});
