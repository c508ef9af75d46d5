// What the tests of the page share: a headless Chromium, a page on a fake daemon, bounded waits.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, beforeEach } from 'node:test';
import { fileURLToPath } from 'node:url';

import { FakeDaemon } from './fake_daemon.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const modules = execFileSync(path.join(here, '../support/npm_modules'), [here], {
  encoding: 'utf8',
}).trim();
const { chromium } = await import(path.join(modules, 'playwright-core/index.mjs'));

// Only reached when something is broken.
const BOUND_MS = 15_000;

// The first true result of condition().
export async function until(condition, what) {
  const end = Date.now() + BOUND_MS;
  for (;;) {
    const result = await condition();
    if (result) return result;
    if (Date.now() > end) assert.fail(`not within ${BOUND_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

// What is shown, as one line, with ordinary spaces.
export async function textOf(locator) {
  return (await locator.allInnerTexts()).join(' | ').replace(/\s+/g, ' ').trim();
}

export async function untilText(locator, wanted) {
  let text = '';
  await until(async () => {
    text = await textOf(locator);
    return wanted instanceof RegExp ? wanted.test(text) : text.includes(wanted);
  }, wanted).catch((error) => assert.fail(`${error.message}; it says: ${text}`));
}

// Looks of the page that were asked for after now.
export function nextLooks(daemon, number = 2) {
  const enough = daemon.queries.length + number;
  return until(() => daemon.queries.length >= enough, `${number} more looks`);
}

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-proxy-server',
    ],
  });
}

// Whatever the page does wrong, told at the end of the test.
export function watchProblems(page) {
  const problems = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('dialog', (dialog) => {
    problems.push(`a script opened: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on('console', (message) => {
    // What Chromium says itself of a daemon that is down, or refuses.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      problems.push(message.text());
  });
  return problems;
}

// For each test a daemon of its own and, after `open()`, the page on it. No test passes while the
// page throws, or breaks its own policy.
export function pageTests() {
  const context = {};
  let browser;
  let problems;
  before(async () => {
    browser = await launch();
  });
  after(() => browser.close());
  beforeEach(async () => {
    context.daemon = await new FakeDaemon().start();
    // With `clock`, context.page.clock.runFor() makes the page's time pass at once.
    context.open = async ({ clock = false, ...options } = {}) => {
      context.page = await browser.newPage({ viewport: { width: 1280, height: 800 }, ...options });
      context.page.setDefaultTimeout(BOUND_MS);
      if (clock) await context.page.clock.install();
      problems = watchProblems(context.page);
      await context.page.goto(context.daemon.url);
      await until(() => context.daemon.queries.length > 0, 'the first look');
      return context.page;
    };
  });
  afterEach(async () => {
    await context.page?.close();
    await context.daemon.stop();
    assert.deepEqual(problems, []);
  });
  return context;
}

// Kept for whoever wants to see what the tests saw.
export function screenshotPath(name) {
  const folder =
    process.env.SCREENSHOTS ?? path.join(here, '../../build/release/tests/page/screenshots');
  mkdirSync(folder, { recursive: true });
  return path.join(folder, `${name}.png`);
}

export const rows = (page) => page.locator('#streams > tr');
export const row = (page, id) =>
  rows(page).filter({ has: page.locator('.id', { hasText: new RegExp(`^#${id}$`) }) });
export const rowIds = (page) => page.locator('#streams .id').allInnerTexts();
