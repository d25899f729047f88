import test from "ava";
import { userDirOf } from "./user-dir.js";

const rows: [string, Record<string, string>, string, string][] = [
  ["no package manager", {}, "/work", "/work"],
  ["an empty INIT_CWD", { INIT_CWD: "" }, "/work", "/work"],
  ["npm run", { INIT_CWD: "/work/sub", npm_package_json: "/work/package.json" }, "/work", "/work/sub"],
  ["pnpm", { INIT_CWD: "/work/sub", PNPM_SCRIPT_SRC_DIR: "/work" }, "/work", "/work/sub"],
  ["nothing but INIT_CWD", { INIT_CWD: "/work/sub" }, "/work", "/work/sub"],
  [
    "a process that a script started in another folder",
    { INIT_CWD: "/work", npm_package_json: "/work/package.json" },
    "/tmp/x",
    "/tmp/x",
  ],
];

for (const [title, env, cwd, expected] of rows) {
  test(`user's folder: ${title}`, (t) => t.is(userDirOf(env, cwd), expected));
}
