// Everything can be reached and done with the keyboard alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { nextLooks, pageTests, row, rows, until, untilText } from './browser.mjs';
import { stream, stuckStream } from './streams.mjs';

const context = pageTests();

// What has the focus, and whether that can be seen.
function focused(page) {
  return page.evaluate(() => {
    const element = document.activeElement;
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    return {
      name: element.getAttribute('aria-label') ?? element.name ?? '',
      what: element.labels?.[0]?.innerText.split('\n')[0].trim() || element.innerText || '',
      isVisible: outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2,
      isInDialog: Boolean(element.closest('dialog')),
      isBody: element === document.body,
    };
  });
}

async function tabUntil(page, wanted, key = 'Tab') {
  for (let steps = 0; steps < 40; steps += 1) {
    await page.keyboard.press(key);
    const now = await focused(page);
    if (now.name === wanted || now.what === wanted) return;
  }
  assert.fail(`${wanted} cannot be reached with ${key}`);
}

test('Tab reaches everything in the order of reading, and the focus can be seen', async () => {
  context.daemon.streams = [stuckStream(1), stream(2)];
  const page = await context.open();
  await row(page, 2).waitFor();
  const stops = [];
  for (;;) {
    await page.keyboard.press('Tab');
    const stop = await focused(page);
    if (stop.isBody || stops.length > 40) break;
    assert.ok(stop.isVisible, `the focus on ${stop.name || stop.what} cannot be seen`);
    stops.push(stop.name || stop.what);
  }
  assert.deepEqual(stops, [
    'Pause',
    'Show the stuck streams of /orders.v1.Orders/Watch',
    'method',
    'peer',
    'state',
    'min_age',
    'stuck',
    'Clear',
    'Sort',
    'Cancel stream 1',
    'Cancel stream 2',
    'Single-letter keys on',
  ]);
});

test('a stuck stream is found and cancelled without a pointer', async () => {
  const { daemon } = context;
  daemon.streams = [stream(1), stuckStream(2, '31.000s', { method: '/p.Pipes/Pop' }), stream(3)];
  const page = await context.open();
  await row(page, 3).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('p.Pipes/Pop');
  await until(async () => (await rows(page).count()) === 1, 'the filter holds');
  assert.equal(await page.getByLabel('Method has').inputValue(), 'p.Pipes/Pop');
  await untilText(page.locator('#updates'), 'live');
  await tabUntil(page, 'Cancel stream 2');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await tabUntil(page, 'Reason, for the log and the status message (optional)', 'Shift+Tab');
  await page.keyboard.type('pipe/stop');
  await page.keyboard.press('Enter');
  await untilText(page.locator('#result'), 'Stream 2 (/p.Pipes/Pop) was cancelled.');
  assert.deepEqual(
    daemon.cancels.map(({ id, reason }) => [id, reason]),
    [['2', 'pipe/stop']],
  );
});

test('the dialog keeps the focus', async () => {
  context.daemon.streams = [stream(1)];
  const page = await context.open();
  await row(page, 1).getByRole('button').press('Enter');
  await page.getByRole('dialog').waitFor();
  assert.equal((await focused(page)).what, 'Keep it open');
  for (let steps = 0; steps < 12; steps += 1) {
    await page.keyboard.press(steps < 6 ? 'Tab' : 'Shift+Tab');
    const now = await focused(page);
    // The body has it where a browser with a window would go to its own buttons.
    assert.ok(now.isInDialog || now.isBody, `the focus left for ${now.name || now.what}`);
  }
  await page.keyboard.press('p');
  await page.keyboard.press('Escape');
  await untilText(page.locator('#updates'), 'live');
});

test('p pauses and resumes, but not while typing, with modifiers, or when switched off', async () => {
  const { daemon } = context;
  daemon.streams = [stream(1)];
  const page = await context.open();
  const updates = page.locator('#updates');
  await row(page, 1).waitFor();
  await page.keyboard.press('p');
  await untilText(updates, 'paused');
  await page.keyboard.press('p');
  await untilText(updates, 'live');
  await page.keyboard.press('Alt+p');
  await page.getByLabel('Peer has').press('p');
  await page.getByLabel('Sort').press('p');
  await untilText(updates, 'live');
  assert.equal(await page.getByLabel('Peer has').inputValue(), 'p');
  await page.getByLabel('Single-letter keys on').press('Space');
  await page.keyboard.press('p');
  await page.keyboard.press('/');
  await untilText(updates, 'live');
  assert.equal((await focused(page)).what, 'Single-letter keys on');
});

test('when the stream whose button has the focus ends, the focus stays at the streams', async () => {
  const { daemon } = context;
  daemon.streams = [stream(1), stream(2)];
  const page = await context.open();
  await row(page, 2).getByRole('button').focus();
  daemon.streams = [stream(1)];
  await until(async () => (await rows(page).count()) === 1, 'it is gone');
  assert.equal((await focused(page)).what, 'Open streams');
  await nextLooks(daemon);
  await tabUntil(page, 'Cancel stream 1');
});
