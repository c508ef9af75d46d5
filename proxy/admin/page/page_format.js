// Numbers as people read them. Protobuf's JSON has uint64 and durations as strings.

// Keeps a number and its unit on one line.
const SPACE = '\u00a0';

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

export function count(value) {
  return whole.format(Number(value ?? 0));
}

// "1 message", "2 messages".
export function counted(value, noun) {
  return `${count(value)} ${noun}${Number(value) === 1 ? '' : 's'}`;
}

export function bytes(value) {
  let left = Number(value ?? 0);
  for (const unit of ['B', 'kB', 'MB', 'GB']) {
    if (left < 1000) return `${short.format(left)}${SPACE}${unit}`;
    left /= 1000;
  }
  return `${short.format(left)}${SPACE}TB`;
}

export function rate(perSecond) {
  return perSecond >= 100 ? whole.format(perSecond) : short.format(perSecond);
}

// "12.345s" to 12.345; unset is 0.
export function seconds(duration) {
  return duration === undefined ? 0 : Number.parseFloat(duration);
}

export function duration(text) {
  const all = seconds(text);
  if (all < 10) return `${all.toFixed(1)}${SPACE}s`;
  if (all < 60) return `${Math.floor(all)}${SPACE}s`;
  const minutes = Math.floor(all / 60);
  if (minutes < 60) return `${minutes}${SPACE}min ${Math.floor(all % 60)}${SPACE}s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours}${SPACE}h ${minutes % 60}${SPACE}min`;
  return `${Math.floor(hours / 24)}${SPACE}d ${hours % 24}${SPACE}h`;
}
