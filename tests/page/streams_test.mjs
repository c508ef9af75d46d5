// What the page shows of streams: they appear, move, stall and end.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { nextLooks, pageTests, row, rowIds, rows, textOf, until, untilText } from './browser.mjs';
import { lane, stream, stuckStream } from './streams.mjs';

const context = pageTests();

test('a stream appears, is told with its lanes, and goes when it ends', async () => {
  const { daemon } = context;
  const page = await context.open();
  await untilText(page.locator('#empty'), 'No streams are open.');
  daemon.streams = [
    stream(7, {
      deadline_left: '75.500s',
      attempts: 2,
      to_upstream: lane({
        state: 'HALF_CLOSED',
        waiting_for: 'NOBODY',
        messages: '12',
        bytes: '3400',
      }),
      to_downstream: lane({ state_for: '4.200s', messages: '1204', bytes: '1500000' }),
    }),
  ];
  await untilText(row(page, 7), '/orders.v1.Orders/Watch');
  const text = await textOf(row(page, 7));
  for (const told of [
    'ipv4:127.0.0.1:40007',
    '12 s',
    '1 min 15 s left',
    '2 attempts',
    'complete',
    '12 msg, 3.4 kB',
    'waits for the upstream 4.2 s',
    '1,204 msg, 1.5 MB',
  ]) {
    assert.ok(text.includes(told), `${told} is not in: ${text}`);
  }
  daemon.streams = [];
  await until(async () => (await rows(page).count()) === 0, 'the row is gone');
});

test('a lane in which messages move says so, and how many', async () => {
  const { daemon } = context;
  daemon.streams = [stream(1)];
  const page = await context.open();
  const responses = row(page, 1).getByRole('img', { name: /^responses/ });
  await untilText(responses, 'waits for the upstream');
  let messages = 3;
  const moving = setInterval(() => {
    messages += 10;
    daemon.streams = [stream(1, { to_downstream: lane({ messages: String(messages) }) })];
  }, 50);
  try {
    await untilText(responses, /moving, \d+\/s/);
    assert.equal(await responses.getAttribute('data-flow'), 'moving');
    assert.match(
      await responses.getAttribute('aria-label'),
      /^responses: moving, \d+ a second, \d+ messages, 300\sB$/,
    );
  } finally {
    clearInterval(moving);
  }
  await untilText(responses, 'waits for the upstream');
});

test('a stream that stalls goes to the top, in words and with a mark, and is no longer stuck when it moves', async () => {
  const { daemon } = context;
  daemon.streams = [stream(1), stream(2), stream(3)];
  const page = await context.open();
  await untilText(page.locator('#verdict-text'), 'Nothing is stuck');
  assert.deepEqual(await rowIds(page), ['#1', '#2', '#3']);
  daemon.streams = [stream(1), stream(2), stuckStream(3)];
  await untilText(page.locator('#verdict-text'), '1 stream is stuck');
  assert.deepEqual(await rowIds(page), ['#3', '#1', '#2']);
  await untilText(row(page, 3), 'The application does not read: to_downstream blocked for 31 s.');
  assert.ok(await row(page, 3).getByText('stuck', { exact: true }).isVisible());
  assert.equal(await page.title(), '(1 stuck) lanekeeper');
  await untilText(
    page.locator('#stuck-groups'),
    /31 s The application does not read \(to_downstream\)\. 1 stream of \/orders.v1.Orders\/Watch/,
  );
  daemon.streams = [stream(1), stream(2), stream(3)];
  await untilText(page.locator('#verdict-text'), 'Nothing is stuck');
  assert.deepEqual(await rowIds(page), ['#1', '#2', '#3']);
  assert.equal(await row(page, 3).locator('.badge').isVisible(), false);
});

