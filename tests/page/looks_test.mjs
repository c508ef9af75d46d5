// How the page looks: light, dark, narrow; and what must hold for all of these. Screenshots are
// kept in $SCREENSHOTS.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import { nextLooks, pageTests, row, screenshotPath, untilText } from './browser.mjs';
import { contrastProblems } from './contrast.mjs';
import { shopCounters, shopStreams, shopTotals } from './shop.mjs';

const context = pageTests();
const wide = { width: 1280, height: 800 };
const narrow = { width: 400, height: 900 };

let clock;
afterEach(() => clearInterval(clock));

async function openShop(options) {
  const { daemon } = context;
  const start = Date.now();
  clock = setInterval(() => {
    const seconds = (Date.now() - start) / 1000;
    daemon.streams = shopStreams(seconds);
    daemon.totals = { ...shopTotals, ...shopCounters(seconds) };
  }, 10);
  const page = await context.open(options);
  await untilText(page.locator('#verdict-text'), '2 streams are stuck');
  await untilText(row(page, 1213), 'moving');
  await nextLooks(daemon, 3);
  return page;
}

for (const colorScheme of ['light', 'dark']) {
  test(`in the ${colorScheme} scheme every text has the contrast of WCAG AA`, async () => {
    const page = await openShop({ colorScheme, viewport: wide });
    const { checked, problems } = await page.evaluate(contrastProblems);
    assert.ok(checked > 60, `only ${checked} texts were looked at`);
    assert.deepEqual(problems, []);
    // The light one, with fewer colours, is deploy/images/live-page.png.
    await page.screenshot({ path: screenshotPath(`${colorScheme}-wide`), fullPage: true });
  });

  test(`in the ${colorScheme} scheme the dialog has it too`, async () => {
    const page = await openShop({ colorScheme, viewport: wide });
    await row(page, 1191).getByRole('button').click();
    await page.getByRole('dialog').waitFor();
    const { checked, problems } = await page.evaluate(contrastProblems);
    assert.ok(checked > 60, `only ${checked} texts were looked at`);
    assert.deepEqual(problems, []);
    await page.screenshot({ path: screenshotPath(`${colorScheme}-dialog`) });
  });
}

for (const [name, viewport] of Object.entries({
  narrow,
  middle: { width: 900, height: 800 },
  wide,
})) {
  test(`a ${name} window needs no sideways scrolling, and each lane can be read`, async () => {
    const page = await openShop({ viewport });
    const fits = await page.evaluate(
      () => document.documentElement.scrollWidth <= document.documentElement.clientWidth,
    );
    await page.screenshot({ path: screenshotPath(`${name}`), fullPage: true });
    assert.ok(fits, 'the page is wider than the window');
    for (const text of await row(page, 1191).locator('.lane span, .stall, .method').all()) {
      const box = await text.boundingBox();
      assert.ok(
        box.width > 0 && box.x >= 0 && box.x + box.width <= viewport.width,
        await text.innerText(),
      );
    }
  });
}

test('without animations for those who asked for none', async () => {
  const animations = (page) => page.evaluate(() => document.getAnimations().length);
  const page = await openShop({ reducedMotion: 'reduce' });
  assert.equal(await animations(page), 0);
  await page.emulateMedia({ reducedMotion: 'no-preference' });
  assert.ok((await animations(page)) > 0, 'nothing is animated for others either');
});
