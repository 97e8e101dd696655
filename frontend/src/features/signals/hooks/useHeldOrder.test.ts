import { act, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { useHeldOrder } from "./useHeldOrder";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

interface Props {
  wanted: readonly string[];
  question: string;
  inside: boolean;
}

function held(first: Props): ReturnType<typeof renderHook<ReturnType<typeof useHeldOrder>, Props>> {
  return renderHook(({ wanted, question, inside }: Props) => useHeldOrder(wanted, question, inside), { initialProps: first });
}

const AB: Props = { wanted: ["a", "b"], question: "q", inside: false };
const BA: Props = { ...AB, wanted: ["b", "a"] };

describe("the order of rows", () => {
  it("stays when data change, and follows after three seconds", () => {
    const { result, rerender } = held(AB);
    rerender(BA);
    expect(result.current.symbols).toEqual(["a", "b"]);
    expect(result.current.waiting).toBe(2);
    act(() => {
      vi.advanceTimersByTime(3_000);
    });
    expect(result.current.symbols).toEqual(["b", "a"]);
    expect(result.current.waiting).toBe(0);
  });

  it("stays for as long as the pointer is over it, unless the pill is pressed", () => {
    const { result, rerender } = held({ ...AB, inside: true });
    rerender({ ...BA, inside: true });
    act(() => {
      vi.advanceTimersByTime(60_000);
    });
    expect(result.current.symbols).toEqual(["a", "b"]);
    act(() => {
      result.current.apply();
    });
    expect(result.current.symbols).toEqual(["b", "a"]);
  });

  it("follows three seconds after the first change although others come", () => {
    const { result, rerender } = held(AB);
    for (let change = 0; change < 4; change += 1) {
      rerender({ ...AB, wanted: ["b", "a", String(change)] });
      act(() => {
        vi.advanceTimersByTime(1_000);
      });
    }
    expect(result.current.symbols[0]).toBe("b");
  });

  it("follows at once when something else is asked", () => {
    const { result, rerender } = held(AB);
    rerender({ ...BA, question: "other", inside: true });
    expect(result.current.symbols).toEqual(["b", "a"]);
  });

  it("takes the first rows that come", () => {
    const { result, rerender } = held({ ...AB, wanted: [] });
    rerender(AB);
    expect(result.current.symbols).toEqual(["a", "b"]);
  });
});