test('every kind of stall is a sentence that says who keeps whom waiting', async () => {
  const stall = (kind, direction, more = {}) => ({
    stall: { kind, direction, lasted: '31.000s', ...more },
  });
  const sentences = [
    [
      stall('SLOW_RECEIVER', 'TO_DOWNSTREAM'),
      'The application does not read: to_downstream blocked for 31 s.',
    ],
    [
      stall('SLOW_RECEIVER', 'TO_UPSTREAM'),
      'The upstream does not read: to_upstream blocked for 31 s.',
    ],
    [
      stall('SILENT_SENDER', 'TO_DOWNSTREAM'),
      'The upstream has the whole request and does not answer: to_downstream silent for 31 s.',
    ],
    [
      stall('STREAM_SLOTS', 'TO_UPSTREAM'),
      'The upstream allows no further stream: to_upstream blocked for 31 s.',
    ],
    [
      stall('NOT_CONNECTED', 'TO_UPSTREAM'),
      'There is no connection to the upstream: to_upstream blocked for 31 s.',
    ],
    [
      stall('UPSTREAM_WINDOW', 'TO_UPSTREAM'),
      "The room on the upstream's connection is used up: to_upstream blocked for 31 s.",
    ],
    [
      stall('UPSTREAM_WINDOW', 'TO_UPSTREAM', { window_holders: ['12', '15'] }),
      "The room on the upstream's connection is used up, held by streams 12, 15: " +
        'to_upstream blocked for 31 s.',
    ],
    [
      stall('HALF_CLOSED', 'TO_DOWNSTREAM'),
      'The application has sent everything, and the upstream has sent ' +
        'nothing since: to_downstream silent for 31 s.',
    ],
  ];
  context.daemon.streams = sentences.map(([differing], index) => stream(index + 1, differing));
  const page = await context.open();
  for (const [index, [, sentence]] of sentences.entries()) {
    await untilText(row(page, index + 1).locator('.stall'), sentence);
  }
  await untilText(page.locator('#verdict-text'), '8 streams are stuck');
});

test('stuck streams of one method are told in one line, wherever they stand in the list', async () => {
  const { daemon } = context;
  daemon.streams = Array.from({ length: 500 }, (_, index) => stream(index + 1));
  daemon.streams.push(
    ...Array.from({ length: 40 }, (_, index) => stuckStream(600 + index, `${40 + index}.000s`)),
  );
  const page = await context.open();
  await untilText(
    page.locator('#stuck-groups > li'),
    /^1 min 19 s .* 40 streams of \/orders.v1.Orders\/Watch/,
  );
  await page
    .getByRole('button', { name: 'Show the stuck streams of /orders.v1.Orders/Watch' })
    .click();
  await until(async () => (await rows(page).count()) === 40, 'the stuck ones are shown');
  assert.equal((await rowIds(page))[0], '#639');
});

test('when streams of many methods are stuck, the longest are told, and all can be shown', async () => {
  const { daemon } = context;
  daemon.streams = [
    stream(1),
    ...Array.from({ length: 7 }, (_, index) =>
      stuckStream(10 + index, `${10 + index}.000s`, { method: `/orders.v1.Orders/Method${index}` }),
    ),
  ];
  const page = await context.open();
  await untilText(page.locator('#stuck-groups'), /^16 s .*Method6 Show 15 s .*Method3 Show$/);
  await page.getByRole('button', { name: 'Show all 7 stuck streams' }).click();
  await until(async () => (await rows(page).count()) === 7, 'the stuck ones are shown');
});

test('totals show rates of the time between two looks', async () => {
  const { daemon } = context;
  const start = Date.now();
  const rate = setInterval(() => {
    const passed = (Date.now() - start) / 1000;
    daemon.totals = {
      rpcs_started: String(Math.round(20 * passed)),
      messages_to_upstream: String(Math.round(400 * passed)),
      bytes_to_upstream: String(Math.round(5e6 * passed)),
      messages_to_downstream: String(Math.round(900 * passed)),
      bytes_to_downstream: String(Math.round(2e3 * passed)),
      downstream_connections: '50',
      streams_half_closed: '4',
      streams_awaiting_upstream: '2',
      streams_open: '1204',
    };
  }, 5);
  try {
    const page = await context.open();
    await untilText(page.locator('#rpc-rate'), /^(1\d|2\d)(\.\d)?\/s$/);
    await untilText(page.locator('#messages-up'), /^[34]\d\d msg\/s$/);
    await untilText(page.locator('#bytes-up'), /^[45](\.\d+)? MB\/s$/);
    await untilText(page.locator('#messages-down'), /^[89]\d\d msg\/s$/);
    await untilText(page.locator('#bytes-down'), /^(1\.\d+|2(\.\d+)?) kB\/s$/);
    await untilText(page.locator('#open'), '1,204');
    await untilText(page.locator('#half-closed'), '4');
    await untilText(page.locator('#awaiting'), '2');
    await page
      .getByRole('img', { name: '50 downstream connections over 1 upstream connection' })
      .waitFor();
    await untilText(page.locator('#upstream-address'), 'dns:///orders.shop.svc:50051');
    await untilText(page.locator('#upstream-state'), 'connected');
  } finally {
    clearInterval(rate);
  }
});

