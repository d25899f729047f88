import test from "ava";
import { type DeviceHost, examineDevice } from "./kvm-device.js";

function host(changes: Partial<DeviceHost>, code?: string): DeviceHost {
  const open = () => {
    if (code !== undefined) throw Object.assign(new Error(code), { code });
  };
  const none = { platform: "linux", arch: "x64", open, hardwareFlag: () => true, inContainer: () => false };
  return { ...none, ...changes };
}

test("a device that can be opened is ok", (t) => {
  t.deepEqual(examineDevice(host({})), {
    name: "/dev/kvm",
    verdict: "ok",
    detail: "can be opened for reading and writing",
  });
});

const rows: [string, DeviceHost, string, RegExp[]][] = [
  ["no permission", host({}, "EACCES"), "exists, but this user may not open it", [/usermod -aG kvm/]],
  [
    "no permission in a container",
    host({ inContainer: () => true }, "EPERM"),
    "exists, but this user may not open it",
    [/usermod/, /--device \/dev\/kvm/],
  ],
  ["no device, driver not loaded", host({}, "ENOENT"), "does not exist", [/modprobe/]],
  [
    "no device, virtualization off",
    host({ hardwareFlag: () => false }, "ENOENT"),
    "does not exist",
    [/firmware.*nested/],
  ],
  [
    "no device in a container",
    host({ inContainer: () => true }, "ENOENT"),
    "does not exist",
    [/--device/, /modprobe/],
  ],
  ["another error", host({}, "ENXIO"), "cannot be opened: ENXIO", [/modprobe/]],
  [
    "another system",
    host({ platform: "darwin", arch: "arm64" }),
    "exists on Linux x64 only; this is darwin arm64",
    [/Linux x64/],
  ],
];

for (const [title, machine, detail, remedies] of rows) {
  test(`missing: ${title}`, (t) => {
    const finding = examineDevice(machine);
    t.is(finding.verdict, "missing");
    t.is(finding.detail, detail);
    t.is(finding.remedies?.length, remedies.length);
    remedies.forEach((remedy, index) => {
      t.regex(finding.remedies![index]!, remedy);
    });
  });
}
