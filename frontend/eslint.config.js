/** Lint rules. Imports flow app -> features -> research -> ui -> lib -> types; features never import each other. */
import { importX } from "eslint-plugin-import-x";
import { createTypeScriptImportResolver } from "eslint-import-resolver-typescript";
import jsxA11y from "eslint-plugin-jsx-a11y";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

const FEATURES = ["auth", "overview", "signals", "symbol", "agents", "scans", "backtests", "sweeps", "walkforwards", "runs", "jobs"];
const zones = [
  { target: "./src/types", from: "./src", except: ["./types"] },
  { target: "./src/lib", from: ["./src/app", "./src/features", "./src/research", "./src/ui"] },
  { target: "./src/ui", from: ["./src/app", "./src/features", "./src/research"] },
  { target: "./src/research", from: ["./src/app", "./src/features"] },
  { target: "./src/features", from: "./src/app" },
  ...FEATURES.map((name) => ({ target: `./src/features/${name}`, from: "./src/features", except: [`./${name}`] })),
];

export default tseslint.config(
  { ignores: ["dist", "src/types/api.ts", "src/types/events.ts"] },
  ...tseslint.configs.strict,
  jsxA11y.flatConfigs.recommended,
  {
    files: ["**/*.{ts,tsx}"],
    plugins: { "import-x": importX, "react-hooks": reactHooks },
    settings: { "import-x/resolver-next": [createTypeScriptImportResolver({ project: "tsconfig.json" })] },
    rules: {
      "import-x/no-restricted-paths": ["error", { zones }],
      "import-x/no-cycle": ["error", { maxDepth: 6 }],
      "react-hooks/rules-of-hooks": "error",
      "react-hooks/exhaustive-deps": "error",
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-non-null-assertion": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "no-console": "error",
      eqeqeq: ["error", "always", { null: "ignore" }],
      "no-restricted-imports": ["error", { patterns: [{ regex: "types/(api|events)$", message: "Import from @/types." }] }],
    },
  },
  { files: ["src/types/index.ts"], rules: { "no-restricted-imports": "off" } },
  { files: ["scripts/**"], rules: { "no-console": "off" }, languageOptions: { globals: { console: "readonly", process: "readonly", URL: "readonly" } } },
);
