/** Dark or light: the system's wish until the reader chooses. The class sits on <html>. */
import { create } from "zustand";
import { persist } from "zustand/middleware";

export type Theme = "dark" | "light";

interface ThemeState {
  chosen: Theme | null;
  system: Theme;
}

export const useThemeState = create<ThemeState>()(
  persist((): ThemeState => ({ chosen: null, system: "dark" }), { name: "gs.theme", partialize: ({ chosen }) => ({ chosen }) as ThemeState }),
);

/** The theme that is shown. */
export function useTheme(): Theme {
  return useThemeState((state) => state.chosen ?? state.system);
}

export function toggleTheme(): void {
  useThemeState.setState((state) => ({ chosen: (state.chosen ?? state.system) === "dark" ? "light" : "dark" }));
}

/** Follow the system and put the class on the document; once, at start. */
export function startTheme(): void {
  const query = window.matchMedia("(prefers-color-scheme: light)");
  const follow = (): void => {
    useThemeState.setState({ system: query.matches ? "light" : "dark" });
  };
  const show = (): void => {
    const { chosen, system } = useThemeState.getState();
    const theme = chosen ?? system;
    document.documentElement.classList.toggle("dark", theme === "dark");
    document.documentElement.classList.toggle("light", theme === "light");
    document.documentElement.style.colorScheme = theme;
  };
  query.addEventListener("change", follow);
  useThemeState.subscribe(show);
  follow();
  show();
}

/** The value of a token, for canvases: `token("up")`. */
export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--gs-${name}`).trim();
}