test('names from the network stay text', async () => {
  const evil = '/<img src=x onerror=alert(1)>.</code><script>alert(2)</script>/"onfocus=alert(3)';
  context.daemon.streams = [
    stuckStream(1, '31.000s', { method: evil, downstream_peer: '<svg onload=alert(4)>' }),
  ];
  const page = await context.open();
  await untilText(row(page, 1), evil);
  await untilText(page.locator('#stuck-groups'), evil);
  await page.getByRole('button', { name: 'Cancel stream 1' }).click();
  await untilText(page.getByRole('dialog'), evil);
  assert.equal(await page.locator('img[src=x], body script, svg[onload]').count(), 0);
});

test('streams can be sorted', async () => {
  const { daemon } = context;
  daemon.streams = [
    stream(1),
    stream(2, { to_upstream: lane({ messages: '900' }) }),
    stuckStream(3, '5.000s'),
    stuckStream(4, '60.000s'),
  ];
  const page = await context.open();
  await until(async () => (await rows(page).count()) === 4, 'all are shown');
  const orders = {
    'longest stuck first': '4 3 1 2',
    'oldest first': '1 2 3 4',
    'newest first': '4 3 2 1',
    'most messages first': '2 1 3 4',
  };
  for (const [label, order] of Object.entries(orders)) {
    await page.getByLabel('Sort').selectOption({ label });
    assert.equal((await rowIds(page)).join(' ').replaceAll('#', ''), order, label);
    await nextLooks(daemon, 3);
    assert.equal(
      (await rowIds(page)).join(' ').replaceAll('#', ''),
      order,
      `${label}, after another look`,
    );
  }
});

const inUse = {
  focus: {
    take: () => document.querySelectorAll('#streams button')[2].focus(),
    look: () => document.activeElement.getAttribute('aria-label'),
    kept: 'Cancel stream 3',
  },
  selection: {
    take: () =>
      document.getSelection().selectAllChildren(document.querySelectorAll('#streams .peer')[2]),
    look: () => String(document.getSelection()),
    kept: 'ipv4:127.0.0.1:40003',
  },
};
for (const [what, { take, look, kept }] of Object.entries(inUse)) {
  test(`rows are kept between looks: the ${what} stays where it is when the order changes`, async () => {
    const { daemon } = context;
    daemon.streams = [stream(1), stream(2), stream(3)];
    const page = await context.open();
    await row(page, 3).waitFor();
    await page.evaluate(take);
    daemon.streams = [stream(1), stuckStream(2), stuckStream(3, '90.000s'), stream(4)];
    await until(async () => (await rowIds(page)).join('') === '#3#2#1#4', 'the new order');
    assert.equal(await page.evaluate(look), kept);
    daemon.streams = [stream(1), stuckStream(2), stream(3), stream(4)];
    await until(async () => (await rowIds(page)).join('') === '#2#1#3#4', 'the next order');
    assert.equal(await page.evaluate(look), kept);
  });
}

test('a daemon that was restarted begins with new rows, though ids begin at 1 again', async () => {
  const { daemon } = context;
  daemon.streams = [stream(1)];
  const page = await context.open();
  await untilText(row(page, 1), '/orders.v1.Orders/Watch');
  daemon.streams = [stream(1, { method: '/other.Service/Call' })];
  await untilText(row(page, 1), '/other.Service/Call');
});
