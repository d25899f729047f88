/** How a process ends that has machines: children of this test, because the process itself is what is looked at. */
import { spawn } from "node:child_process";
import { machineTest } from "./internal-testing/accelerators.js";

const PACKAGE = new URL("./index.js", import.meta.url).href;
const LOOP = "Uint8Array.of(0xeb, 0xfe)";
const HALT = "Uint8Array.of(0xf4)";

interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
}

/** Runs a module that has `create(image, more)`; `kill`: sent once it has printed something. */
function child(accel: string, body: string, kill?: NodeJS.Signals): Promise<Ending> {
  const source = `import { createVm, definePlugin } from ${JSON.stringify(PACKAGE)};
    const create = (image, more) =>
      createVm({ accel: "${accel}", memoryBytes: 2 ** 22, boot: { protocol: "long", image }, ...more });
    ${body}`;
  const process_ = spawn(process.execPath, ["--input-type=module", "-e", source], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let stdout = "";
  process_.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  if (kill !== undefined) process_.stdout.once("data", () => process_.kill(kill));
  return new Promise((resolve) =>
    process_.once("close", (code, signal) => resolve({ code, signal, stdout })),
  );
}

machineTest("process: it ends by itself after run(), although workers are kept", async (t, accel) => {
  const body = `const vm = await create(${HALT}); console.log((await vm.run()).kind); vm.close();`;
  t.deepEqual(await child(accel, body), { code: 0, signal: null, stdout: "halted\n" });
});

machineTest("process: exit() ends it while a worker's guest loops", async (t, accel) => {
  const body = `const vm = await create(${LOOP}); void vm.run(); setTimeout(() => process.exit(5), 100);`;
  t.is((await child(accel, body)).code, 5);
});

machineTest("process: a machine that was neither run nor closed keeps nothing alive", async (t, accel) => {
  t.is((await child(accel, `await create(${HALT});`)).code, 0);
});

machineTest(
  "process: SIGINT ends it as any process, while a guest loops on its only thread",
  async (t, accel) => {
    const body = `const vm = await create(${LOOP}); console.log("ready"); vm.runSync();`;
    t.is((await child(accel, body, "SIGINT")).signal, "SIGINT");
  },
);

machineTest("process: SIGINT is a result where runSync() watches it", async (t, accel) => {
  const body = `const hooks = { start: () => console.log("ready") };
    const plugin = definePlugin({ name: "ready", version: "1", abi: 1, hooks });
    const vm = await create(${LOOP}, { plugins: [{ plugin, grant: "all" }] });
    console.log(vm.runSync({ signals: ["SIGINT"] }).reason);`;
  const { code, stdout } = await child(accel, body, "SIGINT");
  t.is(code, 0);
  t.is(stdout, "ready\nSIGINT\n");
});
