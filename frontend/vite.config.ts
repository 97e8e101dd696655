/** Build, development server and unit tests. The development server hands API calls to a running GoldenSignals. */
import { fileURLToPath } from "node:url";

import tailwind from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const api = process.env.GS_API ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react(), tailwind()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  // two pages: the dashboard, and the reference of the API at /docs
  build: { target: "es2022", manifest: true, assetsInlineLimit: 0, chunkSizeWarningLimit: 1800, rolldownOptions: { input: ["index.html", "docs.html"] } },
  server: { host: "127.0.0.1", proxy: Object.fromEntries(["/v1", "/healthz", "/readyz", "/openapi.json"].map((path) => [path, api])) },
  // deadlines for a machine that is busy with other tests; no test waits for them when it passes
  test: { environment: "jsdom", testTimeout: 30_000, setupFiles: ["src/lib/testing/setup.ts"], include: ["src/**/*.test.{ts,tsx}"] },
});
