import test from "ava";
import { userDirOf } from "./user-dir.js";

const rows: [string, Record<string, string>, string, string][] = [
  ["no package manager", {}, "/project", "/project"],
  ["an empty INIT_CWD", { INIT_CWD: "" }, "/project", "/project"],
  [
    "npm run",
    { INIT_CWD: "/project/sub", npm_package_json: "/project/package.json" },
    "/project",
    "/project/sub",
  ],
  ["pnpm", { INIT_CWD: "/project/sub", PNPM_SCRIPT_SRC_DIR: "/project" }, "/project", "/project/sub"],
  ["nothing but INIT_CWD", { INIT_CWD: "/project/sub" }, "/project", "/project/sub"],
  [
    "a process that a script started in another folder",
    { INIT_CWD: "/project", npm_package_json: "/project/package.json" },
    "/tmp/x",
    "/tmp/x",
  ],
];

for (const [title, env, cwd, expected] of rows) {
  test(`user's folder: ${title}`, (t) => t.is(userDirOf(env, cwd), expected));
}
