// The filter and the pages of the table, and what they ask the daemon for.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { nextLooks, pageTests, row, rowIds, rows, until, untilText } from './browser.mjs';
import { lane, stream, stuckStream } from './streams.mjs';

const context = pageTests();
const many = 10_000;

const lastQuery = () => context.daemon.queries.at(-1);

async function untilAsked(wanted) {
  await until(
    () => JSON.stringify(lastQuery()) === JSON.stringify(wanted),
    `a query of ${JSON.stringify(wanted)}`,
  );
}

test('each field of the filter goes to the daemon, empty ones do not', async () => {
  const { daemon } = context;
  const page = await context.open();
  assert.deepEqual(daemon.queries[0], { page_size: '200' });
  const filter = page.getByRole('search', { name: 'Streams' });
  await filter.getByLabel('Method has').fill('/orders.v1.Orders/W & x=y');
  await untilAsked({ method: '/orders.v1.Orders/W & x=y', page_size: '200' });
  await filter.getByLabel('Peer has').fill('ipv6:%5B::1%5D');
  await filter.getByLabel('A lane is').selectOption({ label: 'half-closed' });
  await filter.getByLabel('Open for at least').fill('90');
  await filter.getByLabel('Only stuck').check();
  await untilAsked({
    method: '/orders.v1.Orders/W & x=y',
    peer: 'ipv6:%5B::1%5D',
    state: 'HALF_CLOSED',
    min_age: '90s',
    stuck: 'true',
    page_size: '200',
  });
  await untilText(page.locator('#empty'), 'No open stream matches the filter.');
  await filter.getByRole('button', { name: 'Clear' }).click();
  await untilAsked({ page_size: '200' });
});

test('every state that the API names can be chosen', async () => {
  const page = await context.open();
  for (const state of ['RECEIVING', 'SENDING', 'WAITING', 'HALF_CLOSED']) {
    await page.getByLabel('A lane is').selectOption(state);
    await untilAsked({ state, page_size: '200' });
  }
});

test('a filter narrows the table, and the caption counts what matches', async () => {
  const { daemon } = context;
  daemon.streams = [
    stream(1),
    stream(2, { method: '/other.Service/Call' }),
    stuckStream(3),
    stream(4, { to_upstream: lane({ state: 'HALF_CLOSED', waiting_for: 'NOBODY' }) }),
  ];
  const page = await context.open();
  await untilText(page.locator('#caption'), '4 open streams');
  await page.getByLabel('Method has').fill('Orders');
  await untilText(page.locator('#caption'), '3 matching streams');
  assert.deepEqual(await rowIds(page), ['#3', '#1', '#4']);
  await page.getByLabel('Only stuck').check();
  await untilText(page.locator('#caption'), '1 matching stream');
  assert.deepEqual(await rowIds(page), ['#3']);
});

test('the filter stands in the address, so that it outlives a reload', async () => {
  const { daemon } = context;
  const page = await context.open();
  await page.getByLabel('Method has').fill('Watch');
  await page.getByLabel('Only stuck').check();
  await page.getByLabel('Open for at least').fill('5');
  await page.getByLabel('Sort').selectOption('newest');
  await until(
    () => page.url().endsWith('#method=Watch&min_age=5s&stuck=true&sort=newest'),
    'the address',
  );
  daemon.queries.length = 0;
  await page.reload();
  await until(() => daemon.queries.length > 0, 'a look');
  assert.deepEqual(daemon.queries[0], {
    method: 'Watch',
    min_age: '5s',
    stuck: 'true',
    page_size: '200',
  });
  assert.equal(await page.getByLabel('Sort').inputValue(), 'newest');
});

test('10,000 streams come page by page', async () => {
  const { daemon } = context;
  daemon.streams = Array.from({ length: many }, (_, index) => stream(index + 1));
  const page = await context.open();
  const [previous, next] = ['Previous', 'Next'].map((name) => page.getByRole('button', { name }));
  await untilText(page.locator('#caption'), '200 of 10,000 streams that are open');
  assert.equal(await rows(page).count(), 200);
  assert.equal(await previous.isDisabled(), true);
  await next.click();
  await row(page, 201).waitFor();
  await untilText(page.locator('#page-number'), 'Page 2');
  assert.equal(lastQuery().page_token, '200');
  assert.equal(await rows(page).count(), 200);
  await next.click();
  await row(page, 401).waitFor();
  await previous.click();
  await previous.click();
  await row(page, 1).waitFor();
  assert.equal(await previous.isDisabled(), true);
});

test('the last page has no next one, and the focus stays among the buttons', async () => {
  const { daemon } = context;
  daemon.streams = Array.from({ length: 201 }, (_, index) => stream(index + 1));
  const page = await context.open();
  const next = page.getByRole('button', { name: 'Next' });
  await until(() => next.isEnabled(), 'a next page');
  await next.focus();
  await page.keyboard.press('Enter');
  await row(page, 201).waitFor();
  assert.equal(await next.isDisabled(), true);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'previous');
});

test('when all streams of a later page have ended, the page before is shown', async () => {
  const { daemon } = context;
  daemon.streams = Array.from({ length: 201 }, (_, index) => stream(index + 1));
  const page = await context.open();
  const next = page.getByRole('button', { name: 'Next' });
  await until(() => next.isEnabled(), 'a next page');
  await next.click();
  await row(page, 201).waitFor();
  daemon.streams.pop();
  await row(page, 1).waitFor();
  await untilText(page.locator('#page-number'), 'Page 1');
});

test('another filter begins at the first page', async () => {
  const { daemon } = context;
  daemon.streams = Array.from({ length: 500 }, (_, index) => stream(index + 1));
  const page = await context.open();
  const next = page.getByRole('button', { name: 'Next' });
  await until(() => next.isEnabled(), 'a next page');
  await next.click();
  await row(page, 201).waitFor();
  await page.getByLabel('Peer has').fill('127.0.0.1');
  await untilAsked({ peer: '127.0.0.1', page_size: '200' });
  await row(page, 1).waitFor();
  await nextLooks(daemon);
  await untilText(page.locator('#page-number'), 'Page 1');
});
