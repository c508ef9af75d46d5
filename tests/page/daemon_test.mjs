// The page as the real lanekeeper serves it ($LANEKEEPER), with real streams through it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import {
  launch,
  rows,
  screenshotPath,
  textOf,
  until,
  untilText,
  watchProblems,
} from './browser.mjs';

// Of a start with sanitizers, on a busy machine.
const START_BOUND_MS = 60_000;

// real_daemon.py; see there for what it can be told.
class Application {
  #child = spawn('/usr/bin/python3', [fileURLToPath(new URL('real_daemon.py', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  #lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();

  async nextLine(beginning) {
    const bound = AbortSignal.timeout(START_BOUND_MS);
    const { value = 'nothing more' } = await Promise.race([
      this.#lines.next(),
      once(bound, 'abort').then(() => ({ value: 'nothing in time' })),
    ]);
    assert.ok(value.startsWith(beginning), `it said ${value} instead of ${beginning}`);
    return value.slice(beginning.length).trim();
  }

  async tell(command, answer) {
    this.#child.stdin.write(`${command}\n`);
    return this.nextLine(answer);
  }

  async ends() {
    return JSON.parse(await this.tell('ends', 'ends'));
  }

  async stop() {
    this.#child.stdin.end();
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
  }
}

let browser;
let application;
let page;
let problems;

before(async () => {
  browser = await launch();
});
after(() => browser.close());
beforeEach(async () => {
  application = new Application();
  const url = await application.nextLine('page');
  page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  problems = watchProblems(page);
  await page.goto(url);
});
afterEach(async () => {
  await page?.close();
  await application.stop();
  assert.deepEqual(problems, []);
});

const rowOf = (method) => rows(page).filter({ hasText: method });
const lanes = (method, what) => rowOf(method).getByRole('img', { name: new RegExp(`^${what}`) });

async function cancel(method, reason) {
  await rowOf(method).getByRole('button', { name: 'Cancel' }).click();
  await untilText(page.getByRole('dialog'), method);
  await page.getByLabel('Reason').fill(reason);
  await page.getByRole('button', { name: 'Cancel the stream' }).click();
  await untilText(page.locator('#result'), `(${method}) was cancelled.`);
}

test('a stream appears, moves in both lanes, rests, and is cancelled from the page', async () => {
  await untilText(page.locator('#verdict-text'), 'No streams are open');
  await application.tell('talk', 'talking');
  await untilText(lanes('/daemon.Bidi/Talk', 'requests'), /moving, [\d.]+\/s/);
  await untilText(lanes('/daemon.Bidi/Talk', 'responses'), /moving, [\d.]+\/s/);
  await untilText(page.locator('#messages-up'), /^[1-9][\d.]* msg\/s$/);
  await untilText(page.locator('#upstream-state'), 'connected');
  await page
    .getByRole('img', { name: '1 downstream connection over 1 upstream connection' })
    .waitFor();
  await application.tell('quiet', 'quiet');
  await untilText(lanes('/daemon.Bidi/Talk', 'requests'), 'waits for the application');
  await untilText(lanes('/daemon.Bidi/Talk', 'responses'), 'waits for the upstream');
  await cancel('/daemon.Bidi/Talk', 'seen enough');
  await until(async () => (await rows(page).count()) === 0, 'it is gone');
  const {
    talk: [code, details],
  } = await until(async () => {
    const ends = await application.ends();
    return ends.talk && ends;
  }, 'the application learns of it');
  assert.equal(code, 'CANCELLED');
  assert.match(details, /seen enough/);
});

test('an application that does not read is found to be what its stream waits for', async () => {
  await application.tell('talk', 'talking');
  await application.tell('flood', 'flooded');
  await untilText(page.locator('#verdict-text'), '1 stream is stuck');
  await untilText(
    page.locator('#stuck-groups'),
    /The application does not read \(to_downstream\)\. 1 stream of \/daemon\.Produce\/Flood/,
  );
  await untilText(
    rowOf('Flood').locator('.stall'),
    /^The application does not read: to_downstream blocked for \d+(\.\d+)? s\.$/,
  );
  assert.match(await textOf(rows(page).first()), /Flood/);
  await untilText(lanes('/daemon.Bidi/Talk', 'requests'), 'moving');
  await page.screenshot({ path: screenshotPath('real-stuck') });
  await page.getByLabel('Only stuck').check();
  await until(async () => (await rows(page).count()) === 1, 'only the stuck one is shown');
  await cancel('/daemon.Produce/Flood', '');
  await untilText(page.locator('#verdict-text'), 'Nothing is stuck');
});

test('an upstream that does not answer is found to be what its stream waits for', async () => {
  await application.tell('silence', 'silent');
  await untilText(
    rowOf('/daemon.Silent/Call').locator('.stall'),
    /^The upstream has the whole request and does not answer: to_downstream silent for \d+(\.\d+)? s\.$/,
  );
  await untilText(lanes('/daemon.Silent/Call', 'requests'), 'complete');
  await untilText(page.locator('#half-closed'), '1');
});

test('each filter of the page is one that lanekeeper knows', async () => {
  await application.tell('talk', 'talking');
  await application.tell('silence', 'silent');
  await until(async () => (await rows(page).count()) === 2, 'both are shown');
  const shownAfter = async (number) =>
    until(async () => (await rows(page).count()) === number, `${number} are shown`);
  const clear = async () => {
    await page.getByRole('button', { name: 'Clear' }).click();
    await shownAfter(2);
  };
  await page.getByLabel('Method has').fill('Silent');
  await shownAfter(1);
  await clear();
  await page.getByLabel('Peer has').fill('nobody');
  await shownAfter(0);
  await clear();
  await page.getByLabel('Open for at least').fill('3600');
  await shownAfter(0);
  await clear();
  await page.getByLabel('A lane is').selectOption({ label: 'half-closed' });
  await shownAfter(1);
  await clear();
  await page.getByLabel('A lane is').selectOption({ label: 'waiting for the upstream' });
  await shownAfter(0);
  assert.equal(await page.getByRole('alert').isVisible(), false);
});
