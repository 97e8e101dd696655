/** Numbers as they are read: fixed places, a real minus (U+2212), a dash for what is not there. Never NaN, never blank. */

export const MINUS = "\u2212";
export const NONE = "—";

/** Compares two texts as people order them. One collator for all: `localeCompare` makes a new one each time. */
export const byText = new Intl.Collator("en").compare;

type Maybe = number | null | undefined;

/** Fixed places with a real minus: `fixed(-0.5, 2)` is "−0.50". A negative zero has no sign. */
export function fixed(value: Maybe, places: number): string {
  if (value == null || !Number.isFinite(value)) return NONE;
  const text = formatOf(places).format(Math.abs(value));
  return value < 0 && Number(text.replaceAll(",", "")) !== 0 ? MINUS + text : text;
}

/** With its sign: "+0.26", "−0.26", "0.00". For scores and changes. */
export function signed(value: Maybe, places = 2): string {
  const text = fixed(value, places);
  return value != null && value > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

/** A fraction as per cent: `percent(0.683, 0)` is "68%". */
export function percent(fraction: Maybe, places = 1): string {
  return fraction == null || !Number.isFinite(fraction) ? NONE : `${fixed(fraction * 100, places)}%`;
}

/** A fraction as a change in per cent, signed: "−4.1%". */
export function change(fraction: Maybe, places = 1): string {
  return fraction == null || !Number.isFinite(fraction) ? NONE : `${signed(fraction * 100, places)}%`;
}

/** A price: 2 places, 4 below 1. */
export function price(value: Maybe): string {
  return fixed(value, value != null && Math.abs(value) < 1 ? 4 : 2);
}

/** A whole number, grouped: "18,442". */
export function count(value: Maybe): string {
  return fixed(value, 0);
}

/** Milliseconds: "9.8 ms", "250 ms", "1.2 s". */
export function milliseconds(value: Maybe): string {
  if (value == null || !Number.isFinite(value)) return NONE;
  if (value >= 1000) return `${fixed(value / 1000, 1)} s`;
  return `${fixed(value, value < 10 ? 1 : 0)} ms`;
}

/** A span of seconds as an age: "0.4 s", "12 s", "3 min", "2 h", "3 d". */
export function span(seconds: number): string {
  const at = Math.max(0, seconds);
  if (at < 10) return `${at.toFixed(1)} s`;
  if (at < 60) return `${at.toFixed(0)} s`;
  if (at < 3600) return `${String(Math.floor(at / 60))} min`;
  if (at < 86_400) return `${String(Math.floor(at / 3600))} h`;
  return `${String(Math.floor(at / 86_400))} d`;
}

/** "1 symbol", "505 symbols". */
export function plural(number: number, one: string, many = `${one}s`): string {
  return `${count(number)} ${number === 1 ? one : many}`;
}

/** First eight characters of a hash. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}

const formats = new Map<number, Intl.NumberFormat>(); // making one costs a hundred times what using it does

function formatOf(places: number): Intl.NumberFormat {
  let format = formats.get(places);
  if (format === undefined) {
    format = new Intl.NumberFormat("en-US", { minimumFractionDigits: places, maximumFractionDigits: places });
    formats.set(places, format);
  }
  return format;
}

/** How long something takes: "under 0.1 s", "4.2 s", "12 min", "3.5 h". */
export function duration(seconds: number): string {
  if (seconds < 0.1) return "under 0.1 s";
  if (seconds < 90) return `${fixed(seconds, seconds < 10 ? 1 : 0)} s`;
  return seconds < 5400 ? `${fixed(seconds / 60, 0)} min` : `${fixed(seconds / 3600, 1)} h`;
}

/** "512 KB", "48 MB", "1.2 GB". */
export function bytes(size: number): string {
  if (size < 1e6) return `${fixed(size / 1e3, 0)} KB`;
  return size < 1e9 ? `${fixed(size / 1e6, 0)} MB` : `${fixed(size / 1e9, 1)} GB`;
}
