// Numbers, times and positions as people read them. Pure functions; what is not
// known is a dash, never a nought.

const unknown = '–';
const known = (value) => value !== null && value !== undefined && !Number.isNaN(value);

export function count(n) {
  if (!known(n)) return unknown;
  if (n < 10 && n % 1) return n.toFixed(1);
  if (n < 100_000) return Math.round(n).toLocaleString('en');
  const [divisor, unit] = n < 1e6 ? [1e3, 'k'] : n < 1e9 ? [1e6, 'M'] : [1e9, 'G'];
  const scaled = n / divisor;
  return scaled.toFixed(scaled < 100 ? 1 : 0) + unit;
}

export function milliseconds(ms) {
  if (!known(ms)) return unknown;
  if (ms < 1) return ms.toFixed(2) + ' ms';
  if (ms < 10) return ms.toFixed(1) + ' ms';
  if (ms < 1000) return Math.round(ms) + ' ms';
  return duration(ms / 1000);
}

export function duration(seconds) {
  if (!known(seconds)) return unknown;
  if (seconds < 10) return seconds.toFixed(1) + ' s';
  if (seconds < 60) return Math.floor(seconds) + ' s';
  const parts = [['d', 86400], ['h', 3600], ['min', 60], ['s', 1]];
  const first = parts.findIndex(([, size]) => seconds >= size);
  let rest = Math.floor(seconds);
  return parts.slice(first, first + 2).map(([unit, size]) => {
    const n = Math.floor(rest / size);
    rest -= n * size;
    return n ? `${n} ${unit}` : '';
  }).filter(Boolean).join(' ');
}

export function bytes(n) {
  if (!known(n)) return unknown;
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  for (; n >= 1000 && unit < units.length - 1; unit++) n /= 1000;
  return (unit && n < 10 ? n.toFixed(1) : Math.round(n)) + ' ' + units[unit];
}

const two = (n) => String(n).padStart(2, '0');

// clock is the reader's local time of day, with the day where it is another.
export function clock(at, now = new Date()) {
  if (!at) return unknown;
  const t = new Date(at);
  const time = `${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}`;
  return t.toDateString() === now.toDateString() ? time : `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())} ${time}`;
}

export const elapsed = (from, to = Date.now()) => duration(Math.max(0, (to - new Date(from)) / 1000));

// gtids shortens each server's UUID in a GTID set to where people look: its
// first part and the numbers.
export const gtids = (set) => set ? set.replaceAll(/([0-9a-f]{8})-[0-9a-f-]{27}/gi, '$1…').replaceAll(/\s+/g, '') : '';

export const plural = (n, one, many = one + 's') => `${count(n)} ${n === 1 ? one : many}`;
