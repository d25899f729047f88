/**
 * What one key of a manifest alone cannot tell.
 *
 * The checks look at the file's own values, which may be of any type, and at what is given rather than at what
 * is right, so that all complaints come at once and a wrong value does not bring another complaint with it.
 */
import { posix } from "node:path";
import { hostPath, isTable, type Place } from "./value-types.js";

type Table = Readonly<Record<string, unknown>>;

export function checkTogether(values: Table, root: Place): void {
  const vm = tableOf(values, "vm");
  const boot = vm["boot"] ?? "kvmkit";
  if (boot === "kvmkit") checkOwnKernel(values, vm, root);
  else if (["long", "protected", "real"].includes(String(boot))) checkFlatImage(values, vm, root);
  checkCompiler(tableOf(values, "program"), root.at("program").at("cc"));
  checkMounts(mountsOf(values), root.at("mount"));
}

/** A compiler that is not called would be a surprise to whoever named it. */
function checkCompiler({ cc, path }: Table, place: Place): void {
  if (!Array.isArray(cc)) return;
  if (cc.length === 0) place.problem("ERR_MANIFEST_VALUE", "no compiler is named");
  else if (typeof path === "string" && !path.endsWith(".c")) {
    place.problem("ERR_MANIFEST_CONFLICT", "for a program that is a C source (.c)", "key");
  }
}

function checkOwnKernel(values: Table, vm: Table, root: Place): void {
  if (!has(values, "program") && !has(values, "workspace")) {
    root.problem("ERR_MANIFEST_MISSING", "the table [program] is missing: what is to be run?", "key");
  }
  checkProgramFile(values, root);
  for (const key of ["load", "entry", "registers"].filter((name) => has(vm, name))) {
    const place = root.at("vm").at(key);
    place.problem("ERR_MANIFEST_CONFLICT", `for flat images; boot = "kvmkit" loads an ELF file`, "key");
  }
}

function checkFlatImage(values: Table, vm: Table, root: Place): void {
  if (!has(vm, "kernel")) {
    const place = root.at("vm").at("boot");
    place.problem("ERR_MANIFEST_MISSING", "the key kernel is missing: the flat image to boot");
  }
  if (!has(values, "program")) return;
  if (vm["boot"] !== "long") {
    const message = `boot = "${String(vm["boot"])}" has no use for a program`;
    root.at("program").problem("ERR_MANIFEST_CONFLICT", message, "key");
    return;
  }
  const path = tableOf(values, "program")["path"];
  const mounted = mountsOf(values).map((mount) => mount["guest"]);
  if (typeof path === "string" && isBelowAny(mounted, guestPathOf(path))) return;
  checkProgramFile(values, root);
}

function checkProgramFile(values: Table, root: Place): void {
  const path = tableOf(values, "program")["path"];
  if (typeof path === "string") hostPath("file").read(path, root.at("program").at("path"));
}

function checkMounts(mounts: readonly Table[], list: Place): void {
  const seen = new Set<unknown>();
  mounts.forEach((mount, index) => {
    const place = list.at(index);
    if (!has(mount, "host") && !has(mount, "tmpfs")) {
      place.problem("ERR_MANIFEST_MISSING", "host or tmpfs is missing: what is mounted here?", "key");
    } else if (has(mount, "host") && has(mount, "tmpfs")) {
      place.at("tmpfs").problem("ERR_MANIFEST_CONFLICT", "host is given too; a mount is one of both", "key");
    } else if (has(mount, "tmpfs") && has(mount, "mode")) {
      place.at("mode").problem("ERR_MANIFEST_CONFLICT", "a tmpfs is always writable", "key");
    }
    if (seen.has(mount["guest"])) {
      place.at("guest").problem("ERR_MANIFEST_CONFLICT", "another [[mount]] has this path already");
    }
    if (has(mount, "guest")) seen.add(mount["guest"]);
  });
}

/** Where the guest sees a path that a manifest or a command line names: relative ones start at the root. */
export function guestPathOf(path: string): string {
  return posix.resolve("/", path);
}

/** Whether `path` is one of these folders or files of the guest, or lies below one. */
export function isBelowAny(folders: readonly unknown[], path: string): boolean {
  return folders.some((folder) => typeof folder === "string" && isBelow(folder, path));
}

function isBelow(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}

function mountsOf(values: Table): Table[] {
  const list = values["mount"];
  return Array.isArray(list) ? list.map((entry) => (isTable(entry) ? entry : {})) : [];
}

function tableOf(values: Table, key: string): Table {
  const found = has(values, key) ? values[key] : undefined;
  return isTable(found) ? found : {};
}

function has(values: Table, key: string): boolean {
  return Object.hasOwn(values, key);
}
