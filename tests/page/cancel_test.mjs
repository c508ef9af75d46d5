// Ending a stream from the page: nothing without a confirmation, and what came of it is told.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { nextLooks, pageTests, row, rows, until, untilText } from './browser.mjs';
import { stream, stuckStream } from './streams.mjs';

const context = pageTests();

async function openDialog() {
  context.daemon.streams = [stream(1), stuckStream(2)];
  const page = await context.open();
  await page.getByRole('button', { name: 'Cancel stream 2' }).click();
  const dialog = page.getByRole('dialog', { name: 'Cancel stream 2?' });
  await dialog.waitFor();
  return { page, dialog };
}

test('the dialog names the stream, and a confirmation ends that one, with the reason given', async () => {
  const { daemon } = context;
  const { page, dialog } = await openDialog();
  await untilText(dialog, '/orders.v1.Orders/Watch of ipv4:127.0.0.1:40002');
  await dialog.getByLabel('Reason').fill('  worker 7 hangs "again"  ');
  await dialog.getByRole('button', { name: 'Cancel the stream' }).click();
  await untilText(page.locator('#result'), 'Stream 2 (/orders.v1.Orders/Watch) was cancelled.');
  assert.deepEqual(daemon.cancels, [
    { id: '2', reason: 'worker 7 hangs "again"', type: 'application/json' },
  ]);
  await until(async () => (await rows(page).count()) === 1, 'it is gone');
});

test('the reason may be left out', async () => {
  const { page, dialog } = await openDialog();
  await dialog.getByRole('button', { name: 'Cancel the stream' }).click();
  await untilText(page.locator('#result'), 'was cancelled.');
  assert.equal(context.daemon.cancels[0].reason, '');
});

for (const [how, act] of Object.entries({
  Escape: (page) => page.keyboard.press('Escape'),
  'the button': (page) => page.getByRole('button', { name: 'Keep it open' }).click(),
  'Enter twice on the button in the row': (page) => page.keyboard.press('Enter'),
})) {
  test(`${how} keeps the stream, and the focus goes back to where it was`, async () => {
    const { page, dialog } = await openDialog();
    await act(page);
    await dialog.waitFor({ state: 'hidden' });
    await nextLooks(context.daemon);
    assert.deepEqual(context.daemon.cancels, []);
    assert.equal(
      await page.evaluate(() => document.activeElement.getAttribute('aria-label')),
      'Cancel stream 2',
    );
  });
}

test('the dialog stays on its stream while the table goes on', async () => {
  const { daemon } = context;
  const { page, dialog } = await openDialog();
  daemon.streams = [stream(1), stuckStream(2), stuckStream(3, '99.000s')];
  await row(page, 3).waitFor();
  await dialog.getByRole('button', { name: 'Cancel the stream' }).click();
  await until(() => daemon.cancels.length === 1, 'a cancel');
  assert.equal(daemon.cancels[0].id, '2');
});

test('a stream that has ended in the meantime is told as such', async () => {
  const { daemon } = context;
  const { page, dialog } = await openDialog();
  daemon.streams = [stream(1)];
  await until(async () => (await rows(page).count()) === 1, 'it is gone');
  await dialog.getByRole('button', { name: 'Cancel the stream' }).click();
  await untilText(page.locator('#result'), 'Stream 2 had ended before.');
});

test('where the control address is read-only there is no button', async () => {
  const { daemon } = context;
  daemon.streams = [stream(1)];
  daemon.totals = { read_only: true };
  const page = await context.open();
  await row(page, 1).waitFor();
  const button = page.getByRole('button', { name: 'Cancel stream 1' });
  await button.waitFor({ state: 'hidden' });
  daemon.totals = {};
  await button.waitFor();
});

test('a daemon that does not answer is told as such', async () => {
  const { daemon } = context;
  const { page, dialog } = await openDialog();
  await daemon.stop();
  await dialog.getByRole('button', { name: 'Cancel the stream' }).click();
  await untilText(
    page.locator('#result'),
    'Stream 2 was not cancelled: lanekeeper did not answer.',
  );
  await daemon.start();
});
