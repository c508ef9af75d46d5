// Between the page and the daemon: pause, one look at a time, a daemon that is down, draining or
// refuses.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { nextLooks, pageTests, row, rows, until, untilText } from './browser.mjs';
import { contrastProblems } from './contrast.mjs';
import { stream, stuckStream } from './streams.mjs';

const context = pageTests();
const pauseOf = (page, name = 'Pause') => page.getByRole('button', { name });

test('paused, the page asks for nothing, and shows what it had; resumed, it goes on', async () => {
  const { daemon } = context;
  daemon.streams = [stream(1)];
  const page = await context.open({ clock: true });
  await row(page, 1).waitFor();
  await pauseOf(page).click();
  await untilText(page.locator('#updates'), 'paused');
  await until(() => daemon.underWay === 0, 'no look is under way');
  const before = daemon.queries.length;
  daemon.streams = [stream(1), stream(2)];
  await page.clock.runFor(60_000);
  assert.equal(daemon.queries.length, before);
  assert.equal(await rows(page).count(), 1);
  await pauseOf(page, 'Resume').click();
  await row(page, 2).waitFor();
  await untilText(page.locator('#updates'), 'live');
});

test('paused, a filter still asks, once', async () => {
  const { daemon } = context;
  daemon.streams = [stream(1), stream(2, { method: '/other.Service/Call' })];
  const page = await context.open();
  await pauseOf(page).click();
  await page.getByLabel('Method has').fill('other');
  await until(async () => (await rows(page).count()) === 1, 'the filter holds');
  await untilText(page.locator('#updates'), 'paused');
  assert.equal(daemon.queries.filter(({ method }) => method === 'other').length, 1);
});

test('looks never overlap, however long the daemon takes', async () => {
  const { daemon } = context;
  const page = await context.open({ clock: true });
  await nextLooks(daemon);
  let open;
  daemon.gate = new Promise((resolve) => {
    open = resolve;
  });
  await until(() => daemon.underWay === 1, 'a look is under way');
  const asked = daemon.queries.length;
  await page.clock.runFor(4_000);
  assert.equal(daemon.queries.length, asked);
  open();
  await nextLooks(daemon);
  assert.equal(daemon.underWayMost, 1);
});

test('a daemon that is down is told once, and the page recovers by itself', async () => {
  const { daemon } = context;
  daemon.streams = [stream(1), stuckStream(2)];
  const page = await context.open();
  await row(page, 1).waitFor();
  await daemon.stop();
  const alert = page.getByRole('alert');
  await untilText(
    alert,
    /^lanekeeper cannot be reached since \d+:\d+:\d+.*What stands here is from then\. This page keeps trying\.$/,
  );
  await untilText(page.locator('#updates'), 'no answer');
  assert.equal(await rows(page).count(), 2);
  assert.deepEqual((await page.evaluate(contrastProblems)).problems, []);
  await page.evaluate(() => {
    window.changes = 0;
    new MutationObserver((list) => {
      window.changes += list.length;
    }).observe(document.querySelector('#unreachable'), {
      childList: true,
      characterData: true,
      subtree: true,
      attributes: true,
    });
  });
  for (let looks = 0; looks < 2; looks += 1) await page.waitForEvent('requestfailed');
  assert.equal(
    await page.evaluate(() => window.changes),
    0,
    'a screen reader would say it again and again',
  );
  daemon.streams = [stream(3)];
  await daemon.start();
  await row(page, 3).waitFor();
  assert.equal(await alert.isVisible(), false);
  await untilText(page.locator('#result'), 'lanekeeper can be reached again.');
});

test('a daemon that takes a connection but never answers counts as down', async () => {
  const { daemon } = context;
  const page = await context.open({ clock: true });
  await untilText(page.locator('#updates'), 'live');
  let open;
  daemon.gate = new Promise((resolve) => {
    open = resolve;
  });
  await until(() => daemon.underWay === 1, 'a look is under way');
  await page.clock.runFor(6_000);
  await untilText(page.getByRole('alert'), 'lanekeeper cannot be reached since');
  open();
  await untilText(page.locator('#updates'), 'live');
});

test('an error of the daemon is shown in its own words, until it answers again', async () => {
  const { daemon } = context;
  daemon.refusal = { status: 400, message: 'page_token: expected a number' };
  const page = await context.open();
  await untilText(
    page.getByRole('alert'),
    'lanekeeper answers with an error: page_token: expected a number',
  );
  daemon.refusal = undefined;
  await until(async () => !(await page.getByRole('alert').isVisible()), 'the message goes');
});

test('a drain is announced', async () => {
  const { daemon } = context;
  daemon.streams = [stream(1), stream(2)];
  const page = await context.open();
  await row(page, 1).waitFor();
  assert.equal(await page.locator('#draining').isVisible(), false);
  daemon.totals = { draining: true };
  await untilText(
    page.locator('#draining'),
    'lanekeeper is draining: it takes no new RPCs, and ends when its 2 open streams have finished.',
  );
});

test('an upstream that cannot be reached is named as such', async () => {
  const { daemon } = context;
  const page = await context.open();
  await untilText(page.locator('#upstream-state'), 'connected');
  daemon.totals = { upstream_state: 'transient_failure' };
  await untilText(page.locator('#upstream-state'), 'cannot be reached');
});

test('an answer without streams, and one with kinds that this page does not know, are shown', async () => {
  const { daemon } = context;
  const page = await context.open();
  await untilText(page.locator('#verdict-text'), 'No streams are open');
  daemon.streams = [
    stream(1, {
      stall: { kind: 'OF_TOMORROW', direction: 'TO_UPSTREAM', lasted: '4s' },
      to_upstream: { state: 'OF_TOMORROW', waiting_for: 'GODOT' },
      to_downstream: undefined,
    }),
  ];
  daemon.totals = {
    upstream_state: 'of_tomorrow',
    streams_half_closed: '0',
    streams_awaiting_upstream: '0',
  };
  await untilText(row(page, 1).locator('.stall'), 'Nothing moves: to_upstream blocked for 4.0 s.');
  await untilText(page.locator('#upstream-state'), 'of_tomorrow');
});
