/** What a browser loads before the first view, gzipped; fails above 250 KB of script. Run after the build. */
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LIMIT = 250_000;
const dist = new URL("../dist/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", dist), "utf8"));

const size = (file) => gzipSync(readFileSync(new URL(file, dist))).length;
const files = new Set();
const visit = (key) => {
  const chunk = manifest[key];
  if (files.has(chunk.file)) return;
  files.add(chunk.file);
  for (const other of chunk.imports ?? []) visit(other);
};
visit("index.html");
visit("src/features/overview/index.tsx"); // the first view after the login
const total = [...files].reduce((sum, file) => sum + size(file), 0);
console.log(`first view: ${(total / 1000).toFixed(0)} KB gzip of script in ${files.size} files (limit ${LIMIT / 1000} KB)`);
process.exit(total <= LIMIT ? 0 : 1);
