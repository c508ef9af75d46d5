// Runs inside the page. Texts that are shown with too little contrast to what is behind them.
export function contrastProblems() {
  const LARGE_PX = 24;
  const LARGE_BOLD_PX = 18.66;

  const parse = (color) => {
    const [r, g, b, a = 1] = color.match(/[\d.]+/g).map(Number);
    return { r, g, b, a };
  };
  const over = (top, below) =>
    Object.fromEntries(
      ['r', 'g', 'b']
        .map((part) => [part, top[part] * top.a + below[part] * (1 - top.a)])
        .concat([['a', 1]]),
    );
  const luminance = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      layers.push(parse(getComputedStyle(at).backgroundColor));
      if (layers.at(-1).a === 1) break;
    }
    return layers.reduceRight((below, top) => over(top, below), { r: 255, g: 255, b: 255, a: 1 });
  };
  const ratio = (one, other) => {
    const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  };
  const isInactive = (element) => element.closest(':disabled');

  const problems = [];
  let checked = 0;
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility() || isInactive(element))
      continue;
    if (element.closest('svg, noscript, .unseen')) continue;
    const style = getComputedStyle(element);
    const below = behind(element);
    const contrast = ratio(over(parse(style.color), below), below);
    const size = Number.parseFloat(style.fontSize);
    const isLarge = size >= LARGE_PX || (size >= LARGE_BOLD_PX && Number(style.fontWeight) >= 700);
    checked += 1;
    if (contrast < (isLarge ? 3 : 4.5))
      problems.push(`${contrast.toFixed(2)}: ${texts.currentNode.data.trim()}`);
  }
  return { checked, problems };
}
