// What those see who do not look at the page: Chromium's own accessibility tree.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { nextLooks, pageTests, row, untilText } from './browser.mjs';
import { lane, stream, stuckStream } from './streams.mjs';

const context = pageTests();

async function accessibleNodes(page) {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send('Accessibility.getFullAXTree');
  return nodes
    .filter((node) => !node.ignored)
    .map(({ role, name }) => ({
      role: role.value,
      name: (name?.value ?? '').replace(/\s+/g, ' ').trim(),
    }));
}

const names = (nodes, role) => nodes.filter((node) => node.role === role).map((node) => node.name);

for (const [window, viewport] of Object.entries({
  wide: { width: 1280, height: 800 },
  narrow: { width: 400, height: 900 },
})) {
  test(`in a ${window} window the streams are a table with a caption, headers and cells`, async () => {
    context.daemon.streams = [stream(1), stuckStream(2)];
    const page = await context.open({ viewport });
    await untilText(page.locator('#verdict-text'), '1 stream is stuck');
    const nodes = await accessibleNodes(page);
    assert.deepEqual(names(nodes, 'table'), ['2 open streams']);
    assert.deepEqual(names(nodes, 'columnheader'), [
      'Stream',
      'Age, deadline',
      'application lanekeeper upstream',
      'Cancel',
    ]);
    assert.deepEqual(names(nodes, 'rowheader'), [
      '/orders.v1.Orders/Watch stuck #2 ipv4:127.0.0.1:40002 1 attempt',
      '/orders.v1.Orders/Watch #1 ipv4:127.0.0.1:40001 1 attempt',
    ]);
    assert.equal(names(nodes, 'row').length, 3);
    assert.equal(nodes.filter(({ role }) => ['cell', 'gridcell'].includes(role)).length, 6);
  });
}

test('each lane is a sentence: what, who waits for whom, for how long, how much', async () => {
  context.daemon.streams = [
    stream(1, {
      to_upstream: lane({
        state: 'SENDING',
        waiting_for: 'RECEIVER',
        state_for: '31.000s',
        messages: '12',
        bytes: '1200',
      }),
      to_downstream: lane({ state_for: '75.000s', messages: '1', bytes: '0' }),
    }),
    stream(2, {
      to_upstream: lane({ state: 'HALF_CLOSED', waiting_for: 'NOBODY' }),
      to_downstream: lane({ state: 'SENDING', waiting_for: 'RECEIVER', state_for: '0.2s' }),
    }),
    stream(3, {
      to_upstream: lane({ state: 'WAITING', waiting_for: 'STREAM_SLOT' }),
      to_downstream: lane({ state: 'WAITING', waiting_for: 'CONNECTION' }),
    }),
    stream(4, {
      to_upstream: lane({ state: 'SENDING', waiting_for: 'CONNECTION_WINDOW' }),
    }),
    stream(5, {
      to_upstream: lane({ state: 'WAITING', waiting_for: 'ADMISSION' }),
    }),
  ];
  const page = await context.open();
  await row(page, 5).waitFor();
  const sentences = names(await accessibleNodes(page), 'image').filter((name) =>
    /^re(quest|sponse)s/.test(name),
  );
  assert.deepEqual(sentences, [
    'requests: waiting for the receiver, the upstream, for 31 s, 12 messages, 1.2 kB',
    'responses: waiting for the sender, the upstream, for 1 min 15 s, 1 message, 0 B',
    'requests: complete, 3 messages, 300 B',
    'responses: waiting for the receiver, the application, for 0.2 s, 3 messages, 300 B',
    'requests: waiting for a stream slot for 2.5 s, 3 messages, 300 B',
    'responses: waiting for a connection for 2.5 s, 3 messages, 300 B',
    "requests: waiting for room on the upstream's connection for 2.5 s, 3 messages, 300 B",
    'responses: waiting for the sender, the upstream, for 2.5 s, 3 messages, 300 B',
    'requests: waiting for another RPC to end for 2.5 s, 3 messages, 300 B',
    'responses: waiting for the sender, the upstream, for 2.5 s, 3 messages, 300 B',
  ]);
});

test('every control has a name', async () => {
  context.daemon.streams = [stuckStream(1)];
  const page = await context.open();
  await row(page, 1).getByRole('button').click();
  await page.getByRole('dialog').waitFor();
  const inDialog = await accessibleNodes(page);
  await page.keyboard.press('Escape');
  const nodes = [...inDialog, ...(await accessibleNodes(page))];
  const controls = nodes.filter(({ role }) =>
    [
      'button',
      'textbox',
      'searchbox',
      'combobox',
      'checkbox',
      'spinbutton',
      'dialog',
      'search',
      'navigation',
      'region',
    ].includes(role),
  );
  assert.ok(controls.length > 15, JSON.stringify(controls));
  assert.deepEqual(
    controls.filter(({ name }) => name === ''),
    [],
  );
});

test('live regions speak of what changes, not of every look', async () => {
  const { daemon } = context;
  daemon.streams = [stream(1), stuckStream(2)];
  const page = await context.open();
  await untilText(page.locator('#verdict-text'), '1 stream is stuck');
  await page.evaluate(() => {
    window.spoken = [];
    for (const region of document.querySelectorAll('[role=status], [role=alert], [aria-live]')) {
      new MutationObserver(() => window.spoken.push(region.innerText)).observe(region, {
        childList: true,
        characterData: true,
        subtree: true,
        attributes: true,
      });
    }
  });
  for (let look = 0; look < 3; look += 1) {
    daemon.streams = [stream(1, { age: `${20 + look}s` }), stuckStream(2, `${40 + look}s`)];
    await nextLooks(daemon);
  }
  await untilText(row(page, 2), 'blocked for 42 s');
  assert.deepEqual(await page.evaluate(() => window.spoken), []);
  daemon.streams = [stuckStream(1, '10s'), stuckStream(2, '50s')];
  await untilText(page.locator('#verdict-text'), '2 streams are stuck');
  const spoken = await page.evaluate(() => window.spoken);
  assert.deepEqual([...new Set(spoken)], ['2 streams are stuck']);
});
