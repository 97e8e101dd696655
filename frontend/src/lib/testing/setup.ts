/** What jsdom lacks and the components need; loaded before every test file. */
import { cleanup, configure } from "@testing-library/react";
import { afterEach } from "vitest";

afterEach(cleanup);
configure({ asyncUtilTimeout: 10_000 });

if (!("ResizeObserver" in globalThis)) {
  globalThis.ResizeObserver = class implements ResizeObserver {
    observe(): void {}
    unobserve(): void {}
    disconnect(): void {}
  };
}
window.matchMedia ??= (media) =>
  ({ media, matches: false, addEventListener() {}, removeEventListener() {} }) as unknown as MediaQueryList;
HTMLCanvasElement.prototype.getContext = () => null; // jsdom draws nothing, and would say so once per call
